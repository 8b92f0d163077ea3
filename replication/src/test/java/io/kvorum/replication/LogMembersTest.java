package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LogMembersTest {
    private static final MemberList ONE = MemberList.of(new Member(new NodeId("a"), 1));
    private static final MemberList TWO = ONE.with(new Member(new NodeId("b"), 2));

    private final MachineLog log = (MachineLog) ReplicationLog.inMemory(1 << 10);

    @Test
    void aLogWithoutAListHasNoMembership() {
        assertEquals(LogMembers.NONE, log.members());
        assertNull(log.members().membership(0));
    }

    @Test
    void theListBeforeCountsUntilTheNewOneIsCommitted() {
        log.begin(1, null, null);
        long first = log.appendMembers(new Roster(ONE, List.of()));
        long second = log.appendMembers(new Roster(TWO, List.of()));

        assertEquals(new LogMembers(TWO, new LogPosition(1, second), ONE, List.of()), log.members());
        assertEquals(new Membership(TWO, ONE), log.members().membership(first));
        assertEquals(new Membership(TWO, ONE), log.members().membership(second - 1));
        assertEquals(Membership.committed(TWO), log.members().membership(second));
    }

    @Test
    void aReplicaLearnsTheListsFromTheRecords() {
        log.begin(1, null, null);
        log.appendMembers(new Roster(ONE, List.of()));
        log.append(1, Unpooled.wrappedBuffer(new byte[5]));
        log.appendMembers(new Roster(TWO, List.of()));
        log.append(1, Unpooled.wrappedBuffer(new byte[5]));
        ByteBuf records = Unpooled.buffer();
        log.read(0, records, 1000);
        MachineLog replica = (MachineLog) ReplicationLog.inMemory(1 << 10);
        replica.take(records);

        assertEquals(log.members(), replica.members());
        assertEquals(log.snapshot().end(), replica.snapshot().end());
    }

    /** Whoever takes the record has the new list alone: no list of the history before counts beside it. */
    @Test
    void aRecordThatBeginsTheShardLeavesNoListBeforeIt() {
        log.begin(1, null, null);
        log.appendMembers(new Roster(TWO, List.of()));
        long end = log.begin(2, new Roster(ONE, List.of(new NodeId("z"))), null);
        MachineLog replica = (MachineLog) ReplicationLog.inMemory(1 << 12);
        ByteBuf records = Unpooled.buffer();
        log.read(0, records, 1 << 12);
        replica.take(records);

        assertEquals(new LogMembers(ONE, new LogPosition(2, end), null, List.of(new NodeId("z"))), log.members());
        assertEquals(log.members(), replica.members());
    }

    @Test
    void aFullSyncBringsTheListsOfThePrimary() {
        LogMembers members = new LogMembers(TWO, new LogPosition(3, 90), ONE, List.of(new NodeId("z")));
        log.reset(new LogPosition(3, 100), LogHistory.EMPTY.with(3, 10), members);

        assertEquals(members, log.members());
        assertEquals(members, log.snapshot().members());
    }

    @Test
    void aListThatIsTooLongForTheLogIsRefused() {
        log.begin(1, null, null);
        Member[] many = new Member[64];
        for (int i = 0; i < many.length; i++) {
            many[i] = new Member(new NodeId("node" + i), 1);
        }

        assertThrows(
                IllegalArgumentException.class, () -> log.appendMembers(new Roster(MemberList.of(many), List.of())));
        assertEquals(16, log.end().offset());
    }

    @Test
    void thePartsMustFit() {
        assertThrows(
                IllegalArgumentException.class, () -> new LogMembers(null, new LogPosition(1, 1), null, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new LogMembers(null, LogPosition.START, ONE, List.of()));
    }
}
