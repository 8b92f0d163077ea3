package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.UnpooledByteBufAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** For whom the log is held while they take a full sync, and for whom it is not. */
final class SharedScanTest {
    private static final int CAPACITY = 1 << 10;
    private static final int WINDOW = 4;
    private static final long TIMEOUT = 500;

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final MachineLog log = (MachineLog) ReplicationLog.inMemory(CAPACITY);
    private final MapState state = new MapState();
    private SharedScan scan = begin(true);

    private SharedScan begin(boolean trusting) {
        for (int i = 0; i < 100; i++) {
            state.map.put("key" + i, "value");
        }
        if (log.end().epoch() == 0) {
            log.begin(1, null, null);
        }
        return SharedScan.begin(1, log, state, allocator, 64, WINDOW, true, trusting);
    }

    @AfterEach
    void nothingIsLeftOpen() {
        scan.close();
        log.close();
        assertEquals(0, state.openScans);
        assertEquals(0, allocator.metric().usedHeapMemory());
    }

    private void send(SharedScan.Share share, int parts) {
        for (int i = 0; i < parts; i++) {
            assertTrue(scan.part(share.sent()) != null);
            share.sentOne();
        }
    }

    private boolean isHeld() {
        try {
            for (int i = 0; i < 2 * CAPACITY; i += 64) {
                state.write(log, "key", "x".repeat(48));
            }
            return false;
        } catch (RefusedException e) {
            assertEquals(RefusedException.Kind.OVERLOADED, e.kind());
            return true;
        }
    }

    @Test
    void aReplicaThatWaitsForAnotherKeepsTheHold() {
        SharedScan.Share one = scan.join(0, TIMEOUT);
        SharedScan.Share slow = scan.join(0, TIMEOUT);
        send(one, WINDOW);
        send(slow, WINDOW);
        assertTrue(scan.acknowledged(one, WINDOW, 10));
        scan.holdWhileTaken(10 + TIMEOUT, TIMEOUT);
        assertTrue(isHeld());

        scan.leave(slow);
        send(one, WINDOW); // and goes on without a gap
        scan.leave(one);
    }

    @Test
    void aReplicaThatTakesNothingInTimeDoesNotHoldTheLog() {
        SharedScan.Share slow = scan.join(0, TIMEOUT);
        send(slow, WINDOW);
        scan.holdWhileTaken(TIMEOUT - 1, TIMEOUT);
        assertTrue(isHeld());
        scan.holdWhileTaken(TIMEOUT, TIMEOUT);
        assertFalse(isHeld());
        scan.leave(slow);
    }

    /** A part may take a replica longer than others; the records behind it must still be there afterwards. */
    @Test
    void theLogIsHeldForAsLongAsTheFeederWaits() {
        SharedScan.Share slow = scan.join(0, 4 * TIMEOUT);
        send(slow, WINDOW);
        assertTrue(scan.acknowledged(slow, 1, 0));
        scan.holdWhileTaken(4 * TIMEOUT - 1, TIMEOUT);
        assertTrue(isHeld());
        scan.holdWhileTaken(4 * TIMEOUT, TIMEOUT);
        assertFalse(isHeld());
        scan.leave(slow);
    }

    @Test
    void oneThatFailedBeforeHoldsTheLogOnlyOnceItTakesAPart() {
        scan.close();
        scan = begin(false);
        SharedScan.Share share = scan.join(0, TIMEOUT);
        send(share, 1);
        scan.holdWhileTaken(0, TIMEOUT);
        assertFalse(isHeld());

        scan.close();
        scan = begin(false);
        SharedScan.Share again = scan.join(0, TIMEOUT);
        send(again, 1);
        assertTrue(scan.acknowledged(again, 1, 0));
        scan.holdWhileTaken(0, TIMEOUT);
        assertTrue(isHeld());
    }
}
