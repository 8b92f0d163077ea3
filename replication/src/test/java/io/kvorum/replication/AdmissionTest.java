package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/** Writers that wait for room, in virtual time. A log of 1,024 bytes admits writers up to 768 held bytes. */
final class AdmissionTest {
    private static final int CAPACITY = 1 << 10;
    private static final int SLOT = 7;
    private static final long MILLI = 1_000_000;
    private static final NodeId NODE = new NodeId("a");
    private static final ShardId SHARD = new ShardId("s");
    private static final Refusal FENCED = new Refusal(Kind.FENCED, null, SHARD, NODE, null, 2);

    /** Time that passes only while somebody is parked. */
    private static final class VirtualParking implements Parking {
        long now;
        int parked;
        IntConsumer whileParked = times -> {};

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public void park(Object blocker, long nanos) {
            now += nanos;
            whileParked.accept(++parked);
        }

        @Override
        public void unpark(Thread thread) {}
    }

    private final VirtualParking parking = new VirtualParking();
    private final MachineLog log = new MemoryLog(CAPACITY, parking);
    private final LogCursor cursor = opened(log);

    private static LogCursor opened(MachineLog log) {
        log.refuse(new Refusal(Kind.READ_ONLY, null, SHARD, NODE, null, 0));
        log.begin(1, null, null);
        return log.openCursor(16);
    }

    /** Appends records of 100 bytes. */
    private static void append(MachineLog log, int count) {
        for (int i = 0; i < count; i++) {
            log.append(SLOT, bytes(92));
        }
    }

    private static ByteBuf bytes(int length) {
        return Unpooled.wrappedBuffer(new byte[length]);
    }

    private RefusedException refused(long timeoutNanos) {
        return assertThrows(RefusedException.class, () -> log.awaitRoom(SLOT, timeoutNanos));
    }

    @Test
    void nobodyWaitsWhereNothingIsHeld() {
        cursor.letGo();
        for (int i = 0; i < 50; i++) {
            log.awaitRoom(SLOT, 0);
            append(log, 1);
        }

        assertEquals(0, parking.parked);
    }

    @Test
    void writersAreAdmittedUpToTheReserve() {
        append(log, 7);
        log.append(SLOT, bytes(60)); // 768 bytes held
        log.awaitRoom(SLOT, 0);

        log.append(SLOT, bytes(0));
        refused(0);
    }

    @Test
    void theWaitIsBoundedAndTheRefusalSaysWhy() {
        append(log, 8);

        RefusedException refused = refused(25 * MILLI);

        assertEquals(25 * MILLI, parking.now);
        assertEquals(Kind.OVERLOADED, refused.kind());
        assertEquals(SLOT, refused.slot());
        assertEquals(SHARD, refused.shard());
        assertEquals(NODE, refused.node());
        assertEquals(1, refused.epoch());
        assertEquals(816, log.end().offset());
        assertTrue(log.isWritable());
    }

    @Test
    void anAcknowledgementEndsTheWait() {
        append(log, 8);
        parking.whileParked = times -> {
            if (times == 3) {
                cursor.advanceTo(116);
            }
        };

        log.awaitRoom(SLOT, 1000 * MILLI);

        assertEquals(3, parking.parked);
    }

    @Test
    void anAcknowledgementThatLeavesTooMuchHeldDoesNot() {
        log.append(SLOT, bytes(8));
        append(log, 8);
        parking.whileParked = times -> cursor.advanceTo(32);

        refused(25 * MILLI);
    }

    @Test
    void aCursorThatLetsGoEndsTheWait() {
        append(log, 8);
        parking.whileParked = times -> cursor.letGo();

        log.awaitRoom(SLOT, 1000 * MILLI);

        assertEquals(1, parking.parked);
    }

    @Test
    void aCursorThatIsClosedEndsTheWait() {
        append(log, 8);
        parking.whileParked = times -> cursor.close();

        log.awaitRoom(SLOT, 1000 * MILLI);

        assertEquals(1, parking.parked);
    }

    @Test
    void theSlowestCursorDecides() {
        LogCursor slower = log.openCursor(16);
        append(log, 8);
        parking.whileParked = times -> {
            if (times == 1) {
                cursor.close();
            } else {
                slower.advanceTo(516);
            }
        };

        log.awaitRoom(SLOT, 1000 * MILLI);

        assertEquals(2, parking.parked);
    }

    @Test
    void aClosedGateEndsTheWaitAndTheAppendSaysWhy() {
        append(log, 8);
        parking.whileParked = times -> log.refuse(FENCED);

        log.awaitRoom(SLOT, 1000 * MILLI);
        log.awaitRoom(SLOT, 1000 * MILLI);

        assertEquals(1, parking.parked);
        assertEquals(
                Kind.FENCED,
                assertThrows(RefusedException.class, () -> append(log, 1)).kind());
    }

    @Test
    void aClosedLogEndsTheWait() {
        append(log, 8);
        parking.whileParked = times -> log.close();

        log.awaitRoom(SLOT, 1000 * MILLI);

        assertThrows(IllegalStateException.class, () -> append(log, 1));
    }

    @Test
    void anInterruptEndsTheWaitAndChangesNothing() {
        append(log, 8);
        parking.whileParked = times -> Thread.currentThread().interrupt();

        assertThrows(CancellationException.class, () -> log.awaitRoom(SLOT, 1000 * MILLI));

        assertTrue(Thread.interrupted());
        assertEquals(816, log.end().offset());
        cursor.advanceTo(816);
        log.awaitRoom(SLOT, 0); // it left no place in the queue
    }

    /** Threads that stay parked until they are admitted. */
    private static final class StrictParking implements Parking {
        final Semaphore parked = new Semaphore(0);
        final List<String> admitted = new ArrayList<>(); // by the thread of the test
        private final ConcurrentHashMap<Thread, Semaphore> permits = new ConcurrentHashMap<>();

        private Semaphore permit(Thread thread) {
            return permits.computeIfAbsent(thread, t -> new Semaphore(0));
        }

        @Override
        public long nanoTime() {
            return 0;
        }

        @Override
        public void park(Object blocker, long nanos) {
            parked.release();
            permit(Thread.currentThread()).acquireUninterruptibly();
        }

        @Override
        public void unpark(Thread thread) {
            admitted.add(thread.getName());
            permit(thread).release();
        }
    }

    @Test
    void writersAreAdmittedInOrderAndNoMoreThanThereIsRoomFor() throws Exception {
        StrictParking threads = new StrictParking();
        MachineLog shared = new MemoryLog(1 << 12, threads); // up to 3,072 held bytes
        LogCursor slow = opened(shared);
        append(shared, 31);
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Thread writer = new Thread(() -> shared.awaitRoom(SLOT, 1), "w" + i);
            writers.add(writer);
            writer.start();
            threads.parked.acquire();
        }

        slow.advanceTo(216); // 2,900 bytes held
        assertEquals(List.of("w0", "w1"), threads.admitted);
        assertThrows(RefusedException.class, () -> shared.awaitRoom(SLOT, 0)); // newcomers queue up

        slow.advanceTo(1016);
        assertEquals(List.of("w0", "w1", "w2", "w3", "w4"), threads.admitted);
        for (Thread writer : writers) {
            writer.join();
        }
        shared.awaitRoom(SLOT, 0);
    }
}
