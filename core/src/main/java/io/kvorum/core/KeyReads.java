package io.kvorum.core;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The operations that only read keys: of a {@link KeyValueStore}, where each is atomic, and of the keys of one slot
 * during {@link KeyValueStore#read}, where all of them see one moment.
 *
 * <p>Arrays that are passed in are borrowed for the call, arrays that are returned belong to the caller. Keys and
 * values may be empty, never {@code null}. A key past its deadline is absent.
 */
public interface KeyReads {
    /**
     * {@return the value of a key, or {@code null} if the key does not exist}
     *
     * @param key the key
     */
    byte @Nullable [] get(byte[] key);

    /**
     * {@return the value of a key with its deadline and its version, or {@code null} if the key does not exist}
     *
     * @param key the key
     */
    @Nullable
    StoredValue lookUp(byte[] key);

    /**
     * Reads several keys of one slot at one moment.
     *
     * @param keys the keys; may be empty
     * @return the values in the order of the keys, {@code null} for each key that does not exist
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     */
    List<byte @Nullable []> getAll(List<byte[]> keys);

    /**
     * {@return a part of a value, or {@code null} if the key does not exist} What lies outside of the value is left
     * out, so the part may be empty.
     *
     * @param key the key
     * @param first where the part begins; below 0 it counts from the end, -1 being the last byte
     * @param last where the part ends, inclusive; below 0 it counts from the end
     */
    byte @Nullable [] getRange(byte[] key, long first, long last);

    /**
     * {@return the length of a value, in bytes; 0 if the key does not exist}
     *
     * @param key the key
     */
    int length(byte[] key);

    /**
     * {@return whether a key exists}
     *
     * @param key the key
     */
    boolean exists(byte[] key);

    /**
     * Counts as a use of a key where the store evicts keys that are not used.
     *
     * @param key the key
     * @return whether the key exists
     */
    default boolean touch(byte[] key) {
        return exists(key);
    }

    /**
     * {@return the deadline of a key in milliseconds since 1970, or empty if the key does not exist or has none}
     *
     * @param key the key
     */
    OptionalLong deadlineOf(byte[] key);

    /**
     * {@return for how long a key will exist, or empty if the key does not exist or has no deadline}
     *
     * @param key the key
     */
    Optional<Duration> timeToLive(byte[] key);

    // ---- short forms

    /**
     * {@return the value of a key, or another one if the key does not exist}
     *
     * @param key the key
     * @param otherwise what is returned if it does not exist
     */
    default byte[] getOrDefault(byte[] key, byte[] otherwise) {
        byte[] value = get(key);
        return value == null ? Objects.requireNonNull(otherwise, "otherwise") : value;
    }

    /**
     * {@return whether a key exists} The name that maps use for {@link #exists}.
     *
     * @param key the key
     */
    default boolean contains(byte[] key) {
        return exists(key);
    }
}
