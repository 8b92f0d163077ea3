package io.kvorum.replication;

import io.netty.buffer.ByteBuf;

/** A log with an open gate and one reader that holds what it has not read yet: what only the node itself can set up. */
public final class BenchmarkLog implements AutoCloseable {
    private static final long TIMEOUT_NANOS = 10_000_000_000L;

    private final MachineLog log;
    private final LogCursor cursor;

    /**
     * Creates the log.
     *
     * @param capacity the most bytes retained
     */
    public BenchmarkLog(int capacity) {
        log = (MachineLog) ReplicationLog.inMemory(capacity);
        cursor = log.openCursor(log.begin(1, null, null));
    }

    /** Appends one record, as a writer does: admission first. */
    public void append(int slot, ByteBuf payload) {
        log.awaitRoom(slot, TIMEOUT_NANOS);
        log.append(slot, payload);
    }

    /** Copies the records that are there, up to so many bytes, and lets go of them; returns the bytes copied. */
    public int drain(ByteBuf target, int maxBytes) {
        int length = cursor.read(target, maxBytes);
        cursor.advanceTo(cursor.position());
        return length;
    }

    @Override
    public void close() {
        log.close();
    }
}
