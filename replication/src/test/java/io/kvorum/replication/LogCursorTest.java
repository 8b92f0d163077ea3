package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a cursor holds is never dropped. Records are of 100 bytes, in a log of 1,024. */
final class LogCursorTest {
    private final MachineLog log = (MachineLog) ReplicationLog.inMemory(1 << 10);

    LogCursorTest() {
        log.begin(1, null, null);
    }

    private void append(int count) {
        for (int i = 0; i < count; i++) {
            log.append(0, Unpooled.wrappedBuffer(new byte[92]));
        }
    }

    private void isOverloaded(Runnable action) {
        LogPosition end = log.end();
        long first = log.firstOffset();
        assertEquals(
                Kind.OVERLOADED,
                assertThrows(RefusedException.class, action::run).kind());
        assertEquals(end, log.end());
        assertEquals(first, log.firstOffset());
    }

    @Test
    void heldRecordsAreNotDropped() {
        LogCursor cursor = log.openCursor(16);
        append(10);

        isOverloaded(() -> append(1));
        assertTrue(cursor.isHolding());
        assertEquals(1000, cursor.read(Unpooled.buffer(), 2000));
        assertEquals(1016, cursor.position());
        log.append(0, Unpooled.wrappedBuffer(new byte[16])); // in place of the BEGIN record and of what was free
        assertEquals(16, log.firstOffset());
        isOverloaded(() -> log.append(0, Unpooled.EMPTY_BUFFER));
    }

    @Test
    void recordsAreReleasedByAcknowledgementNotByReading() {
        LogCursor cursor = log.openCursor(16);
        append(10);
        cursor.read(Unpooled.buffer(), 2000);
        isOverloaded(() -> append(1));

        cursor.advanceTo(116);
        append(1);
        isOverloaded(() -> append(1));

        cursor.advanceTo(16); // never goes back
        isOverloaded(() -> append(1));
    }

    @Test
    void whatIsHeldCanBeReadAgain() {
        LogCursor cursor = log.openCursor(16);
        append(3);
        cursor.advanceTo(116);
        cursor.read(Unpooled.buffer(), 2000);

        assertEquals(200, log.read(116, Unpooled.buffer(), 2000));
        assertEquals(0, cursor.read(Unpooled.buffer(), 2000));
    }

    @Test
    void theSlowestCursorHolds() {
        LogCursor slow = log.openCursor(16);
        LogCursor fast = log.openCursor(16);
        append(10);
        fast.advanceTo(1016);
        isOverloaded(() -> append(1));

        slow.close();
        append(10);
        assertEquals(1016, log.firstOffset());
    }

    @Test
    void controlRecordsAndBatchesAreRefusedLikewise() {
        log.openCursor(16);
        append(10);
        log.append(0, Unpooled.wrappedBuffer(new byte[8]));

        isOverloaded(() -> log.begin(2, null, null));
        isOverloaded(() -> log.appendMembers(new Roster(MemberList.of(new Member(new NodeId("a"), 1)), List.of())));
        isOverloaded(() -> log.take(batch(1)));
        isOverloaded(() -> log.take(batch(20)));
        assertEquals("1@0", log.history().toString());
        assertEquals(LogMembers.NONE, log.members());
    }

    private static ByteBuf batch(int records) {
        ByteBuf batch = Unpooled.buffer();
        for (int i = 0; i < records; i++) {
            batch.writeInt(92).writeInt(0).writeZero(92);
        }
        return batch;
    }

    @Test
    void aCursorThatLetGoReadsOnWhileItKeepsUp() {
        LogCursor cursor = log.openCursor(16);
        append(10);
        cursor.letGo();
        assertFalse(cursor.isHolding());
        assertEquals(100, cursor.read(Unpooled.buffer(), 1));

        append(1);
        assertEquals(1000, cursor.read(Unpooled.buffer(), 2000));
        append(11);
        assertEquals(-1, cursor.read(Unpooled.buffer(), 2000));
        assertEquals(1116, cursor.position());
    }

    @Test
    void aCursorOfADroppedRecordHoldsNothing() {
        append(20);
        LogCursor cursor = log.openCursor(16);

        assertFalse(cursor.isHolding());
        assertEquals(-1, cursor.read(Unpooled.buffer(), 2000));
        assertThrows(IllegalArgumentException.class, () -> log.openCursor(2017));
    }

    @Test
    void aResetLosesTheRecordsOfAllCursors() {
        LogCursor cursor = log.openCursor(16);
        append(2);
        log.reset(new LogPosition(1, 100), LogHistory.EMPTY.with(1, 0), LogMembers.NONE);

        assertFalse(cursor.isHolding());
        assertEquals(-1, cursor.read(Unpooled.buffer(), 2000));
        assertEquals(0, log.openCursor(100).read(Unpooled.buffer(), 2000));
    }

    @Test
    void aClosedCursorReadsNoMore() {
        LogCursor cursor = log.openCursor(16);
        cursor.close();
        cursor.close();

        assertThrows(IllegalStateException.class, () -> cursor.read(Unpooled.buffer(), 1));
    }
}
