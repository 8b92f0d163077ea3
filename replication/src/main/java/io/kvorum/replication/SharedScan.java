package io.kvorum.replication;

import io.kvorum.replication.ReplicationEvent.Reason;
import io.kvorum.replication.ReplicationMessage.SyncEnd;
import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One scan of the primary's state and the log since it began, cut into the parts of a full sync, for all replicas that
 * began it together. Each part is cut once.
 *
 * <p>Each part carries the records since the part before it and then entries of the scan. The log must so retain only
 * what was not cut yet, however long the scan takes. An entry may be newer than the records sent before it; the records
 * that follow bring the replica to the same again. It is complete once it has all records that were there when the scan
 * ended.
 *
 * <p>A part is kept until all replicas that share the scan have it, and no more than a window of parts is kept: the
 * slowest one sets the pace, until its feeder takes it out.
 */
final class SharedScan implements AutoCloseable {
    /** A part, without what differs between the replicas. */
    record Part(int number, LogPosition start, @Nullable SyncEnd end, ByteBuf records, ByteBuf entries) {
        private void release() {
            records.release();
            entries.release();
        }
    }

    /** How far one replica has come. */
    static final class Share {
        private int acknowledged;
        private int sent;

        /** When the replica last had one more part than before, or had all that there were, or joined. */
        private long progressAt;

        /** How long its feeder waits for it, at most. */
        private final long patience;

        private Share(long now, long patience) {
            this.progressAt = now;
            this.patience = patience;
        }

        /** {@return how many parts the replica has} */
        int acknowledged() {
            return acknowledged;
        }

        /** {@return how many parts were sent to it} */
        int sent() {
            return sent;
        }

        /** Notes that one more part was sent. */
        void sentOne() {
            sent++;
        }
    }

    private final long number;
    private final MachineLog log;
    private final ByteBufAllocator allocator;
    private final SnapshotScan scan;
    private final int partBytes;
    private final int window;

    /** Whether the log is to be held for replicas that take parts. */
    private final boolean holding;

    /** Whether it is to be held for replicas that have not taken a part yet, too. */
    private final boolean trusting;

    private LogCursor cursor;
    private final long firstOffset;
    private final List<Share> shares = new ArrayList<>();

    /** The parts that not everybody has, in order. */
    private final List<Part> parts = new ArrayList<>();

    /** The number of the first part that is kept. */
    private int firstPart;

    private LogPosition position;

    /** What is left to do. */
    private Progress progress = new Scanning();

    private sealed interface Progress permits Scanning, Finishing, Ended, Failed {}

    /** The scan has entries left. */
    private record Scanning() implements Progress {}

    /** The scan is over; the records up to an offset are left. */
    private record Finishing(long completeAt) implements Progress {}

    /** All parts are cut. */
    private record Ended() implements Progress {}

    /** No more parts can be cut. */
    private record Failed(Reason reason) implements Progress {}

    private SharedScan(
            long number,
            MachineLog log,
            LogPosition position,
            LogCursor cursor,
            SnapshotScan scan,
            ByteBufAllocator allocator,
            int partBytes,
            int window,
            boolean holding,
            boolean trusting) {
        this.holding = holding;
        this.trusting = trusting;
        this.number = number;
        this.log = log;
        this.position = position;
        this.firstOffset = position.offset();
        this.cursor = cursor;
        this.scan = scan;
        this.allocator = allocator;
        this.partBytes = partBytes;
        this.window = window;
    }

    /**
     * Begins a scan at the end of the log.
     *
     * @param holding whether the log is to retain what was not cut yet, as long as a replica takes parts
     * @param trusting whether the log is to retain it from the beginning, before a replica has taken one
     */
    static SharedScan begin(
            long number,
            MachineLog log,
            ReplicatedState state,
            ByteBufAllocator allocator,
            int partBytes,
            int window,
            boolean holding,
            boolean trusting) {
        LogPosition position = log.end();
        LogCursor cursor = log.openCursor(position.offset());
        try {
            if (!holding || !trusting) {
                cursor.letGo();
            }
            return new SharedScan(
                    number, log, position, cursor, state.snapshot(), allocator, partBytes, window, holding, trusting);
        } catch (RuntimeException | Error e) {
            cursor.close();
            throw e;
        }
    }

    /** {@return the number of the full sync} */
    long number() {
        return number;
    }

    /** {@return where the log was when the scan began: a node with this much of it needs the full sync no more} */
    long firstOffset() {
        return firstOffset;
    }

