package io.kvorum.core.typed;

import io.kvorum.core.KeyReads;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a {@link TypedStore} that only read keys: {@link KeyReads} with keys and values of any type.
 *
 * <p>A value that the codec does not understand is thrown as the codec throws it, mostly as
 * {@link MalformedValueException}, by each operation that returns it.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public interface TypedReads<K, V> {
    /**
     * {@return the value of a key, or {@code null} if the key does not exist}
     *
     * @param key the key
     */
    @Nullable
    V get(K key);

    /**
     * {@return the value of a key with its deadline and its version, or {@code null} if the key does not exist}
     *
     * @param key the key
     */
    @Nullable
    TypedValue<V> lookUp(K key);

    /**
     * Reads several keys of one slot at one moment.
     *
     * @param keys the keys; may be empty
     * @return the values of those keys that exist, in the order of the keys; unmodifiable
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     */
    Map<K, V> getAll(Collection<? extends K> keys);

    /**
     * {@return whether a key exists} Its value is not decoded.
     *
     * @param key the key
     */
    boolean exists(K key);

    /**
     * Counts as a use of a key where the store evicts keys that are not used.
     *
     * @param key the key
     * @return whether the key exists
     */
    boolean touch(K key);

    /**
     * {@return the deadline of a key in milliseconds since 1970, or empty if the key does not exist or has none}
     *
     * @param key the key
     */
    OptionalLong deadlineOf(K key);

    /**
     * {@return for how long a key will exist, or empty if the key does not exist or has no deadline}
     *
     * @param key the key
     */
    Optional<Duration> timeToLive(K key);

    // ---- short forms

    /**
     * {@return the value of a key, or empty if the key does not exist}
     *
     * @param key the key
     */
    default Optional<V> find(K key) {
        return Optional.ofNullable(get(key));
    }

    /**
     * {@return the value of a key, or another one if the key does not exist}
     *
     * @param key the key
     * @param otherwise what is returned if it does not exist
     */
    default V getOrDefault(K key, V otherwise) {
        V value = get(key);
        return value == null ? otherwise : value;
    }

    /**
     * {@return whether a key exists} The name that maps use for {@link #exists}.
     *
     * @param key the key
     */
    default boolean contains(K key) {
        return exists(key);
    }
}
