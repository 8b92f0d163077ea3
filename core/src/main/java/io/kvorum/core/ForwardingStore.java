package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A store each of whose operations is a function that is run on another store: where, when and how often is up to the
 * subclass. For wrappers that wait, retry, trace or measure.
 *
 * <p>Each operation of {@link KeyValueStore} becomes one call of {@link #reading} or {@link #changing}, and its result
 * is what that returns; those over several slots may become one call for each key. A subclass may override how slots
 * are cleared, to do so in parts. As safe for use by threads as those two methods are.
 */
public abstract class ForwardingStore implements KeyValueStore {
    /** Creates a wrapper. */
    protected ForwardingStore() {}

    /**
     * Runs an operation that only reads.
     *
     * @param operation the operation; it may be run more than once
     * @param <T> what it returns
     * @return what a run of the operation returned
     */
    protected abstract <T extends @Nullable Object> T reading(Function<? super KeyValueStore, ? extends T> operation);

    /**
     * Runs an operation that may change the store.
     *
     * @param operation the operation; it may be run again only if its earlier run has changed nothing
     * @param <T> what it returns
     * @return what a run of the operation returned
     */
    protected abstract <T extends @Nullable Object> T changing(Function<? super KeyValueStore, ? extends T> operation);

    @Override
    public final byte @Nullable [] get(byte[] key) {
        return this.<byte @Nullable []>reading(store -> store.get(key));
    }

    /** What was read is in the buffer before it is confirmed, and taken out of it again if it is not. */
    @Override
    public final int get(byte[] key, ByteBuf target) {
        int start = target.writerIndex();
        try {
            return reading(store -> {
                target.writerIndex(start); // perhaps not the first run
                return store.get(key, target);
            });
        } catch (RuntimeException | Error e) {
            target.writerIndex(start);
            throw e;
        }
    }

    @Override
    public final <T extends @Nullable Object> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        return this.<@Nullable T>reading(store -> store.lend(key, reader));
    }

    @Override
    public final boolean set(byte[] key, byte[] value, SetOptions options) {
        return changing(store -> store.set(key, value, options));
    }

    @Override
    public final <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        HashSlot.check(slot);
        return this.<T>reading(store -> store.read(slot, function));
    }

    @Override
    public final <T extends @Nullable Object> T transact(
            int slot, Function<? super KeyOperations, ? extends T> function) {
        HashSlot.check(slot);
        return this.<T>changing(store -> store.transact(slot, function));
    }

    @Override
    public final ScanPage scan(ScanCursor cursor, ScanOptions options) {
        return reading(store -> store.scan(cursor, options));
    }

    @Override
    public final byte @Nullable [] randomKey() {
        return this.<byte @Nullable []>reading(KeyValueStore::randomKey);
    }

    @Override
    public final List<byte[]> keysInSlot(int slot, int limit) {
        return reading(store -> store.keysInSlot(slot, limit));
    }

    @Override
    public long clear() {
        return changing(KeyValueStore::clear);
    }

    @Override
    public long clear(SlotSet slots) {
        return changing(store -> store.clear(slots));
    }

    @Override
    public final long size() {
        return reading(KeyValueStore::size);
    }

    @Override
    public final int countInSlot(int slot) {
        return reading(store -> store.countInSlot(slot));
    }

    /** Collects the entries first: the action must see none that may yet be refused. */
    @Override
    public final void forEachInSlot(int slot, Consumer<Entry> action) {
        List<Entry> entries = reading(store -> {
            List<Entry> collected = new ArrayList<>();
            store.forEachInSlot(slot, collected::add);
            return collected;
        });
        entries.forEach(action);
    }

    @Override
    public int dropSlot(int slot) {
        return changing(store -> store.dropSlot(slot));
    }
}
