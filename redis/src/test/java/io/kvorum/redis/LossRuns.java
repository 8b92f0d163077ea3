package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Counts the writes that real servers acknowledge and then lose, while they are killed, stopped, cut off and switched
 * over at random. A client on the machine of each of three servers writes one key after the other to whoever its
 * sentinel calls the primary, and WAIT asks for a replica; so the primary that is cut off has a client with it. What
 * was acknowledged must be there when all is well again.
 *
 * <p>Run: {@code mvn -q -B -Ploss -pl redis -am test-compile -Dloss.runs=20 -Dloss.seed=1 -Dloss.replicas=1}. With no
 * replicas, acknowledgements promise nothing, and losses show that they would be noticed.
 */
final class LossRuns implements AutoCloseable {
    private static final Duration DOWN_AFTER = Duration.ofMillis(700);
    private static final int FAULTS = 3;

    /** What became of the writes of some runs. */
    record Count(long acknowledged, long refused, long unknown, List<String> lost) {
        Count plus(Count more) {
            return new Count(
                    acknowledged + more.acknowledged,
                    refused + more.refused,
                    unknown + more.unknown,
                    Stream.concat(lost.stream(), more.lost.stream()).toList());
        }

        @Override
        public String toString() {
            return acknowledged + " acknowledged, " + refused + " refused, " + unknown + " unknown, " + lost.size()
                    + " lost";
        }
    }

    private enum Kind {
        KILL,
        STOP,
        ISOLATE,
        SWITCHOVER
    }

    /** Something that goes wrong for a while, by the time since the run began. */
    private record Fault(Kind kind, boolean ofPrimary, int other, long begin, long end) {}

    private record Step(long at, Runnable action) {}

    private final RedisShard shard;
    private final List<RedisStore> stores = new ArrayList<>();

