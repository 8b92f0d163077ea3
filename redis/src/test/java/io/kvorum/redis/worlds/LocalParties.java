package io.kvorum.redis.worlds;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterBuilder;
import io.kvorum.testkit.LocalClusterSettings;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import io.kvorum.testkit.StopPoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/** A {@link LocalCluster} under the names of a {@link World}. */
final class LocalParties implements AutoCloseable {
    static final ShardId SHARD = new ShardId("shard-1");

    final LocalCluster cluster;
    final List<String> nodes;
    final List<String> sentinels;
    private final int nodesPerShard;
    private final AtomicLong fullSyncs = new AtomicLong();
    private final AtomicBoolean crashingNextLeader = new AtomicBoolean();

    LocalParties(Setup setup, Duration downAfter, LocalClusterBuilder builder) {
        nodesPerShard = setup.nodes();
        nodes = IntStream.range(0, setup.allNodes()).mapToObj(Setup::node).toList();
        sentinels =
                IntStream.range(0, setup.sentinels()).mapToObj(Setup::sentinel).toList();
        builder.settings(LocalClusterSettings.defaults()
                .withShards(Math.max(setup.shards(), 1))
                .withReplicas(setup.nodes() - 1)
                .withSentinels(setup.sentinels())
                .withTimeout(Duration.ofMillis(1_500))
                .withReplication(ReplicationSettings.defaults().withMinReplicas(setup.minReplicas()))
                .withFailover(
                        SentinelSettings.defaults().withQuorum(setup.quorum()).withDownAfter(downAfter)));
        setup.priorities().forEach((node, priority) -> builder.priority(id(node), priority));
        cluster = builder.start();
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfNode told
                    && told.event() instanceof ReplicationEvent.FullSyncCompleted) {
                fullSyncs.incrementAndGet();
            }
        });
        cluster.at(StopPoint.AFTER_ELECTION, hit -> {
            if (crashingNextLeader.compareAndSet(true, false)) {
                cluster.sentinel(hit.party()).crash();
            }
        });
        try {
            cluster.awaitReady(Duration.ofSeconds(20));
        } catch (RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
    }

    static Acknowledgement level(Setup setup) {
        return setup.majority() ? Acknowledgement.MAJORITY : Acknowledgement.LOCAL;
    }

    NodeId id(String party) {
        if (!isNode(party)) {
            return new NodeId("sentinel-" + party.substring(1));
        }
        int number = party.charAt(0) - 'A';
        return new NodeId("node-" + (number / nodesPerShard + 1) + "." + (number % nodesPerShard + 1));
    }

    String name(NodeId id) {
        String value = id.value();
        if (value.startsWith("sentinel-")) {
            return "s" + value.substring(9);
        }
        String[] numbers = value.substring(5).split("\\.", -1); // of the shard, and of the node in it
        return Setup.node((Integer.parseInt(numbers[0]) - 1) * nodesPerShard + Integer.parseInt(numbers[1]) - 1);
    }

    static boolean isNode(String party) {
        return !party.startsWith("s");
    }

    LocalNode node(String party) {
        return cluster.node(id(party));
    }

    LocalSentinel sentinel(String party) {
        return cluster.sentinel(id(party));
    }

    void crash(String party) {
        if (isNode(party)) {
            node(party).crash();
        } else {
            sentinel(party).crash();
        }
    }

    void restart(String party) {
        if (isNode(party)) {
            node(party).restart();
        } else {
            sentinel(party).restart();
        }
    }

    void pause(String party) {
        if (isNode(party)) {
            node(party).pause();
        } else {
            sentinel(party).pause();
        }
    }

    void resume(String party) {
        if (isNode(party)) {
            node(party).resume();
        } else {
            sentinel(party).resume();
        }
    }

    void cut(Collection<String> some, Collection<String> others) {
        List<NodeId> one = some.stream().map(this::id).toList();
        List<NodeId> other = others.stream().map(this::id).toList();
        cluster.cut(one, other);
        cluster.cut(other, one);
    }

    void crashNextLeader() {
        crashingNextLeader.set(true);
    }

    boolean leads(String node) {
        return node(node).isRunning() && node(node).status().writable();
    }

    boolean inSync(String node, String primary) {
        if (!node(node).isRunning() || !node(primary).isRunning()) {
            return false;
        }
        NodeStatus status = node(node).status();
        return id(primary).equals(status.primary())
                && status.complete()
                && status.position().equals(node(primary).status().position())
                && node(node).digest() == node(primary).digest();
    }

    long fullSyncs() {
        return fullSyncs.get();
    }

    List<String> names(Collection<NodeId> ids) {
        List<String> names = new ArrayList<>();
        ids.forEach(id -> names.add(World.mention(name(id))));
        names.sort(null);
        return names;
    }

    @Override
    public void close() {
        cluster.close();
    }
}
