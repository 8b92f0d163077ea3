package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;

/** What the tests of {@link LocalCluster} have in common. */
final class Clusters {
    /** Each wait ends as soon as its condition holds; this is only for failures, and for machines that are busy. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    static final ShardId FIRST = new ShardId("shard-1");
    static final ShardId SECOND = new ShardId("shard-2");
    static final NodeId SENTINEL = new NodeId("sentinel-1");

    private Clusters() {}

    /** {@return settings of two shards of three, watched by three sentinels} */
    static LocalClusterSettings settings(Duration downAfter) {
        return LocalClusterSettings.defaults()
                .withShards(2)
                .withTimeout(LIMIT)
                .withLogCapacity(1 << 20)
                .withReplication(ReplicationSettings.defaults().withHeartbeatInterval(Duration.ofMillis(20)))
                .withFailover(SentinelSettings.defaults()
                        .withPingPeriod(Duration.ofMillis(20))
                        .withAskPeriod(Duration.ofMillis(20))
                        .withRepointingDelay(Duration.ofMillis(100))
                        .withDownAfter(downAfter));
    }

    /** {@return the store of a node alone, whatever it may know} */
    static KeyValueStore local(LocalNode node) {
        return node.store().store(Acknowledgement.LOCAL, ReadLevel.LOCAL, LIMIT);
    }

    static byte[] keyIn(LocalCluster cluster, ShardId shard) {
        for (int i = 0; ; i++) {
            byte[] key = bytes("key-" + i);
            if (cluster.primaryFor(key).shard().equals(shard)) {
                return key;
            }
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