    /** {@return why no more parts can be cut, or null if they can} */
    @Nullable
    Reason failure() {
        return progress instanceof Failed failed ? failed.reason : null;
    }

    /** {@return whether a replica can still be taken in: all parts so far are there} */
    boolean isOpen() {
        return firstPart == 0 && !(progress instanceof Failed);
    }

    Share join(long now, long patience) {
        if (!isOpen()) {
            throw new AssertionError("a replica joins a scan that is not open");
        }
        Share share = new Share(now, patience);
        shares.add(share);
        return share;
    }

    void leave(Share share) {
        shares.remove(share);
        dropParts();
    }

    boolean isAbandoned() {
        return shares.isEmpty();
    }

    /** {@return whether several replicas are in it, so that one can keep others waiting} */
    boolean isShared() {
        return shares.size() > 1;
    }

    /** Notes which part a replica waits for. Returns whether it has more than before. */
    boolean acknowledged(Share share, int waitsFor, long now) {
        if (waitsFor <= share.acknowledged || waitsFor > share.sent) {
            return false;
        }
        share.acknowledged = waitsFor;
        share.progressAt = now;
        dropParts();
        return true;
    }

    /**
     * Has the log retain what was not cut yet for as long as a replica is on its way: it has all parts that there are,
     * and may wait for others, or its feeder still waits for it to take one more. So the hold ends with the patience of
     * the feeders, and not before: what they wait for must not be gone by then. One that has not taken a part yet holds
     * the log for the timeout alone; if it has failed before, not at all.
     */
    void holdWhileTaken(long now, long timeout) {
        boolean wanted = false;
        for (Share share : shares) {
            if (share.acknowledged > 0 && share.acknowledged == share.sent) {
                share.progressAt = now;
            }
            long limit = share.acknowledged > 0 ? share.patience : trusting ? timeout : 0;
            wanted |= now - share.progressAt < limit;
        }
        if (!wanted || !holding) {
            cursor.letGo();
        } else if (!cursor.isHolding()) {
            cursor.close();
            cursor = log.openCursor(position.offset());
        }
    }

    private void dropParts() {
        int needed = firstPart + parts.size();
        for (Share share : shares) {
            needed = Math.min(needed, share.acknowledged);
        }
        while (firstPart < needed) {
            parts.remove(0).release();
            firstPart++;
        }
    }

    /** {@return a part, cut now if it is the next one; null if it is not there yet or never will be} */
    @Nullable
    Part part(int wanted) {
        if (wanted == firstPart + parts.size()) {
            if (parts.size() >= window || progress instanceof Ended || progress instanceof Failed) {
                return null;
            }
            cut();
        }
        int index = wanted - firstPart;
        return index < parts.size() ? parts.get(index) : null;
    }

    private void cut() {
        ByteBuf records = allocator.buffer();
        try {
            ByteBuf entries = allocator.buffer();
            try {
                cut(records, entries);
            } finally {
                entries.release();
            }
        } finally {
            records.release();
        }
    }

    private void cut(ByteBuf records, ByteBuf entries) {
        int read = cursor.read(records, partBytes);
        if (read < 0) {
            progress = new Failed(Reason.TOO_FAR_BEHIND);
            return;
        }
        cursor.advanceTo(cursor.position());
        LogPosition start = position;
        position = read == 0 ? position : new LogPosition(position.epoch(), position.offset() + read);
        if (progress instanceof Scanning && !scanNext(entries)) {
            if (progress instanceof Failed) {
                return;
            }
            progress = new Finishing(log.end().offset());
        }
        SyncEnd end = end();
        parts.add(new Part(firstPart + parts.size(), start, end, records.retain(), entries.retain()));
    }

    private boolean scanNext(ByteBuf entries) {
        try {
            return scan.next(entries, partBytes);
        } catch (RuntimeException | Error e) {
            progress = new Failed(Reason.SCAN_FAILED);
            return false;
        }
    }

    /** {@return what goes with the last part, if the part that is cut now can be that} */
    private @Nullable SyncEnd end() {
        if (!(progress instanceof Finishing finishing) || position.offset() < finishing.completeAt) {
            return null;
        }
        MachineLog.Snapshot view = log.snapshot();
        if (view.members().at().offset() > position.offset()) { // lists are told as of the end: go on behind them
            progress = new Finishing(view.members().at().offset());
            return null;
        }
        progress = new Ended();
        return new SyncEnd(view.history(), view.members());
    }

    @Override
    public void close() {
        cursor.close();
        parts.forEach(Part::release);
        parts.clear();
        scan.close();
    }
}
