package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.FakeCluster.CrashPoint;
import io.kvorum.failover.FakeCluster.Host;
import io.kvorum.failover.SentinelEvent.VoteGiven;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Sentinels and nodes under all kinds of faults at once, drawn from a seed: crashes of sentinels at the worst moments,
 * pauses, partitions, one-way cuts, loss, repetition and delay. {@link FakeCluster} checks at each step that an epoch
 * has one leader and one primary, that nobody votes twice, and that no primary lacks what a majority has; here it is
 * checked that the shard becomes whole when the faults end.
 *
 * <p>{@code -Dfailover.seed=N} replays one seed, {@code -Dfailover.seeds=N} runs that many.
 */
final class FailoverChaosTest {
    private static final long SEEDS = Long.getLong("failover.seeds", 200);
    private static final Duration CHAOS = Duration.ofSeconds(20);
    /** Down after a second, then a role limit or a hold, then a few elections. */
    private static final Duration BOUND = Duration.ofSeconds(6);

    @Test
    void anyFaultsLeaveOnePrimaryThatHasEverythingAcknowledged() {
        Long only = Long.getLong("failover.seed");
        for (long seed = only == null ? 1 : only; seed <= (only == null ? SEEDS : only); seed++) {
            try {
                new Schedule(seed).play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed=" + seed + ": " + e.getMessage(), e);
            }
        }
    }

    /** The faults of one seed. */
    private static final class Schedule {
        private final FakeCluster cluster;
        private final SplittableRandom random;
        private boolean healed;

        private Schedule(long seed) {
            random = new SplittableRandom(seed);
            int nodes = random.nextInt(5) == 0 ? 5 : 3;
            int sentinels = random.nextInt(3) == 0 ? 5 : 3;
            SentinelSettings settings = SentinelSettings.defaults();
            if (random.nextInt(3) == 0) { // so that candidates meet
                settings = settings.withElectionJitter(Duration.ZERO);
            }
            cluster = new FakeCluster(settings, 1, nodes, sentinels, seed);
            if (random.nextBoolean()) {
                cluster.onEvent = this::crashAfterVote;
            }
            cluster.maxDelay = cluster.minDelay + 1 + random.nextLong(40 * FakeCluster.MILLI);
            cluster.loss = random.nextBoolean() ? 0 : random.nextDouble(0.3);
            cluster.duplication = random.nextBoolean() ? 0 : random.nextDouble(0.3);
        }

        private void play() {
            long chaos = CHAOS.toNanos();
            int faults = random.nextInt(4, 24);
            for (int i = 0; i < faults; i++) {
                cluster.after(random.nextLong(chaos), this::fault);
            }
            cluster.run(CHAOS);
            heal();
            assertTrue(
                    cluster.runUntil(cluster::isWhole, BOUND),
                    () -> "not whole " + BOUND + " after the faults ended:\n"
                            + cluster.trace(cluster.now - 8_000 * FakeCluster.MILLI));
        }

        /** A voter that forgot its vote would give it again right away. */
        private void crashAfterVote(SentinelEvent event) {
            if (event instanceof VoteGiven vote && !healed && random.nextBoolean()) {
                Host host = cluster.sentinel(vote.sentinel().value());
                host.crashAt = CrashPoint.AFTER_SENDING;
                cluster.after(random.nextLong(30 * FakeCluster.MILLI), () -> restart(host));
            }
        }

        private void fault() {
            long lasting = random.nextLong(50 * FakeCluster.MILLI, 4_000 * FakeCluster.MILLI);
            switch (random.nextInt(8)) {
                case 0, 1 -> crash(node(), lasting);
                case 2 -> {
                    Host host = sentinel();
                    host.crashAt = any(List.of(CrashPoint.values()));
                    cluster.after(lasting, () -> restart(host));
                }
                case 3 -> {
                    Host host = sentinel();
                    host.paused = true;
                    cluster.after(lasting, host::resume);
                }
                case 4 -> {
                    NodeId id = any(cluster.everybody());
                    cluster.isolate(id);
                    cluster.after(lasting, cluster::heal);
                }
                case 5 -> {
                    NodeId from = any(cluster.everybody());
                    NodeId to = any(cluster.everybody());
                    cluster.cut(from, to);
                    cluster.after(lasting, cluster::heal);
                }
                case 6 -> {
                    split();
                    cluster.after(lasting, cluster::heal);
                }
                default -> sentinel().failOver("shard1");
            }
        }

        private void split() {
            List<NodeId> here = new ArrayList<>();
            List<NodeId> there = new ArrayList<>();
            cluster.everybody().forEach(id -> (random.nextBoolean() ? here : there).add(id));
            for (NodeId a : here) {
                for (NodeId b : there) {
                    cluster.cut(a, b);
                    cluster.cut(b, a);
                }
            }
        }

        private void crash(FakeNode node, long lasting) {
            node.up = false;
            cluster.after(lasting, () -> {
                if (!node.up) {
                    node.restart(true);
                }
            });
        }

        private static void restart(Host host) {
            if (!host.up) {
                host.start();
            }
        }

        private void heal() {
            healed = true;
            cluster.heal();
            cluster.loss = 0;
            cluster.duplication = 0;
            cluster.maxDelay = cluster.minDelay + FakeCluster.MILLI;
            for (Host host : cluster.sentinels.values()) {
                host.crashAt = null;
                if (!host.up) {
                    host.start();
                } else if (host.paused) {
                    host.resume();
                }
            }
            for (FakeNode node : cluster.nodes.values()) {
                if (!node.up) {
                    node.restart(true);
                }
            }
        }

        private Host sentinel() {
            return any(new ArrayList<>(cluster.sentinels.values()));
        }

        private FakeNode node() {
            return any(new ArrayList<>(cluster.nodes.values()));
        }

        private <T> T any(List<T> list) {
            return list.get(random.nextInt(list.size()));
        }
    }
}
