package io.kvorum.core.typed;

import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a {@link TypedStore} that read and change keys: {@link KeyOperations} with keys and values of any
 * type.
 *
 * <p>An operation that throws has changed nothing, also if it is a codec that throws. Where two keys or more take part,
 * they must be in one slot; if not, {@link io.kvorum.slots.topology.RefusedException} of kind {@code CROSS_SLOT} says
 * so before anything has changed. A key or a value whose bytes are longer than the store takes is an
 * {@link IllegalArgumentException}.
 *
 * <p>Unless an operation says otherwise, a changed value keeps the deadline of its key. Values are compared by their
 * bytes.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public interface TypedOperations<K, V> extends TypedReads<K, V> {
    /**
     * Sets a value, whether the key exists or not. A deadline that the key had is gone.
     *
     * @param key the key
     * @param value the value
     */
    void set(K key, V value);

    /**
     * Sets a value if a condition holds.
     *
     * @param key the key
     * @param value the value
     * @param options the condition, and how long the value lives; for an expected value see {@link #setIfEqual}
     * @return whether the condition held
     */
    boolean set(K key, V value, SetOptions options);

    /**
     * Sets a value if the key has a certain one.
     *
     * @param key the key
     * @param expected the value that it must have
     * @param value the new value
     * @return whether it had that value
     */
    boolean setIfEqual(K key, V expected, V value);

    /**
     * Sets a value if a condition holds, and returns what was there.
     *
     * @param key the key
     * @param value the value
     * @param options the condition, and how long the value lives
     * @return whether the condition held, and the value before
     */
    TypedSetResult<V> getAndSet(K key, V value, SetOptions options);

    /**
     * Sets several keys of one slot, all of them or none. A deadline that a key had is gone.
     *
     * @param values the values by their keys; may be empty
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     */
    void setAll(Map<? extends K, ? extends V> values);

    /**
     * Sets several keys of one slot, if none of them exists.
     *
     * @param values the values by their keys; may be empty
     * @return whether they were set; {@code true} for none
     * @throws io.kvorum.slots.topology.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     */
    boolean setAllIfAbsent(Map<? extends K, ? extends V> values);

    /**
     * Deletes a key.
     *
     * @param key the key
     * @return whether the key existed
     */
    boolean delete(K key);

    /**
     * Deletes a key if it has a certain value.
     *
     * @param key the key
     * @param expected the value that it must have
     * @return whether it had that value and was deleted
     */
    boolean deleteIfEqual(K key, V expected);

    /**
     * Deletes a key and returns its value.
     *
     * @param key the key
     * @return the value, or {@code null} if the key did not exist
     */
    @Nullable
    V getAndDelete(K key);

    /**
     * Returns the value of a key and gives it another life.
     *
     * @param key the key
     * @param life the new life
     * @return the value, or {@code null} if the key does not exist
     */
    @Nullable
    V getAndExpire(K key, Life life);

    /**
     * Adds to a number whose bytes are its decimal digits, see {@link KeyOperations#increment} and
     * {@link Codec#decimal}.
     *
     * @param key the key
     * @param delta what to add
     * @return the sum
     * @throws ArithmeticException if the sum is no {@code long}
     * @throws NumberFormatException if the value is not such a number
     */
    long increment(K key, long delta);

    /**
     * Replaces a value by what a function makes of it. If the function throws, nothing has changed.
     *
     * @param key the key
     * @param function receives the value, or {@code null} if the key does not exist; what it returns is the new value,
     *     {@code null} deletes the key. It must be quick and must not use a store, see {@link TypedStore#transact(int,
     *     Function)}.
     * @return what the function returned
     */
    @Nullable
    V compute(K key, Function<@Nullable V, @Nullable V> function);

    /**
     * Gives a key another life if a condition holds. A deadline that is not in the future deletes the key at once.
     *
     * @param key the key
     * @param life the new life
     * @param condition what must hold for the deadline that the key has
     * @return whether the key existed and the condition held
     */
    boolean expire(K key, Life life, ExpireCondition condition);

    /**
     * Gives a key a deadline. A deadline that is not in the future deletes the key at once.
     *
     * @param key the key
     * @param epochMillis the last moment at which the key exists, in milliseconds since 1970; at least 0
     * @return whether the key existed
     * @throws IllegalArgumentException if {@code epochMillis} is negative
     */
    default boolean expireAt(K key, long epochMillis) {
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
    default boolean expireAfter(K key, Duration duration) {
        return expire(key, Life.lasting(duration), ExpireCondition.ALWAYS);
    }

    /**
     * Takes a key's deadline away.
     *
     * @param key the key
     * @return whether the key existed and had a deadline
     */
    default boolean persist(K key) {
        return expire(key, Life.forever(), ExpireCondition.IF_ANY);
    }

    // ---- short forms

    /**
     * Sets a value that lives for some time, whether the key exists or not.
     *
     * @param key the key
     * @param value the value
     * @param timeToLive from now on, by the store's clock; at least a millisecond
     */
    default void set(K key, V value, Duration timeToLive) {
        set(key, value, SetOptions.defaults().withDuration(timeToLive));
    }

    /**
     * Sets a value if the key does not exist.
     *
     * @param key the key
     * @param value the value
     * @return whether the key did not exist
     */
    default boolean setIfAbsent(K key, V value) {
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
    default boolean setIfAbsent(K key, V value, Duration timeToLive) {
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
    default boolean setIfPresent(K key, V value) {
        return set(key, value, SetOptions.defaults().withCondition(SetOptions.Condition.IF_PRESENT));
    }

    /**
     * Replaces a value if it is a certain one: a short name of {@link #setIfEqual}. The deadline of the key stays.
     *
     * @param key the key
     * @param expected the value that it must have
     * @param value the new value
     * @return whether it had that value
     */
    default boolean compareAndSet(K key, V expected, V value) {
        return setIfEqual(key, expected, value);
    }

    /**
     * Sets a value and returns the one before. A deadline that the key had is gone.
     *
     * @param key the key
     * @param value the value
     * @return the value before, or {@code null} if the key did not exist
     */
    default @Nullable V getAndSet(K key, V value) {
        return getAndSet(key, value, SetOptions.defaults()).previous();
    }

    /**
     * Deletes a key. The name that maps use for {@link #delete}.
     *
     * @param key the key
     * @return whether the key existed
     */
    default boolean remove(K key) {
        return delete(key);
    }

    /**
     * Adds 1 to a number, see {@link #increment(Object, long)}.
     *
     * @param key the key
     * @return the sum
     */
    default long increment(K key) {
        return increment(key, 1);
    }

    /**
     * Gives a key some time to live: a short name of {@link #expireAfter}.
     *
     * @param key the key
     * @param timeToLive from now on, by the store's clock; at least a millisecond
     * @return whether the key existed
     */
    default boolean expire(K key, Duration timeToLive) {
        return expireAfter(key, timeToLive);
    }
}
