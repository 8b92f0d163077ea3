package io.kvorum.core.replicated;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.MutationSink;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ValueReader;
import io.kvorum.core.engine.ChangeSink;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.Shard;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The store of a node as one caller may use it, once: each operation is refused unless the shard owns the slot and the
 * node's role permits it, each change goes to the log first, and where it went is remembered.
 *
 * <p>Confined to one thread.
 */
final class NodeAccess implements KeyValueStore, MutationSink, ChangeSink {
    /** What the caller is about to do. */
    enum Purpose {
        READ_ANYWHERE,
        READ_AT_PRIMARY,
        WRITE
    }

    private final KeyValueStore store;
    private final NodeParts node;
    private final NodeStatus status;
    private final Purpose purpose;
    private boolean appended;
    private boolean changed;
    private long end;

    NodeAccess(NodeParts node, NodeStatus status, Purpose purpose) {
        this.store = node.store().withSink(this);
        this.node = node;
        this.status = status;
        this.purpose = purpose;
    }

    /** Returns whether the last operation changed something, so that its position stands for all that it saw. */
    boolean hasAppended() {
        return appended;
    }

    /** Returns whether anything was changed since the start. */
    boolean hasChanged() {
        return changed;
    }

    /** Returns the position after the last change, in the epoch that the node had promised at the start. */
    LogPosition position() {
        return new LogPosition(status.epoch(), end);
    }

    /** Takes the change of an operation that is under way; the store calls it. */
    @Override
    public void accept(int slot, ByteBuf change) {
        end = node.log().append(slot, change);
        appended = true;
        changed = true;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        beforeRead(HashSlot.of(key));
        return store.get(key);
    }

    @Override
    public int get(byte[] key, ByteBuf target) {
        beforeRead(HashSlot.of(key));
        return store.get(key, target);
    }

    @Override
    public <T extends @Nullable Object> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        beforeRead(HashSlot.of(key));
        return store.lend(key, reader);
    }

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        beforeRead(HashSlot.check(slot));
        return store.read(slot, function);
    }

    @Override
    public long size() {
        requireReadable(-1);
        return store.size();
    }

    @Override
    public int countInSlot(int slot) {
        beforeRead(HashSlot.check(slot));
        return store.countInSlot(slot);
    }

    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        beforeRead(HashSlot.check(slot));
        store.forEachInSlot(slot, action);
        appended = false; // whatever the action did in between
    }

    @Override
    public List<byte[]> keysInSlot(int slot, int limit) {
        beforeRead(HashSlot.check(slot));
        return store.keysInSlot(slot, limit);
    }

    @Override
    public byte @Nullable [] randomKey() {
        requireReadable(-1);
        return store.randomKey();
    }

    /** A page ends with the slots that the shard owns and has the data of, if not before. */
    @Override
    public ScanPage scan(ScanCursor cursor, ScanOptions options) {
        if (cursor.isEnd()) {
            throw new IllegalArgumentException("a cursor at the end has no next page");
        }
        beforeRead(cursor.slot());
        ClusterTopology now = node.topology().get();
        Shard own = now.shard(status.shard());
        int other = own == null ? -1 : now.servedBy(own).complement().next(cursor.slot() + 1);
        return store.scan(cursor, other < 0 ? options : options.withLastSlot(Math.min(options.lastSlot(), other - 1)));
    }

    @Override
    public boolean set(byte[] key, byte[] value, SetOptions options) {
        int slot = HashSlot.of(key);
        beforeWrite(slot);
        return afterWrite(slot, store.set(key, value, options));
    }

    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        beforeWrite(HashSlot.check(slot));
        return this.<T>afterWrite(slot, store.transact(slot, function));
    }

    @Override
    public int dropSlot(int slot) {
        beforeWrite(HashSlot.check(slot));
        int dropped = afterWrite(slot, store.dropSlot(slot));
        appended = false; // others may have deleted in between what was not met
        return dropped;
    }

    /** Deletes the keys of the slots that the shard owns. */
    @Override
    public long clear() {
        requirePrimary(-1);
        Shard own = node.topology().get().shard(status.shard());
        return own == null ? 0 : clear(own.slots());
    }

    /** Deletes nothing unless the shard owns all these slots. */
    @Override
    public long clear(SlotSet slots) {
        for (int slot = slots.next(0); slot >= 0; slot = slots.next(slot + 1)) {
            beforeWrite(slot);
        }
        requirePrimary(slots.next(0));
        long deleted = KeyValueStore.super.clear(slots);
        appended = false; // others may have deleted in between what was not met
        return deleted;
    }

    private void beforeRead(int slot) {
        requireOwned(slot);
        requireReadable(slot);
    }

    /** The slot is -1 if the read is of all. */
    private void requireReadable(int slot) {
        if (purpose != Purpose.READ_ANYWHERE && status.role() != NodeRole.PRIMARY) {
            throw readOnly(slot);
        }
        if (!status.complete()) {
            throw new RefusedException(
                    Kind.LAGGING,
                    "the node has not completed a full sync: " + status.node(),
                    slot,
                    status.shard(),
                    status.node(),
                    status.primary(),
                    status.epoch());
        }
        appended = false;
    }

    private void beforeWrite(int slot) {
        requireWrite();
        requireOwned(slot);
        appended = false;
    }

    /** A change would have been refused by the log; what changes nothing is refused here. */
    private <T extends @Nullable Object> T afterWrite(int slot, T result) {
        if (!appended && status.role() != NodeRole.PRIMARY) {
            throw readOnly(slot);
        }
        return result;
    }

    private void requireOwned(int slot) {
        ClusterTopology now = node.topology().get();
        Shard owner = now.shardOf(slot);
        if (owner == null) {
            throw new RefusedException(
                    Kind.CLUSTER_DOWN, "no shard owns slot " + slot, slot, null, status.node(), null, -1);
        }
        if (!isOwn(owner)) {
            throw new RefusedException(
                    Kind.MOVED,
                    "slot " + slot + " belongs to " + owner.id() + ", primary " + owner.primary(),
                    slot,
                    owner.id(),
                    status.node(),
                    owner.primary(),
                    owner.epoch());
        }
        if (now.isMoving(slot)) {
            throw RefusedException.moving(now, slot, status.node());
        }
    }

    /** Throws unless this is about to write, at the primary; the slot is -1 if the write is to all. */
    private void requirePrimary(int slot) {
        requireWrite();
        if (status.role() != NodeRole.PRIMARY) {
            throw readOnly(slot);
        }
    }

    private void requireWrite() {
        if (purpose != Purpose.WRITE) {
            throw new IllegalStateException("a read must not change the store");
        }
    }

    private boolean isOwn(@Nullable Shard owner) {
        return owner != null && owner.id().equals(status.shard());
    }

    private RefusedException readOnly(int slot) {
        NodeId primary = primary();
        return new RefusedException(
                Kind.READ_ONLY,
                (purpose == Purpose.WRITE ? "a replica takes no writes" : "a replica confirms no reads")
                        + ": node " + status.node() + " of " + status.shard() + (slot < 0 ? "" : ", slot " + slot)
                        + ", epoch "
                        + Epoch.toString(status.epoch())
                        + (primary == null ? "" : ", primary " + primary),
                slot,
                status.shard(),
                status.node(),
                primary,
                status.epoch());
    }

    private @Nullable NodeId primary() {
        if (status.primary() != null) {
            return status.primary();
        }
        Shard shard = node.topology().get().shard(status.shard());
        return shard == null || shard.primary().equals(status.node()) ? null : shard.primary();
    }
}
