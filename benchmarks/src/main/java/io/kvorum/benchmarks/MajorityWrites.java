package io.kvorum.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.Acknowledgement;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Sets that wait for a majority of a primary and two replicas in the same JVM, by callers that block and by one caller
 * that keeps a number of them in flight. The contenders take turns; what is reported is the median round.
 */
final class MajorityWrites {
    private static final int ROUNDS = Integer.getInteger("majority.rounds", 5);
    private static final long ROUND_NANOS = 1_000_000_000;
    private static final int ENTRIES = 100_000;
    private static final int VALUE = 100;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static final OperatingSystemMXBean process =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private MajorityWrites() {}

    private interface Load {
        /** Writes until the time has come; returns the latencies in nanoseconds. */
        Samples run(long deadline);
    }

    /** What a round showed, per write. */
    private record Round(double perSecond, double p50, double p99, double cpu) {}

    private static final class Contender {
        final String name;
        final Load load;
        final List<Round> rounds = new ArrayList<>();

        Contender(String name, Load load) {
            this.name = name;
            this.load = load;
        }

        void run(boolean counts) {
            long cpuBefore = process.getProcessCpuTime();
            long start = System.nanoTime();
            Samples latencies = load.run(start + ROUND_NANOS);
            double nanos = System.nanoTime() - start;
            double cpu = process.getProcessCpuTime() - cpuBefore;
            int count = latencies.count();
            if (counts) {
                rounds.add(new Round(
                        count / nanos * 1e9,
                        latencies.quantile(0.5) / 1e3,
                        latencies.quantile(0.99) / 1e3,
                        cpu / count / 1e3));
            }
        }

        /** Returns the round with the median throughput. */
        Round median() {
            rounds.sort((a, b) -> Double.compare(a.perSecond(), b.perSecond()));
            return rounds.get(rounds.size() / 2);
        }
    }

    static String table() {
        try (ReplicatedShard shard = new ReplicatedShard(2)) {
            ReplicatedStore node = shard.primary().store();
            List<Contender> contenders = new ArrayList<>();
            for (int callers : new int[] {1, 8, 64}) {
                contenders.add(new Contender(callers + " blocking", end -> blocking(node, callers, end)));
            }
            for (int inFlight : new int[] {64, 1_024}) {
                contenders.add(new Contender(inFlight + " in flight", end -> inFlight(node, inFlight, end)));
            }
            List<Contender> turns = new ArrayList<>(contenders);
            Random order = new Random(1);
            for (int round = -2; round < ROUNDS; round++) {
                Collections.shuffle(turns, order);
                for (Contender contender : turns) {
                    contender.run(round >= 0);
                }
            }
            StringBuilder table = new StringBuilder("""
                    | MAJORITY set, 2 replicas | op/s | p50 us | p99 us | process CPU us per write |
                    |---|---|---|---|---|
                    """);
            for (Contender contender : contenders) {
                Round median = contender.median();
                table.append(String.format(
                        Locale.ROOT,
                        "| %s | %.0f | %.0f | %.0f | %.2f |%n",
                        contender.name,
                        median.perSecond(),
                        median.p50(),
                        median.p99(),
                        median.cpu()));
            }
            return table.toString();
        }
    }

    private static Samples blocking(ReplicatedStore node, int callers, long deadline) {
        KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.LOCAL, TIMEOUT);
        Samples all = new Samples();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            int caller = i;
            Thread thread = new Thread(
                    () -> {
                        Samples own = new Samples();
                        byte[] value = new byte[VALUE];
                        byte[] key = new byte[16];
                        int turn = caller * (ENTRIES / callers);
                        for (long before = System.nanoTime(); before - deadline < 0; ) {
                            store.set(key(key, turn++), value);
                            long after = System.nanoTime();
                            own.add(after - before);
                            before = after;
                        }
                        synchronized (all) {
                            all.addAll(own);
                        }
                    },
                    "caller-" + i);
            thread.setUncaughtExceptionHandler((which, thrown) -> failure.set(thrown));
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            join(thread);
        }
        requireNone(failure);
        return all;
    }

    private static Samples inFlight(ReplicatedStore node, int count, long deadline) {
        AsyncKeyValueStore store = node.async(Acknowledgement.MAJORITY, ReadLevel.LOCAL, TIMEOUT);
        Semaphore free = new Semaphore(count);
        Samples latencies = new Samples(); // of the primary's thread, until all permits are back
        AtomicReference<Throwable> failure = new AtomicReference<>();
        byte[] value = new byte[VALUE];
        byte[] key = new byte[16];
        int turn = 0;
        while (true) {
            free.acquireUninterruptibly();
            long before = System.nanoTime();
            if (before - deadline >= 0) {
                break;
            }
            store.set(key(key, turn++), value).whenComplete((done, thrown) -> {
                if (thrown == null) {
                    synchronized (latencies) { // a stage that was completed already runs this in the caller
                        latencies.add(System.nanoTime() - before);
                    }
                } else {
                    failure.set(thrown);
                }
                free.release();
            });
        }
        free.acquireUninterruptibly(count - 1);
        requireNone(failure);
        return latencies;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("the benchmark was interrupted", e);
        }
    }

    private static void requireNone(AtomicReference<Throwable> failure) {
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new AssertionError("a write failed", thrown);
        }
    }

    private static byte[] key(byte[] key, int turn) {
        int number = Math.floorMod(turn * 7_919, ENTRIES);
        for (int i = 0; i < key.length; i++, number /= 10) {
            key[i] = (byte) ('0' + number % 10);
        }
        return key;
    }
}
