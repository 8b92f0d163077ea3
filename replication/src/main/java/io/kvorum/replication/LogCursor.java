package io.kvorum.replication;

import io.netty.buffer.ByteBuf;

/**
 * A reader of a log that holds the records it still needs.
 *
 * <p>A cursor has a position, the offset of the next record to read, and a hold: records from the hold on are not
 * dropped. The hold follows the acknowledgements, so that what was read can be read again. Once the cursor has let go,
 * the log may drop records that it has not read; it then stays behind for good.
 *
 * <p>Confined to one thread, beside any number of writers of the log.
 */
final class LogCursor implements AutoCloseable {
    private final MachineLog log;
    private long position;

    // written under the log's lock
    private long hold; // Long.MAX_VALUE for none
    private boolean lost;

    private boolean closed;

    LogCursor(MachineLog log, long from, boolean lost) {
        this.log = log;
        this.position = from;
        this.hold = lost ? Long.MAX_VALUE : from;
        this.lost = lost;
    }

    /** {@return the offset of the next record to read} */
    long position() {
        return position;
    }

    /**
     * Copies whole records from the position on and moves the position behind them. Takes no lock.
     *
     * @param target receives the records; borrowed, its writer index moves
     * @param maxBytes where to stop; at least one record is copied if there is one, whatever its size
     * @return the number of bytes copied, 0 at the end of the log, or -1 if the next record was dropped
     * @throws IllegalStateException if the cursor or the log is closed
     */
    int read(ByteBuf target, int maxBytes) {
        requireOpen();
        if (lost) {
            return -1;
        }
        int length = log.read(position, target, maxBytes);
        if (length > 0) {
            position += length;
        }
        return length;
    }

    /** Releases the records before an offset, and lets writers that wait for room go on. Never goes back. */
    void advanceTo(long acknowledged) {
        if (isHolding() && acknowledged > hold) {
            log.hold(this, acknowledged);
        }
    }

    /** {@return whether the records from the last acknowledged one on are held} */
    boolean isHolding() {
        return hold != Long.MAX_VALUE;
    }

    /** Stops holding records. The cursor reads on as long as it keeps up. */
    void letGo() {
        if (isHolding()) {
            log.hold(this, Long.MAX_VALUE);
        }
    }

    /** Lets go and ends the cursor. A second call does nothing. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            log.forget(this);
        }
    }

    /** {@return the first offset that is held, or {@link Long#MAX_VALUE} if none is} */
    long held() {
        return hold;
    }

    /** Called under the log's lock. */
    void setHeld(long offset) {
        hold = offset;
    }

    /** Called under the log's lock: the records are gone. */
    void lose() {
        lost = true;
        hold = Long.MAX_VALUE;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the cursor is closed");
        }
    }
}
