package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The part of a log that only the node's own machine uses: its gate, its control records, its cursors and its wake-up.
 *
 * <p>These methods are called by the node's thread, one at a time; {@link #openCursor} and {@link #snapshot} by any.
 */
abstract sealed class MachineLog implements ReplicationLog permits MemoryLog {
    /** A consistent view of a log, taken without its lock. */
    record Snapshot(LogPosition end, long firstOffset, LogHistory history, LogMembers members, boolean writable) {}

    /** {@return a consistent view of the log as of now} */
    abstract Snapshot snapshot();

    /**
     * Begins a leadership: appends its BEGIN record, and opens the gate, or keeps it closed for a reason. Returns the
     * offset after the record.
     *
     * @param first the members that the shard begins with, or null if it has begun
     * @throws IllegalArgumentException if the epoch is not above that of the log, or there are more members than
     *     {@link #maxPayload()} allows
     * @throws io.kvorum.slots.topology.RefusedException if held records leave no room; nothing was changed
     */
    abstract long begin(long epoch, @Nullable Roster first, @Nullable Refusal reason);

    /**
     * Appends a MEMBERS record, whether the gate is open or not. Returns the offset after the record.
     *
     * @throws IllegalArgumentException if the list is larger than {@link #maxPayload()}
     * @throws io.kvorum.slots.topology.RefusedException if held records leave no room; nothing was changed
     */
    abstract long appendMembers(Roster roster);

    /**
     * Appends records of a primary: whole ones that {@link Records#check} has passed and that begin at the end of this
     * log. If they are more than the log holds, none is retained.
     *
     * @throws IllegalArgumentException if an epoch among them is not above the one before; nothing was changed
     * @throws io.kvorum.slots.topology.RefusedException if held records leave no room; nothing was changed
     */
    abstract void take(ByteBuf records);

    /** Forgets all records and starts anew behind a full sync. All cursors lose their records. */
    abstract void reset(LogPosition position, LogHistory history, LogMembers members);

    /** Closes the gate, or changes the reason; finishes an append under way first. Writers that wait go on. */
    abstract void refuse(Refusal reason);

    /** Opens the gate again for the leadership under way. */
    abstract void admit();

    /** {@return the newest member lists} */
    abstract LogMembers members();

    /**
     * Opens a cursor that holds all records from an offset on. It has lost its records already if the log no longer
     * retains that offset.
     *
     * @param from an offset that an append or a read ended at
     * @throws IllegalArgumentException if {@code from} is after the end
     */
    abstract LogCursor openCursor(long from);

    /** Counts the retained records from an offset on, from the oldest one retained if that is later. */
    abstract long countFrom(long offset);

    /**
     * Runs a wake-up once, when a writer's append moves the end past an offset; at once if the end is past it now.
     * Replaces the wake-up that was set before. The thread that appends runs it, outside of the log's lock but inside
     * of whatever lock the writer holds: it must be quick and must not throw; if it does, the next append runs it
     * again. Control records and {@link #take} wake nobody, and a closed log nobody any more.
     *
     * @param offset the offset; {@link Long#MAX_VALUE} for never
     */
    abstract void wakeWhen(long offset, Runnable wakeup);

    /** Moves the hold of a cursor; to {@link Long#MAX_VALUE} to let go. */
    abstract void hold(LogCursor cursor, long offset);

    /** Releases what a cursor holds, for good. */
    abstract void forget(LogCursor cursor);
}
