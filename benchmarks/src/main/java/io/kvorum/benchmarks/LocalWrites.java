package io.kvorum.benchmarks;

import com.sun.management.ThreadMXBean;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What a set costs that waits for nobody: in a plain store, at a primary without replicas, and at one with a replica in
 * the same JVM. The contenders take turns in an order that is drawn anew in each round, and the ratios are medians of
 * those within a round.
 *
 * <p>The caller's cost is that of the calling thread. The primary's is that and what the primary's own thread does
 * until the replica has everything; the replica's is not in it.
 */
final class LocalWrites {
    private static final int ROUNDS = Integer.getInteger("rounds", 200);
    private static final int WARM_UP_ROUNDS = 60;
    private static final int OPERATIONS = 40_000;
    private static final int ENTRIES = 100_000;
    private static final int VALUE = 100;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private LocalWrites() {}

    /** What one operation cost in one round. */
    private record Cost(double caller, double primary, double bytes) {}

    private static final class Contender implements AutoCloseable {
        final String name;
        final List<Cost> costs = new ArrayList<>();
        private final KeyValueStore store;
        private final ReplicatedShard[] shard;
        private int turn;

        Contender(String name, KeyValueStore store, ReplicatedShard... shard) {
            this.name = name;
            this.store = store;
            this.shard = shard;
        }

        static Contender of(String name, int replicas) {
            ReplicatedShard shard = new ReplicatedShard(replicas);
            KeyValueStore store = shard.primary().store().store(Acknowledgement.LOCAL, ReadLevel.LOCAL, TIMEOUT);
            return new Contender(name, store, shard);
        }

        Cost run(StoreKeys keys, byte[] value, int operations) {
            long[] others = shard.length == 0 ? new long[0] : shard[0].primaryThreads();
            long[] all = Arrays.copyOf(others, others.length + 1);
            all[others.length] = Thread.currentThread().getId();
            long othersBefore = cpu(others);
            long bytesBefore = allocated(all);
            long before = threads.getCurrentThreadCpuTime();
            for (int i = 0; i < operations; i++) {
                store.set(keys.at(turn++), value);
            }
            double caller = threads.getCurrentThreadCpuTime() - before;
            for (ReplicatedShard each : shard) {
                each.awaitCaughtUp();
            }
            double primary = caller + cpu(others) - othersBefore;
            double bytes = allocated(all) - bytesBefore;
            return new Cost(caller / operations, primary / operations, bytes / operations);
        }

        @Override
        public void close() {
            Arrays.stream(shard).forEach(ReplicatedShard::close);
        }
    }

    private static long cpu(long[] ids) {
        return Arrays.stream(threads.getThreadCpuTime(ids)).sum();
    }

    private static long allocated(long[] ids) {
        return Arrays.stream(threads.getThreadAllocatedBytes(ids)).sum();
    }

    static String table() {
        StoreKeys keys = new StoreKeys(ENTRIES, true);
        byte[] value = new byte[VALUE];
        try (Contender plain = new Contender("LocalStore", new LocalStore());
                Contender alone = Contender.of("primary alone", 0);
                Contender fed = Contender.of("primary, 1 replica", 1)) {
            List<Contender> contenders = new ArrayList<>(List.of(plain, alone, fed));
            for (Contender contender : contenders) {
                keys.forEach(key -> contender.store.set(key, value));
            }
            System.gc();
            Random order = new Random(1);
            for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
                Collections.shuffle(contenders, order);
                for (Contender contender : contenders) {
                    Cost cost = contender.run(keys, value, OPERATIONS);
                    if (round >= 0) {
                        contender.costs.add(cost);
                    }
                }
            }
            StringBuilder table = new StringBuilder("""
                    | LOCAL set | caller, CPU ns | times plain | primary in all, CPU ns | times plain | B/op |
                    |---|---|---|---|---|---|
                    """);
            for (Contender contender : List.of(plain, alone, fed)) {
                table.append(row(contender, plain));
            }
            return table.toString();
        }
    }

    private static String row(Contender contender, Contender plain) {
        double[] callers = new double[ROUNDS];
        double[] primaries = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            double base = plain.costs.get(i).caller();
            callers[i] = contender.costs.get(i).caller() / base;
            primaries[i] = contender.costs.get(i).primary() / base;
        }
        return String.format(
                Locale.ROOT,
                "| %s | %.0f | %.2f | %.0f | %.2f | %.1f |%n",
                contender.name,
                median(contender.costs.stream().mapToDouble(Cost::caller).toArray()),
                median(callers),
                median(contender.costs.stream().mapToDouble(Cost::primary).toArray()),
                median(primaries),
                median(contender.costs.stream().mapToDouble(Cost::bytes).toArray()));
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
