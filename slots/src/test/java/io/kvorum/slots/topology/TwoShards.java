package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.List;
import java.util.Objects;

/** A topology of two shards, which tests change. */
final class TwoShards {
    static final ShardId A = new ShardId("a");
    static final ShardId B = new ShardId("b");
    static final ShardId C = new ShardId("c");
    static final NodeId A1 = new NodeId("a1");
    static final NodeId A2 = new NodeId("a2");
    static final NodeId A3 = new NodeId("a3");
    static final NodeId B1 = new NodeId("b1");
    static final NodeId B2 = new NodeId("b2");

    static final ClusterTopology TWO_SHARDS = ClusterTopology.EMPTY.apply(
            0,
            List.of(
                    new AddShard(B, 1, B1, List.of(B2)),
                    new AddShard(A, 1, A1, List.of(A3, A2)),
                    new AssignSlots(SlotSet.ofRange(0, 99), A),
                    new AssignSlots(SlotSet.ofRange(100, 199), B)));

    private TwoShards() {}

    /** Applies a change that must succeed, and checks what every change promises. */
    static ClusterTopology changed(ClusterTopology topology, TopologyChange change) {
        ClusterTopology next = topology.apply(topology.version(), change);
        assertTrue(next.version() > topology.version(), change.toString());
        return next;
    }

    static Shard shard(ClusterTopology topology, ShardId id) {
        return Objects.requireNonNull(topology.shard(id));
    }

    static ShardId ownerOf5(ClusterTopology topology) {
        return Objects.requireNonNull(topology.shardOf(5)).id();
    }

    static void assertConflict(Kind kind, ClusterTopology topology, TopologyChange change) {
        assertEquals(kind, conflict(topology, change).kind(), change.toString());
    }

    static TopologyConflictException conflict(ClusterTopology topology, TopologyChange change) {
        return assertThrows(
                TopologyConflictException.class, () -> topology.apply(topology.version(), change), change.toString());
    }
}
