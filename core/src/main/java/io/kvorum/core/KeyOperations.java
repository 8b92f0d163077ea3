package io.kvorum.core;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The operations that read and change keys: of a {@link KeyValueStore}, where each is atomic, and of the keys of one
 * slot during {@link KeyValueStore#transact(int, java.util.function.Function)}, where all of them are one.
 *
 * <p>An operation that throws has changed nothing. Where two keys or more take part, they must be in one slot; if not,
 * {@link io.kvorum.slots.topology.RefusedException} of kind {@code CROSS_SLOT} says so before anything has changed. A
 * key or a value that would become longer than the store takes is an {@link IllegalArgumentException}.
 *
 * <p>Unless an operation says otherwise, a changed value keeps the deadline of its key.
 */
public interface KeyOperations extends KeyReads {
    /**
     * Sets a value, whether the key exists or not. A deadline that the key had is gone.
     *
     * @param key the key
     * @param value the value
     * @throws IllegalArgumentException if the key or the value is longer than the store takes
     */
    void set(byte[] key, byte[] value);

    /**
     * Sets a value if a condition holds.
     *
     * @param key the key
     * @param value the value
     * @param options the condition, and how long the value lives
     * @return whether the condition held
     * @throws IllegalArgumentException if the key or the value is longer than the store takes
     */
    boolean set(byte[] key, byte[] value, SetOptions options);

    /**
     * Sets a value if a condition holds, and returns what was there.
     *
     * @param key the key
     * @param value the value
     * @param options the condition, and how long the value lives
     * @return whether the condition held, and the value before
     * @throws IllegalArgumentException if the key or the value is longer than the store takes
     */
    SetResult getAndSet(byte[] key, byte[] value, SetOptions options);

    /**
     * Sets several keys of one slot, all of them or none. A deadline that a key had is replaced by that of the entry.
     * Where a key occurs twice, the later entry wins.
     *
     * @param entries the entries; may be empty
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     * @throws IllegalArgumentException if a key or a value, or all of them together, are longer than the store takes
     */
    void setAll(List<Entry> entries);

    /**
     * Sets several keys of one slot, if none of them exists.
     *
     * @param entries the entries; may be empty. Where a key occurs twice, the later entry wins.
     * @return whether they were set; {@code true} for no entries
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     * @throws IllegalArgumentException if a key or a value, or all of them together, are longer than the store takes
     */
    boolean setAllIfAbsent(List<Entry> entries);

    /**
     * Deletes a key.
     *
     * @param key the key
     * @return whether the key existed
     */
    boolean delete(byte[] key);

    /**
     * Deletes a key if it has a certain value: what the holder of a lock does to release it.
     *
     * @param key the key
     * @param expected the value that it must have
     * @return whether it had that value and was deleted
     */
    boolean deleteIfEqual(byte[] key, byte[] expected);

    /**
     * Deletes a key and returns its value.
     *
     * @param key the key
     * @return the value, or {@code null} if the key did not exist
     */
    byte @Nullable [] getAndDelete(byte[] key);

    /**
     * Returns the value of a key and gives it another life.
     *
     * @param key the key
     * @param life the new life
     * @return the value, or {@code null} if the key does not exist
     */
    byte @Nullable [] getAndExpire(byte[] key, Life life);

    /**
     * Adds to a number, written in decimal as Redis writes it: a minus sign or none, no leading zeros. A key that does
     * not exist is 0.
     *
     * @param key the key
     * @param delta what to add
     * @return the sum
     * @throws ArithmeticException if the sum is no {@code long}
     * @throws NumberFormatException if the value is not such a number
     */
    long increment(byte[] key, long delta);

    /**
     * Adds bytes at the end of a value. A key that does not exist has an empty one.
     *
     * @param key the key
     * @param suffix the bytes
     * @return the length afterwards
     * @throws IllegalArgumentException if the value would become longer than the store takes
     */
    int append(byte[] key, byte[] suffix);

    /**
     * Overwrites a part of a value. If the value ends before the part begins, zero bytes are put in between; a key that
     * does not exist has an empty value. An empty part changes nothing.
     *
     * @param key the key
     * @param offset where the part begins; at least 0
     * @param part the bytes
     * @return the length afterwards
     * @throws IllegalArgumentException if {@code offset} is negative or the value would become longer than the store
     *     takes
     */
    int setRange(byte[] key, int offset, byte[] part);

    /**
     * Replaces a value by what a function makes of it. If the function throws, nothing has changed.
     *
     * @param key the key
     * @param function receives a copy of the value, or {@code null} if the key does not exist; what it returns is the
     *     new value, {@code null} deletes the key. It must be quick and must not use a store, see
     *     {@link KeyValueStore#transact(int, java.util.function.Function)}.
     * @return what the function returned
     * @throws IllegalArgumentException if the key or the value is longer than the store takes
     */
    byte @Nullable [] compute(byte[] key, Function<byte @Nullable [], byte @Nullable []> function);

    /**
     * Gives a key another life if a condition holds. A deadline that is not in the future deletes the key at once.
     *
     * @param key the key
     * @param life the new life
     * @param condition what must hold for the deadline that the key has
     * @return whether the key existed and the condition held
     */
    boolean expire(byte[] key, Life life, ExpireCondition condition);

    /**
     * Gives a key a deadline. A deadline that is not in the future deletes the key at once.
     *
     * @param key the key
     * @param epochMillis the last moment at which the key exists, in milliseconds since 1970; at least 0
     * @return whether the key existed
     * @throws IllegalArgumentException if {@code epochMillis} is negative
     */
    default boolean expireAt(byte[] key, long epochMillis) {
        return expire(key, Life.until(epochMillis), ExpireCondition.ALWAYS);
    }

    /**
     * Gives a key a duration to live.
     *
     * @param key the key
     * @param duration from now on, by the store's clock
     * @return whether the key existed
     * @throws IllegalArgumentException if {@code duration} is below a millisecond
     */
    default boolean expireAfter(byte[] key, Duration duration) {
        return expire(key, Life.lasting(duration), ExpireCondition.ALWAYS);
    }

    /**
     * Takes a key's deadline away.
     *
     * @param key the key
     * @return whether the key existed and had a deadline
     */
    default boolean persist(byte[] key) {
        return expire(key, Life.forever(), ExpireCondition.IF_ANY);
    }

    /**
     * Gives a value another key of the same slot. The deadline goes with it; what the new key had is gone.
     *
     * @param from the key that is given up
     * @param to the new key; if it is the same, nothing changes
     * @return whether {@code from} existed
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not in one slot
     */
    boolean rename(byte[] from, byte[] to);

    /**
     * As {@link #rename}, unless the new key exists.
     *
     * @param from the key that is given up
     * @param to the new key
     * @return whether {@code from} existed and {@code to} did not
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not in one slot
     */
    boolean renameIfAbsent(byte[] from, byte[] to);

    /**
     * Copies a value with its deadline to another key of the same slot. What the other key had is gone.
     *
     * @param from the key that is copied
     * @param to the other key; if it is the same, nothing changes
     * @return whether {@code from} existed
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not in one slot
     */
    boolean copy(byte[] from, byte[] to);

    /**
     * As {@link #copy}, unless the other key exists.
     *
     * @param from the key that is copied
     * @param to the other key
     * @return whether {@code from} existed and {@code to} did not
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not in one slot
     */
    boolean copyIfAbsent(byte[] from, byte[] to);

    // ---- short forms

    /**
     * Sets a value that lives for some time, whether the key exists or not.
     *
     * @param key the key
     * @param value the value
     * @param timeToLive from now on, by the store's clock; at least a millisecond
     */
    default void set(byte[] key, byte[] value, Duration timeToLive) {
        set(key, value, SetOptions.defaults().withDuration(timeToLive));
    }

    /**
     * Sets a value if the key does not exist.
     *
     * @param key the key
     * @param value the value
     * @return whether the key did not exist
     */
    default boolean setIfAbsent(byte[] key, byte[] value) {
        return set(key, value, SetOptions.defaults().withCondition(SetOptions.Condition.IF_ABSENT));
    }

    /**
     * Sets a value that lives for some time if the key does not exist: what takes a lock.
     *
     * @param key the key
     * @param value the value
     * @param timeToLive from now on, by the store's clock; at least a millisecond
     * @return whether the key did not exist
     */
    default boolean setIfAbsent(byte[] key, byte[] value, Duration timeToLive) {
        return set(
                key,
                value,
                SetOptions.defaults()
                        .withCondition(SetOptions.Condition.IF_ABSENT)
                        .withDuration(timeToLive));
    }

    /**
     * Sets a value if the key exists. Its deadline is gone.
     *
     * @param key the key
     * @param value the value
     * @return whether the key existed
     */
    default boolean setIfPresent(byte[] key, byte[] value) {
        return set(key, value, SetOptions.defaults().withCondition(SetOptions.Condition.IF_PRESENT));
    }

    /**
     * Replaces a value if it is a certain one. The deadline of the key stays.
     *
     * @param key the key
     * @param expected the value that it must have
     * @param value the new value
     * @return whether it had that value
     */
    default boolean compareAndSet(byte[] key, byte[] expected, byte[] value) {
        return set(key, value, SetOptions.defaults().withExpected(expected).withDeadlineKept());
    }

    /**
     * Sets a value and returns the one before. A deadline that the key had is gone.
     *
     * @param key the key
     * @param value the value
     * @return the value before, or {@code null} if the key did not exist
     */
    default byte @Nullable [] getAndSet(byte[] key, byte[] value) {
        return getAndSet(key, value, SetOptions.defaults()).previous();
    }

    /**
     * Deletes a key. The name that maps use for {@link #delete}.
     *
     * @param key the key
     * @return whether the key existed
     */
    default boolean remove(byte[] key) {
        return delete(key);
    }

    /**
     * Adds 1 to a number, see {@link #increment(byte[], long)}.
     *
     * @param key the key
     * @return the sum
     */
    default long increment(byte[] key) {
        return increment(key, 1);
    }

    /**
     * Gives a key some time to live: a short name of {@link #expireAfter}.
     *
     * @param key the key
     * @param timeToLive from now on, by the store's clock; at least a millisecond
     * @return whether the key existed
     */
    default boolean expire(byte[] key, Duration timeToLive) {
        return expireAfter(key, timeToLive);
    }
}
