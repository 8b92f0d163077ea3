package io.kvorum.core;

import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.EngineBacked;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A store that takes the slot along with the key, so that it is computed once however many stores an operation passes
 * through. The slot that is given is that of the key.
 */
abstract class SlottedStore extends EngineBacked implements KeyValueStore {
    SlottedStore(List<Engine> engines) {
        super(engines);
    }

    /** Makes another view of a store. */
    SlottedStore(SlottedStore viewed) {
        super(viewed);
    }

    abstract byte @Nullable [] get(int slot, byte[] key);

    /** As {@link #get(byte[], ByteBuf)}. */
    abstract int get(int slot, byte[] key, ByteBuf target);

    /** As {@link #lend(byte[], ValueReader)}. */
    abstract <T extends @Nullable Object> @Nullable T lend(int slot, byte[] key, ValueReader<T> reader);

    abstract boolean set(int slot, byte[] key, byte[] value, SetOptions options);

    @Override
    public final byte @Nullable [] get(byte[] key) {
        return get(HashSlot.of(key), key);
    }

    @Override
    public final int get(byte[] key, ByteBuf target) {
        Objects.requireNonNull(target, "target");
        return get(HashSlot.of(key), key, target);
    }

    @Override
    public final <T extends @Nullable Object> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        Objects.requireNonNull(reader, "reader");
        return lend(HashSlot.of(key), key, reader);
    }

    @Override
    public final boolean exists(byte[] key) {
        return lend(HashSlot.of(key), key, value -> true) != null;
    }

    @Override
    public final int length(byte[] key) {
        Integer length = lend(HashSlot.of(key), key, LentValue::length);
        return length == null ? 0 : length;
    }

    @Override
    public final void set(byte[] key, byte[] value) {
        Objects.requireNonNull(value, "value");
        set(HashSlot.of(key), key, value, SetOptions.defaults());
    }

    @Override
    public final boolean set(byte[] key, byte[] value, SetOptions options) {
        Objects.requireNonNull(value, "value");
        Objects.requireNonNull(options, "options");
        return set(HashSlot.of(key), key, value, options);
    }
}
