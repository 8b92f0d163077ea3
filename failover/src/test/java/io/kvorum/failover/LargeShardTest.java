package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A shard may have one node more than a member list. */
final class LargeShardTest {
    private static final ShardId SHARD = new ShardId("shard1");
    private static final NodeId ME = new NodeId("S1");
    private static final NodeId PRIMARY = new NodeId("z");

    private static NodeAnswer answer(Sentinel.AddressedCommand asked) {
        long epoch = asked.command() instanceof NodeCommand.Fence fence ? fence.epoch() : 0;
        NodeReport report = new NodeReport(
                asked.to(),
                SHARD,
                1,
                false,
                epoch,
                null,
                LogPosition.START,
                -1,
                false,
                false,
                null,
                LogPosition.START,
                List.of(),
                100);
        return new NodeAnswer(asked.command(), NodeAnswer.Outcome.DONE, report);
    }

    @Test
    void itIsBegunWithAsManyMembersAsTheListHas() {
        List<NodeId> replicas = IntStream.range(0, MemberList.MAX_SIZE)
                .mapToObj(i -> new NodeId("n" + (100 + i)))
                .toList();
        ClusterTopology topology =
                ClusterTopology.EMPTY.apply(0, new TopologyChange.AddShard(SHARD, 0, PRIMARY, replicas));
        SentinelSettings settings = SentinelSettings.defaults().withQuorum(1);
        Sentinel sentinel = new Sentinel(settings, ME, SentinelList.of(ME), topology, null, new SplittableRandom(1), 0);
        sentinel.start(1, new Operation.Bootstrap(SHARD), 1);
        NodeCommand.Begin begin = null;
        for (int now = 2; now < 4; now++) {
            for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
                sentinel.answered(answer(asked), now);
            }
        }
        for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
            begin = asked.command() instanceof NodeCommand.Begin command ? command : begin;
        }

        assertNotNull(begin);
        assertEquals(MemberList.MAX_SIZE, begin.members().size());
        assertNotNull(begin.members().member(PRIMARY));
        assertEquals(List.of(replicas.get(MemberList.MAX_SIZE - 1)), begin.joining());
    }
}
