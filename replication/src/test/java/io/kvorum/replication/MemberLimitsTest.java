package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A member list that is too long is refused before anything has changed. */
final class MemberLimitsTest {
    private static final long EPOCH = Epoch.of(1, 1);
    private static final NodeId SENTINEL = new NodeId("S1");
    private static final Member ME = new Member(A, 1);

    private final ReplicationLog log = ReplicationLog.inMemory(ReplicationLog.MIN_CAPACITY);
    private final ShardNode node = new ShardNode(
            TestShard.SETTINGS,
            new NodeIdentity(TestShard.SHARD, A),
            log,
            new MapState(),
            UnpooledByteBufAllocator.DEFAULT,
            new Promise(1, 1, 0, null, false),
            false,
            0);

    /** An id of the greatest length. */
    private static NodeId id(int number) {
        return new NodeId("n".repeat(61) + (100 + number));
    }

    private static MemberList members(int others) {
        return new MemberList(Stream.concat(
                        Stream.of(ME), IntStream.range(0, others).mapToObj(i -> new Member(id(i), 1)))
                .toList());
    }

    @Test
    void aShardIsNotBegunWithAListThatItsLogCannotHold() {
        node.fence(EPOCH, SENTINEL);
        assertThrows(
                IllegalArgumentException.class, () -> node.begin(EPOCH, SENTINEL, members(7), List.of(), false, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> node.begin(EPOCH, SENTINEL, members(3), List.of(id(4), id(5), id(6), id(7)), true, 0));

        assertFalse(node.status().begun());
        assertEquals(
                ControlAnswer.Outcome.DONE,
                node.begin(EPOCH, SENTINEL, members(5), List.of(), false, 0).outcome());
    }

    @Test
    void aReplacementWhoseListTheLogCannotHoldIsRefused() {
        MemberList seven = new MemberList(
                Stream.concat(members(6).members().stream(), Stream.of(new Member(new NodeId("short"), 1)))
                        .toList());
        node.fence(EPOCH, SENTINEL);
        node.begin(EPOCH, SENTINEL, seven, List.of(), false, 0);
        assertThrows(IllegalArgumentException.class, () -> node.replace(EPOCH, new NodeId("short"), id(9)));

        assertEquals(
                ControlAnswer.Outcome.DONE,
                node.replace(EPOCH, new NodeId("short"), new NodeId("small")).outcome());
    }

    @Test
    void aFullListTakesNobodyInForANodeThatWasToJoin() {
        MemberList full = members(MemberList.MAX_SIZE - 1);
        Roster roster = new Roster(full, List.of(id(200)));

        assertNull(roster.takingIn(new Member(id(300), 1), new Replacement(id(200), id(300), 0)));
    }
}
