package io.kvorum.core.typed;

import io.kvorum.core.KeyReads;
import io.kvorum.core.StoredValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Reads keys through codecs. Confined to as many threads as what it reads from. */
class CodedReads<K, V> implements TypedReads<K, V> {
    final Codec<K> keys;
    final Codec<V> values;
    private final KeyReads reads;

    CodedReads(KeyReads reads, Codec<K> keys, Codec<V> values) {
        this.reads = Objects.requireNonNull(reads, "store");
        this.keys = Objects.requireNonNull(keys, "keys");
        this.values = Objects.requireNonNull(values, "values");
    }

    /** Returns the bytes of a key. */
    final byte[] bytesOf(K key) {
        return Objects.requireNonNull(keys.encode(Objects.requireNonNull(key, "key")), "encoded key");
    }

    /** Returns the bytes of a value. */
    final byte[] encode(V value) {
        return Objects.requireNonNull(values.encode(Objects.requireNonNull(value, "value")), "encoded value");
    }

    /** Returns the value of some bytes, or null without bytes. */
    final @Nullable V decode(byte @Nullable [] bytes) {
        return bytes == null ? null : Objects.requireNonNull(values.decode(bytes), "decoded value");
    }

    @Override
    public @Nullable V get(K key) {
        return decode(reads.get(bytesOf(key)));
    }

    @Override
    public final @Nullable TypedValue<V> lookUp(K key) {
        StoredValue stored = reads.lookUp(bytesOf(key));
        return stored == null
                ? null
                : new TypedValue<>(values.decode(stored.value()), stored.deadline(), stored.readAt(), stored.version());
    }

    @Override
    public final Map<K, V> getAll(Collection<? extends K> wanted) {
        List<K> order = List.copyOf(wanted);
        List<byte[]> encoded = new ArrayList<>(order.size());
        for (K key : order) {
            encoded.add(bytesOf(key));
        }
        List<byte @Nullable []> found = reads.getAll(encoded);
        Map<K, V> decoded = new LinkedHashMap<>();
        for (int i = 0; i < order.size(); i++) {
            V value = decode(found.get(i));
            if (value != null) {
                decoded.put(order.get(i), value);
            }
        }
        return Collections.unmodifiableMap(decoded);
    }

    @Override
    public final boolean exists(K key) {
        return reads.exists(bytesOf(key));
    }

    @Override
    public final boolean touch(K key) {
        return reads.touch(bytesOf(key));
    }

    @Override
    public final OptionalLong deadlineOf(K key) {
        return reads.deadlineOf(bytesOf(key));
    }

    @Override
    public final Optional<Duration> timeToLive(K key) {
        return reads.timeToLive(bytesOf(key));
    }
}
