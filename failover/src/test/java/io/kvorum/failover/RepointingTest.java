package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class RepointingTest {
    private static final ShardId SHARD = new ShardId("shard1");
    private static final NodeId ME = new NodeId("S1");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");
    private static final long EPOCH = Epoch.of(1, 1);
    private static final ShardPrimary PRIMARY = new ShardPrimary(SHARD, 1, EPOCH, A);

    private final ShardContext context = new ShardContext(
            SHARD,
            1,
            SentinelList.of(ME),
            SentinelSettings.defaults(),
            new Outbox(ME, List.of()),
            new SplittableRandom(1));
    private final Watch watch = new Watch(context, List.of(A, B, C), 0);
    private final Repointing repointing = new Repointing(context, watch, 0);

    private void report(NodeId node, @Nullable NodeId following, long listAt, NodeId... members) {
        MemberList list = new MemberList(
                Arrays.stream(members).map(member -> new Member(member, 1)).toList());
        NodeReport report = new NodeReport(
                node,
                SHARD,
                1,
                node.equals(A),
                EPOCH,
                following,
                new LogPosition(EPOCH, listAt),
                listAt,
                true,
                true,
                Membership.committed(list),
                new LogPosition(EPOCH, listAt),
                List.of(),
                100);
        watch.heard(new NodeAnswer(new NodeCommand.Describe(SHARD, 0), NodeAnswer.Outcome.DONE, report), PRIMARY, 1);
    }

    /** One that is no longer watched will never be seen to follow. */
    @Test
    void aNodeThatLeavesTheShardIsNotWaitedFor() {
        report(A, null, 100, A, B, C);
        report(B, A, 100, A, B, C);
        report(C, null, 100, A, B, C);
        repointing.advance(PRIMARY, 1);
        assertFalse(repointing.isDone());

        report(A, null, 200, A, B);
        watch.keepOnly(List.of(A, B), A);
        repointing.advance(PRIMARY, 2);
        assertTrue(repointing.isDone());
    }
}
