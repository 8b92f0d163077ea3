package io.kvorum.core.replicated;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ValueReader;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A replicated store whose calls wait. Safe for use by any number of threads. */
final class BlockingStore implements KeyValueStore {
    private final ReplicatedStore node;
    private final Acknowledgement writeLevel;
    private final ReadLevel readLevel;
    private final Wait wait;

    /** The timeout is at most a hundred years. */
    BlockingStore(ReplicatedStore node, Acknowledgement writeLevel, ReadLevel readLevel, Wait wait) {
        this.node = node;
        this.writeLevel = writeLevel;
        this.readLevel = readLevel;
        this.wait = wait;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return this.<byte @Nullable []>read(store -> store.get(key));
    }

    /** What was read is in the buffer before it is confirmed, and taken out of it again if it is not. */
    @Override
    public int get(byte[] key, ByteBuf target) {
        int start = target.writerIndex();
        try {
            return read(store -> store.get(key, target));
        } catch (RuntimeException e) {
            target.writerIndex(start);
            throw e;
        }
    }

    @Override
    public <T extends @Nullable Object> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        return this.<@Nullable T>read(store -> store.lend(key, reader));
    }

    @Override
    public boolean set(byte[] key, byte[] value, SetOptions options) {
        return write(store -> store.set(key, value, options));
    }

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        HashSlot.check(slot);
        return this.<T>read(store -> store.read(slot, function));
    }

    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        HashSlot.check(slot);
        return this.<T>write(store -> store.transact(slot, function));
    }

    @Override
    public ScanPage scan(ScanCursor cursor, ScanOptions options) {
        return read(store -> store.scan(cursor, options));
    }

    @Override
    public byte @Nullable [] randomKey() {
        return this.<byte @Nullable []>read(KeyValueStore::randomKey);
    }

    @Override
    public List<byte[]> keysInSlot(int slot, int limit) {
        return read(store -> store.keysInSlot(slot, limit));
    }

    @Override
    public long clear() {
        return write(KeyValueStore::clear);
    }

    @Override
    public long clear(SlotSet slots) {
        return write(store -> store.clear(slots));
    }

    @Override
    public long size() {
        return read(KeyValueStore::size);
    }

    @Override
    public int countInSlot(int slot) {
        return read(store -> store.countInSlot(slot));
    }

    /** Collects the entries first: the action must see none that is not confirmed. */
    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        List<Entry> entries = read(store -> {
            List<Entry> collected = new ArrayList<>();
            store.forEachInSlot(slot, collected::add);
            return collected;
        });
        entries.forEach(action);
    }

    @Override
    public int dropSlot(int slot) {
        return write(store -> store.dropSlot(slot));
    }

    private <T extends @Nullable Object> T read(Function<KeyValueStore, T> operation) {
        return node.<T>readAndWait(readLevel, wait, operation);
    }

    private <T extends @Nullable Object> T write(Function<KeyValueStore, T> operation) {
        return node.<T>writeAndWait(writeLevel, wait, operation);
    }
}
