package io.kvorum.core;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Values under binary keys. Each key is in one of the 16,384 slots, and the store knows the keys of each slot.
 *
 * <p>Every operation on one key is atomic, and so are {@link #getAll} and {@link #setAll} over several keys of one
 * slot; what a read may miss of the writes before it, each store says for itself. A key with a deadline exists up to
 * and including that millisecond by the store's clock; afterwards every operation treats it as absent, although
 * {@link #size} and {@link #countInSlot} count it until it has been deleted.
 *
 * <p>An operation that the store refuses throws {@link io.kvorum.slots.RefusedException} and has changed nothing. A
 * store that waits for other nodes may throw {@link io.kvorum.replication.OutcomeUnknownException}: then a change may
 * have been made, wholly (but see {@link #dropSlot}), or not at all.
 *
 * <p>Arrays that are passed in are borrowed for the call, arrays that are returned belong to the caller. Keys and
 * values may be empty, never {@code null}. How long they may be is the store's to say; what is too long is an
 * {@link IllegalArgumentException} to the operations that set values, before anything has changed.
 *
 * <p>Safe for use by any number of threads.
 */
public interface KeyValueStore {
    /** What stands for a deadline where there is none. */
    long NO_DEADLINE = -1;

    /**
     * {@return the value of a key, or {@code null} if the key does not exist}
     *
     * @param key the key
     */
    byte @Nullable [] get(byte[] key);

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
     * Deletes a key.
     *
     * @param key the key
     * @return whether the key existed
     */
    boolean delete(byte[] key);

    /**
     * {@return whether a key exists}
     *
     * @param key the key
     */
    boolean exists(byte[] key);

    /**
     * Gives a key a deadline. A deadline that is not in the future deletes the key at once.
     *
     * @param key the key
     * @param epochMillis the last moment at which the key exists, in milliseconds since 1970; at least 0
     * @return whether the key existed
     * @throws IllegalArgumentException if {@code epochMillis} is negative
     */
    boolean expireAt(byte[] key, long epochMillis);

    /**
     * Takes a key's deadline away.
     *
     * @param key the key
     * @return whether the key existed and had a deadline
     */
    boolean persist(byte[] key);

    /**
     * {@return the deadline of a key, or empty if the key does not exist or has none}
     *
     * @param key the key
     */
    OptionalLong deadlineOf(byte[] key);

    /**
     * Reads several keys of one slot at one moment.
     *
     * @param keys the keys; may be empty
     * @return the values in the order of the keys, {@code null} for each key that does not exist
     * @throws io.kvorum.slots.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     */
    List<byte @Nullable []> getAll(List<byte[]> keys);

    /**
     * Sets several keys of one slot, all of them or, if it fails, none. A deadline that a key had is replaced by that
     * of the entry. Where a key occurs twice, the later entry wins.
     *
     * @param entries the entries; may be empty
     * @throws io.kvorum.slots.RefusedException of kind {@code CROSS_SLOT} if the keys are not all in one slot
     * @throws IllegalArgumentException if a key or a value, or all of them together, are longer than the store takes
     */
    void setAll(List<Entry> entries);

    /** {@return how many keys are held, expired ones that have not been deleted yet among them} */
    long size();

    /**
     * {@return how many keys of a slot are held, expired ones that have not been deleted yet among them}
     *
     * @param slot the slot
     * @throws IllegalArgumentException if {@code slot} is not a slot
     */
    int countInSlot(int slot);

    /**
     * Hands each entry of a slot to an action, in no order, in time proportional to the slot. The store may be used and
     * changed meanwhile, by the action too: a key that exists throughout is handed over once, one that comes or goes
     * meanwhile at most once.
     *
     * @param slot the slot
     * @param action receives the entries, which belong to it
     * @throws IllegalArgumentException if {@code slot} is not a slot
     */
    void forEachInSlot(int slot, Consumer<Entry> action);

    /**
     * Deletes the keys of a slot, in time proportional to the slot. Not atomic as a whole: a key that is set meanwhile
     * may stay, and a store that begins to refuse changes meanwhile leaves the rest, which {@link #countInSlot} tells.
     * A refusal is thrown only if nothing was deleted.
     *
     * @param slot the slot
     * @return how many keys were deleted, expired ones among them
     * @throws IllegalArgumentException if {@code slot} is not a slot
     */
    int dropSlot(int slot);
}
