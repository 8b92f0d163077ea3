package io.kvorum.core.typed;

import io.kvorum.core.Entry;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads and changes keys through codecs. What may throw after a change, which is decoding, is done inside of a
 * transaction, so that an operation that throws has changed nothing. Confined to as many threads as what it changes.
 */
abstract class CodedOperations<K, V> extends CodedReads<K, V> implements TypedOperations<K, V> {
    private final KeyOperations operations;

    CodedOperations(KeyOperations operations, Codec<K> keys, Codec<V> values) {
        super(operations, keys, values);
        this.operations = operations;
    }

    /** Does something to the slot of a key that leaves nothing if it throws. */
    abstract <T extends @Nullable Object> T atomically(byte[] key, Function<? super KeyOperations, ? extends T> action);

    @Override
    public final void set(K key, V value) {
        operations.set(bytesOf(key), encode(value));
    }

    @Override
    public final boolean set(K key, V value, SetOptions options) {
        return operations.set(bytesOf(key), encode(value), options);
    }

    @Override
    public final boolean setIfEqual(K key, V expected, V value) {
        SetOptions options =
                SetOptions.defaults().withExpected(encode(expected)).withDeadlineKept();
        return operations.set(bytesOf(key), encode(value), options);
    }

    @Override
    public final TypedSetResult<V> getAndSet(K key, V value, SetOptions options) {
        Objects.requireNonNull(options, "options");
        byte[] bytes = bytesOf(key);
        byte[] encoded = encode(value);
        return atomically(bytes, slot -> {
            V previous = decode(slot.get(bytes));
            return new TypedSetResult<>(slot.set(bytes, encoded, options), previous);
        });
    }

    @Override
    public final void setAll(Map<? extends K, ? extends V> wanted) {
        operations.setAll(entries(wanted));
    }

    @Override
    public final boolean setAllIfAbsent(Map<? extends K, ? extends V> wanted) {
        return operations.setAllIfAbsent(entries(wanted));
    }

    private List<Entry> entries(Map<? extends K, ? extends V> wanted) {
        List<Entry> entries = new ArrayList<>(wanted.size());
        wanted.forEach((key, value) -> entries.add(new Entry(bytesOf(key), encode(value))));
        return entries;
    }

    @Override
    public final boolean delete(K key) {
        return operations.delete(bytesOf(key));
    }

    @Override
    public final boolean deleteIfEqual(K key, V expected) {
        return operations.deleteIfEqual(bytesOf(key), encode(expected));
    }

    @Override
    public final @Nullable V getAndDelete(K key) {
        byte[] bytes = bytesOf(key);
        return this.<@Nullable V>atomically(bytes, slot -> {
            V value = decode(slot.get(bytes));
            slot.delete(bytes);
            return value;
        });
    }

    @Override
    public final @Nullable V getAndExpire(K key, Life life) {
        Objects.requireNonNull(life, "life");
        byte[] bytes = bytesOf(key);
        return this.<@Nullable V>atomically(bytes, slot -> {
            V value = decode(slot.get(bytes));
            slot.expire(bytes, life, ExpireCondition.ALWAYS);
            return value;
        });
    }

    @Override
    public final long increment(K key, long delta) {
        return operations.increment(bytesOf(key), delta);
    }

    @Override
    public final @Nullable V compute(K key, Function<@Nullable V, @Nullable V> function) {
        Objects.requireNonNull(function, "function");
        AtomicReference<@Nullable V> result = new AtomicReference<>();
        operations.compute(bytesOf(key), before -> {
            V after = function.apply(decode(before));
            result.set(after);
            return after == null ? null : encode(after);
        });
        return result.get();
    }

    @Override
    public final boolean expire(K key, Life life, ExpireCondition condition) {
        return operations.expire(bytesOf(key), life, condition);
    }
}
