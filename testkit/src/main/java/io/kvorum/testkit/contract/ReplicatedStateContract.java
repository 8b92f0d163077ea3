package io.kvorum.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** What every {@link ReplicatedState} does: its records are effects, and its snapshot with the records since is it. */
public abstract class ReplicatedStateContract {
    private static final int MANY = 1 << 16;

    /** For use by subclasses. */
    protected ReplicatedStateContract() {}

    /**
     * A record, as a primary appends it to the log.
     *
     * @param slot the slot that it is about
     * @param payload its payload
     */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    public record Change(int slot, byte[] payload) {}

    /** {@return a new state that holds nothing} */
    protected abstract ReplicatedState empty();

    /**
     * {@return records in the order of a log, always the same} At least ten, some of which change what others before
     * them have changed, and together leave something behind.
     */
    protected abstract List<Change> changes();

    /**
     * {@return something that is equal for states that hold the same, and differs for others} Such as a copy of all
     * that it holds, or a digest.
     *
     * @param state a state that {@link #empty} returned
     */
    protected abstract Object contents(ReplicatedState state);

    private ReplicatedState filled() {
        ReplicatedState state = empty();
        changes().forEach(change -> apply(change, state::apply));
        return state;
    }

    /** The payload is gone after the call, as it is when the log has moved on. */
    private static void apply(Change change, BiConsumer<Integer, ByteBuf> target) {
        byte[] borrowed = change.payload().clone();
        ByteBuf payload = Unpooled.wrappedBuffer(borrowed);
        target.accept(change.slot(), payload);
        assertEquals(1, payload.refCnt(), "a payload must neither be kept nor released");
        Arrays.fill(borrowed, (byte) 0xAA);
    }

    /** Copies what is left of a scan. */
    private static void copy(SnapshotScan scan, Restoration restoration, int maxBytes, int times) {
        while (copyPart(scan, restoration, maxBytes, times)) {}
    }

    private static boolean copyPart(SnapshotScan scan, Restoration restoration, int maxBytes, int times) {
        ByteBuf part = Unpooled.buffer();
        if (!scan.next(part, maxBytes)) {
            assertFalse(part.isReadable(), "the end of a scan must write nothing");
            return false;
        }
        for (int i = 0; i < times; i++) {
            ByteBuf entries = part.copy();
            restoration.load(entries);
            assertEquals(1, entries.refCnt(), "entries must neither be kept nor released");
            entries.setZero(0, entries.capacity());
        }
        return true;
    }

    @Test
    protected void recordsChangeWhatItHolds() {
        assertTrue(changes().size() >= 10, "the contract needs ten changes");
        assertEquals(contents(empty()), contents(empty()));
        assertNotEquals(contents(empty()), contents(filled()));
        assertEquals(contents(filled()), contents(filled()));
    }

    @Test
    protected void aRecordThatIsAppliedTwiceIsAppliedOnce() {
        ReplicatedState eachTwice = empty();
        for (Change change : changes()) {
            apply(change, eachTwice::apply);
            apply(change, eachTwice::apply);
        }
        assertEquals(contents(filled()), contents(eachTwice));
    }

    @Test
    protected void recordsThatAreAppliedAnewEndTheSame() {
        ReplicatedState again = filled();
        changes().forEach(change -> apply(change, again::apply));
        assertEquals(contents(filled()), contents(again));
    }

    @Test
    protected void aSnapshotIsTheWholeState() {
        for (int maxBytes : new int[] {1, 100, MANY}) {
            for (int times = 1; times <= 2; times++) {
                ReplicatedState target = empty();
                Restoration restoration = target.restore();
                try (SnapshotScan scan = filled().snapshot()) {
                    copy(scan, restoration, maxBytes, times);
                }
                restoration.complete();
                assertEquals(contents(filled()), contents(target));
            }
        }
    }

    @Test
    protected void aSnapshotOfNothingIsNothing() {
        ReplicatedState target = filled();
        Restoration restoration = target.restore();
        try (SnapshotScan scan = empty().snapshot()) {
            copy(scan, restoration, MANY, 1);
        }
        restoration.complete();
        assertEquals(contents(empty()), contents(target));
    }

    @Test
    protected void aScanThatHasEndedStaysAtItsEnd() {
        SnapshotScan scan = filled().snapshot();
        while (scan.next(Unpooled.buffer(), MANY)) {}
        assertFalse(scan.next(Unpooled.buffer(), MANY));
        scan.close();
        scan.close();
    }

    @Test
    protected void aScanAppendsToWhatIsThere() {
        ByteBuf first = Unpooled.buffer();
        ByteBuf second = Unpooled.buffer().writeLong(42);
        try (SnapshotScan scan = filled().snapshot();
                SnapshotScan other = filled().snapshot()) {
            assertTrue(scan.next(first, MANY));
            assertTrue(other.next(second, MANY));
        }
        assertEquals(42, second.readLong());
        assertTrue(second.isReadable());
    }

    /** A record is applied at the source and goes to the target between any two parts of the scan. */
    @Test
    protected void aSnapshotAndTheRecordsSinceAreTheStateNow() {
        List<Change> changes = changes();
        for (int before = 0; before <= changes.size(); before++) {
            ReplicatedState source = empty();
            ReplicatedState target = empty();
            changes.subList(0, before).forEach(change -> apply(change, source::apply));
            Restoration restoration = target.restore();
            try (SnapshotScan scan = source.snapshot()) {
                boolean more = true;
                for (Change change : changes.subList(before, changes.size())) {
                    apply(change, source::apply);
                    apply(change, restoration::apply); // records go before entries
                    more = more && copyPart(scan, restoration, 1, 1);
                }
                copy(scan, restoration, 1, 1);
            }
            restoration.complete();
            assertEquals(contents(source), contents(target));
            assertEquals(contents(filled()), contents(target));
        }
    }

    @Test
    protected void theOldStateStaysUntilItsReplacementIsComplete() {
        ReplicatedState target = filled();
        Restoration restoration = target.restore();
        apply(changes().get(0), restoration::apply);
        try (SnapshotScan scan = empty().snapshot()) {
            copy(scan, restoration, MANY, 1);
        }
        assertEquals(contents(filled()), contents(target));
        restoration.complete();
        ReplicatedState expected = empty();
        apply(changes().get(0), expected::apply);
        assertEquals(contents(expected), contents(target));
    }

    @Test
    protected void aReplacementThatIsGivenUpLeavesTheOldState() {
        ReplicatedState target = filled();
        Restoration given = target.restore();
        try (SnapshotScan scan = filled().snapshot()) {
            copyPart(scan, given, 1, 1);
        }
        given.abort();
        assertEquals(contents(filled()), contents(target));
        Restoration next = target.restore();
        next.complete();
        assertEquals(contents(empty()), contents(target));
        changes().forEach(change -> apply(change, target::apply));
        assertEquals(contents(filled()), contents(target));
    }
}
