package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.RefusedException;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A store that takes the slot along with the key, so that it is computed once however many stores an operation passes
 * through. The slot that is given is that of the key or of all keys.
 */
abstract class SlottedStore implements KeyValueStore {
    abstract byte @Nullable [] get(int slot, byte[] key);

    abstract boolean set(int slot, byte[] key, byte[] value, SetOptions options);

    abstract boolean delete(int slot, byte[] key);

    abstract boolean exists(int slot, byte[] key);

    abstract boolean expireAt(int slot, byte[] key, long epochMillis);

    abstract boolean persist(int slot, byte[] key);

    abstract OptionalLong deadlineOf(int slot, byte[] key);

    /** The keys are at least one. */
    abstract List<byte @Nullable []> getAll(int slot, List<byte[]> keys);

    /** The entries are at least one. */
    abstract void setAll(int slot, List<Entry> entries);

    @Override
    public final byte @Nullable [] get(byte[] key) {
        return get(HashSlot.of(key), key);
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

    @Override
    public final boolean delete(byte[] key) {
        return delete(HashSlot.of(key), key);
    }

    @Override
    public final boolean exists(byte[] key) {
        return exists(HashSlot.of(key), key);
    }

    @Override
    public final boolean expireAt(byte[] key, long epochMillis) {
        if (epochMillis < 0) {
            throw new IllegalArgumentException("deadline must be at least 0: " + epochMillis);
        }
        return expireAt(HashSlot.of(key), key, epochMillis);
    }

    @Override
    public final boolean persist(byte[] key) {
        return persist(HashSlot.of(key), key);
    }

    @Override
    public final OptionalLong deadlineOf(byte[] key) {
        return deadlineOf(HashSlot.of(key), key);
    }

    @Override
    public final List<byte @Nullable []> getAll(List<byte[]> keys) {
        List<byte[]> copy = List.copyOf(keys); // what is checked is what is read, whatever the caller does meanwhile
        if (copy.isEmpty()) {
            return List.of();
        }
        int slot = HashSlot.of(copy.get(0));
        for (byte[] key : copy) {
            requireSame(slot, HashSlot.of(key));
        }
        return getAll(slot, copy);
    }

    @Override
    public final void setAll(List<Entry> entries) {
        List<Entry> copy = List.copyOf(entries);
        if (copy.isEmpty()) {
            return;
        }
        int slot = HashSlot.of(copy.get(0).key());
        for (Entry entry : copy) {
            requireSame(slot, HashSlot.of(entry.key()));
        }
        setAll(slot, copy);
    }

    /** Returns the refusal of an operation on a slot of nobody, by a node if one was asked. */
    static RefusedException unowned(int slot, @Nullable NodeId node) {
        return new RefusedException(
                RefusedException.Kind.CLUSTER_DOWN, "no shard owns slot " + slot, slot, null, node, null, -1);
    }

    private static void requireSame(int slot, int other) {
        if (other != slot) {
            throw new RefusedException(
                    RefusedException.Kind.CROSS_SLOT,
                    "the keys of one operation must be in one slot: " + slot + " and " + other,
                    slot,
                    null,
                    null,
                    null,
                    -1);
        }
    }
}