    /** @param replicas how many replicas must have a write */
    LossRuns(Path directory, int replicas) {
        shard = new RedisShard(directory, SentinelSettings.defaults().withDownAfter(DOWN_AFTER), true);
        try {
            shard.begin();
            shard.awaitReplicas(2);
            for (NodeId machine : RedisShard.NODES) {
                stores.add(RedisStore.builder()
                        .uris(shard.server(machine).uri())
                        .primary(() -> {
                            NodeId primary =
                                    shard.sentinelAt(machine).topology().primaryOf(0);
                            return primary == null ? null : shard.uris(machine).get(primary);
                        })
                        .timeout(Duration.ofMillis(400))
                        .connectTimeout(Duration.ofMillis(400))
                        .replicas(replicas)
                        .connect());
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    RedisShard shard() {
        return shard;
    }

    /** Writes keys of a prefix one after the other until it is told to end. */
    private static final class Writer extends Thread {
        private final RedisStore store;
        private final String prefix;
        private final List<String> acknowledged = new ArrayList<>();
        private long refused;
        private long unknown;
        private @Nullable Throwable defect;
        private volatile boolean over;

        private Writer(RedisStore store, String prefix) {
            this.store = store;
            this.prefix = prefix;
        }

        @Override
        public void run() {
            for (int i = 0; !over; i++) {
                String key = prefix + i;
                try {
                    store.set(key.getBytes(UTF_8), key.getBytes(UTF_8));
                    acknowledged.add(key);
                } catch (RefusedException e) {
                    refused++;
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                } catch (OutcomeUnknownException e) {
                    unknown++;
                } catch (Throwable e) {
                    defect = e;
                    return;
                }
            }
        }

        private Count end() {
            over = true;
            try {
                join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (defect != null) {
                throw new AssertionError(prefix, defect);
            }
            return new Count(acknowledged.size(), refused, unknown, List.of());
        }
    }

    /** Runs what a seed draws and returns what became of the writes. */
    Count run(long seed) {
        List<Fault> faults = drawn(new SplittableRandom(seed));
        return run(seed + ":", () -> carryOut(faults));
    }

    /** Writes while something happens, and looks for what was acknowledged once all is well again. */
    Count run(String prefix, Runnable happens) {
        List<Writer> writers = new ArrayList<>();
        for (RedisStore store : stores) {
            Writer writer = new Writer(store, prefix + writers.size() + ":");
            writers.add(writer);
            writer.start();
        }
        Count count = new Count(0, 0, 0, List.of());
        try {
            happens.run();
        } finally {
            for (Writer writer : writers) {
                count = count.plus(writer.end());
            }
        }
        awaitWell();
        List<String> lost = new ArrayList<>();
        writers.forEach(writer -> lost.addAll(missing(writer.acknowledged)));
        return new Count(count.acknowledged, count.refused, count.unknown, lost);
    }

    private void awaitWell() {
        RealServers.await(
                "the sentinels agree",
                () -> RedisShard.NODES.stream()
                        .allMatch(machine -> shard.primary()
                                .equals(shard.sentinelAt(machine).topology().primaryOf(0))));
        shard.awaitReplicas(2);
    }

    private List<String> missing(List<String> keys) {
        List<String> missing = new ArrayList<>();
        try (RedisStore store = RedisStore.connect(shard.server(shard.primary()).uri())) {
            for (int first = 0; first < keys.size(); first += 500) {
                List<String> some = keys.subList(first, Math.min(keys.size(), first + 500));
                List<byte @Nullable []> values = store.getEach(
                        some.stream().map(key -> key.getBytes(UTF_8)).toList());
                for (int i = 0; i < values.size(); i++) {
                    byte[] value = values.get(i);
                    if (value == null || !new String(value, UTF_8).equals(some.get(i))) {
                        missing.add(some.get(i));
                    }
                }
            }
        }
        return missing;
    }

    // ---- what goes wrong

    /** At most one server is killed in a run, as two that come back empty are more than a shard of three can bear. */
    private static List<Fault> drawn(SplittableRandom random) {
        List<Fault> faults = new ArrayList<>();
        long begin = 0;
        boolean killed = false;
        for (int i = 0; i < FAULTS; i++) {
            Kind kind = Kind.values()[random.nextInt(killed ? 1 : 0, Kind.values().length)];
            killed |= kind == Kind.KILL;
            begin += random.nextLong(50, 900);
            faults.add(new Fault(
                    kind, random.nextInt(3) > 0, random.nextInt(3), begin, begin + random.nextLong(100, 2_500)));
        }
        return faults;
    }

    private void carryOut(List<Fault> faults) {
        List<Step> steps = new ArrayList<>();
        for (Fault fault : faults) {
            NodeId[] target = new NodeId[1];
            steps.add(new Step(fault.begin, () -> {
                target[0] = fault.ofPrimary ? shard.primary() : RedisShard.NODES.get(fault.other);
                begin(fault, target[0]);
            }));
            steps.add(new Step(fault.end, () -> end(fault, target[0])));
        }
        steps.sort(Comparator.comparingLong(Step::at));
        long start = System.nanoTime();
        for (Step step : steps) {
            for (long left = 1; left > 0; LockSupport.parkNanos(left)) {
                left = start + TimeUnit.MILLISECONDS.toNanos(step.at) - System.nanoTime();
            }
            step.action.run();
        }
    }

    private void begin(Fault fault, NodeId target) {
        switch (fault.kind) {
            case KILL -> shard.server(target).kill();
            case STOP -> stop(target, "STOP");
            case ISOLATE -> shard.machines().isolate(target);
            case SWITCHOVER -> shard.sentinelAt(target).failOver(RedisShard.SHARD);
        }
    }

    private void end(Fault fault, NodeId target) {
        switch (fault.kind) {
            case KILL -> shard.server(target).restart();
            case STOP -> stop(target, "CONT");
            case ISOLATE -> shard.machines().join(target);
            case SWITCHOVER -> {}
        }
    }

    private void stop(NodeId target, String signal) {
        RealServer server = shard.server(target);
        if (server.isRunning()) {
            server.signal(signal);
        }
    }

    @Override
    public void close() {
        stores.forEach(RedisStore::close);
        shard.close();
    }

    public static void main(String[] arguments) throws Exception {
        int runs = Integer.parseInt(arguments[0]);
        long first = Long.parseLong(arguments[1]);
        int replicas = Integer.parseInt(arguments[2]);
        Count all = new Count(0, 0, 0, List.of());
        long begin = System.nanoTime();
        try (LossRuns shard = new LossRuns(Files.createTempDirectory("kvorum-losses"), replicas)) {
            for (long seed = first; seed < first + runs; seed++) {
                Count count = shard.run(seed);
                all = all.plus(count);
                System.out.println("seed " + seed + ": " + count);
            }
        } finally {
            System.out.println(all + ", in " + (System.nanoTime() - begin) / 1_000_000_000 + " s; lost: "
                    + all.lost.subList(0, Math.min(20, all.lost.size())));
        }
        if (!all.lost.isEmpty() && replicas > 0) {
            throw new AssertionError("acknowledged writes were lost");
        }
    }
}
