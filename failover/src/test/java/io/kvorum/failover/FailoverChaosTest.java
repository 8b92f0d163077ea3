package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random faults from a seed: late and lost messages, partitions, crashes, pauses, lost memories, lost data and lost
 * promises. The cluster checks the safety of every step; this test checks that the shard is whole again once all is
 * well.
 */
@Tag("long")
final class FailoverChaosTest {
    static LongStream seeds() {
        return LongStream.rangeClosed(1, Long.getLong("chaos.seeds", 100));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aShardIsWholeAgainAfterEverything(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int nodes = 3 + random.nextInt(3);
        int sentinels = 1 + random.nextInt(5);
        int quorum = 1 + random.nextInt(sentinels);
        FakeCluster cluster =
                new FakeCluster(SentinelSettings.defaults().withQuorum(quorum), 1, nodes, sentinels, true, seed);
        double loss = random.nextInt(3) * 0.1;
        long late = random.nextInt(4) == 0 ? 3000 : 1 + random.nextInt(60);
        cluster.delay = (from, to, what) -> random.nextDouble() < loss
                ? -1
                : random.nextInt(20) == 0 ? random.nextLong(late * FakeCluster.MILLI) : random.nextLong(2_000_000);
        cluster.run(Duration.ofSeconds(1));
        for (int i = 0; i < 12; i++) {
            disturb(cluster, random);
            cluster.run(Duration.ofMillis(random.nextInt(1500)));
        }
        cluster.delay = (from, to, what) -> FakeCluster.MILLI;
        cluster.heal();
        for (TestNode node : cluster.nodes.values()) {
            if (!node.up) {
                cluster.restart(node.id.value(), true, true);
            }
        }
        for (FakeCluster.Host host : cluster.sentinels.values()) {
            if (!host.up) {
                host.start();
            } else if (host.paused) {
                host.resume();
            }
        }

        assertTrue(
                cluster.runUntil(cluster::isWholeOfAll, Duration.ofSeconds(30)),
                () -> "seed " + seed + ": " + cluster.nodes.values());
        for (SentinelFact.OperationEnded ended : cluster.facts(SentinelFact.OperationEnded.class)) {
            if (ended.operation() instanceof Operation.FailOver failOver
                    && failOver.target() != null
                    && ended.outcome() instanceof OperationOutcome.Succeeded succeeded) {
                assertEquals(failOver.target(), succeeded.primary().primary(), "seed " + seed);
            }
        }
    }

    private static void disturb(FakeCluster cluster, SplittableRandom random) {
        List<NodeId> everybody = cluster.everybody();
        NodeId one = everybody.get(random.nextInt(everybody.size()));
        TestNode node = cluster.nodes.get(one);
        FakeCluster.Host host = cluster.sentinels.get(one);
        switch (random.nextInt(8)) {
            case 0 -> cluster.isolate(one);
            case 1 -> cluster.cut(one, everybody.get(random.nextInt(everybody.size())));
            case 2 -> cluster.heal();
            case 3 -> {
                NodeId sentinel = List.copyOf(cluster.sentinels.keySet()).get(random.nextInt(cluster.sentinels.size()));
                cluster.sentinel(sentinel.value())
                        .start(new Operation.FailOver(
                                cluster.topology.shards().get(0).id(), node == null ? null : one));
            }
            default -> {
                if (node != null) {
                    disturb(cluster, node, random);
                } else if (host != null) {
                    disturb(host, random);
                }
            }
        }
    }

    private static void disturb(FakeCluster cluster, TestNode node, SplittableRandom random) {
        if (node.up && random.nextBoolean()) {
            node.up = false;
            return;
        }
        Membership members = Answers.newest(
                cluster.nodes.values().stream().map(TestNode::report).toList());
        boolean othersSuffice = members != null
                && members.isMajority(member -> !member.node().equals(node.id)
                        && cluster.nodes.values().stream()
                                .anyMatch(each -> each.status().complete()
                                        && each.member().equals(member)));
        boolean mayLose = othersSuffice && random.nextInt(3) == 0;
        cluster.restart(node.id.value(), !mayLose, !(mayLose && random.nextBoolean()));
    }

    private static void disturb(FakeCluster.Host host, SplittableRandom random) {
        switch (random.nextInt(4)) {
            case 0 -> host.crash();
            case 1 -> host.paused = host.up;
            case 2 -> {
                host.saved = null;
                host.start();
            }
            default -> {
                if (host.paused) {
                    host.resume();
                } else if (!host.up) {
                    host.start();
                }
            }
        }
    }
}
