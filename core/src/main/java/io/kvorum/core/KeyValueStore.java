package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Values under binary keys. Each key is in one of the 16,384 slots, and the store knows the keys of each slot.
 *
 * <p>Every operation on one key is atomic, and so is every operation on several keys of one slot; what a read may miss
 * of the writes before it, each store says for itself. Several operations on the keys of one slot become one by
 * {@link #transact(int, Function)}. A key with a deadline exists up to and including that millisecond by the store's
 * clock; afterwards every operation treats it as absent, although {@link #size} and {@link #countInSlot} count it until
 * it has been deleted.
 *
 * <p>An operation that the store refuses throws {@link io.kvorum.slots.topology.RefusedException} and has changed
 * nothing. A store that waits for other nodes may throw {@link io.kvorum.replication.OutcomeUnknownException}: then a
 * change may have been made, wholly or not at all. Only {@link #clear} and {@link #dropSlot}, which delete one key
 * after the other, may be made in part; to call them again is always safe.
 *
 * <p>Arrays that are passed in are borrowed for the call, arrays that are returned belong to the caller. Keys and
 * values may be empty, never {@code null}. How long they may be is the store's to say; what is too long is an
 * {@link IllegalArgumentException} to the operations that set values, before anything has changed.
 *
 * <p>Who implements it for a store of another kind writes the six methods without a body; the others are made of them.
 *
 * <p>Safe for use by any number of threads.
 */
public interface KeyValueStore extends KeyOperations, AutoCloseable {
    /** What stands for a deadline where there is none. */
    long NO_DEADLINE = -1;

    /**
     * Runs a function on the keys of one slot, atomically and isolated: no other operation sees or makes a change of
     * the slot while it runs, all that it changes takes effect at once when it returns, and nothing if it throws.
     *
     * <p>The function runs in the calling thread, while other operations on the slot, and on other slots too, wait: it
     * must be quick. It must use no store: where that could deadlock, {@link IllegalStateException} is thrown. A store
     * that sends operations on to other nodes may run it again after a refusal, so it should do nothing but use what it
     * is given.
     *
     * @param slot the slot of all keys that the function uses, see {@link HashSlot}
     * @param function receives the operations on the keys of the slot, which end with the call. A key of another slot
     *     is refused with {@link io.kvorum.slots.topology.RefusedException} of kind {@code CROSS_SLOT}.
     * @param <T> what the function returns
     * @return what the function returned
     * @throws IllegalArgumentException if {@code slot} is not a slot, or all changes together are longer than the store
     *     takes
     */
    <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function);

    /**
     * As {@link #transact(int, Function)}, for the slot of a key.
     *
     * @param key a key, of whose slot are all keys that the function uses
     * @param function receives the operations on the keys of the slot
     * @param <T> what the function returns
     * @return what the function returned
     */
    default <T extends @Nullable Object> T transact(byte[] key, Function<? super KeyOperations, ? extends T> function) {
        return this.<T>transact(HashSlot.of(key), function);
    }

    /**
     * As {@link #transact(byte[], Function)}, without a result.
     *
     * @param key a key, of whose slot are all keys that the action uses
     * @param action receives the operations on the keys of the slot
     */
    default void update(byte[] key, Consumer<? super KeyOperations> action) {
        Objects.requireNonNull(action, "action");
        this.<@Nullable Void>transact(HashSlot.of(key), keys -> {
            action.accept(keys);
            return null;
        });
    }

    /**
     * Runs a function that reads keys of one slot at one moment. What {@link #transact(int, Function)} says of the
     * function holds here too; others may read at the same time.
     *
     * @param slot the slot of all keys that the function uses
     * @param function receives the operations, which end with the call
     * @param <T> what the function returns
     * @return what the function returned
     * @throws IllegalArgumentException if {@code slot} is not a slot
     */
    <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function);

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
     * may stay. If a store begins to refuse changes meanwhile, the keys that it has deleted by then stay deleted, and
     * another call deletes the rest.
     *
     * @param slot the slot
     * @return how many keys were deleted, expired ones among them
     * @throws IllegalArgumentException if {@code slot} is not a slot
     * @throws PartlyClearedException if it was refused, or failed otherwise, after it had deleted some keys
     */
    int dropSlot(int slot);

    /**
     * Ends what the store does by itself, such as deleting expired keys in the background; what it holds may still be
     * read and changed. Nothing has to be closed unless the method that made it says so. Idempotent.
     */
    @Override
    default void close() {}

    // ---- without copies

    /**
     * Shows a value to a reader where it lies, instead of a copy of it.
     *
     * @param key the key
     * @param reader receives the value; it may be called twice, see {@link ValueReader}
     * @param <T> what the reader returns
     * @return what the reader returned, or {@code null} if the key does not exist
     */
    default <T extends @Nullable Object> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        Objects.requireNonNull(reader, "reader");
        byte[] value = get(key);
        return value == null ? null : LentValue.lend(value, 0, value.length, reader);
    }

    /**
     * Appends a value to a buffer.
     *
     * @param key the key
     * @param target borrowed: the value is written at its writer index, for which it must have room or be able to grow.
     *     If the operation throws, the writer index is where it was.
     * @return the length of the value in bytes, or -1 if the key does not exist
     * @throws IndexOutOfBoundsException if the buffer has no room and cannot grow; a retry with another one is safe
     */
    default int get(byte[] key, ByteBuf target) {
        Objects.requireNonNull(target, "target");
        byte[] value = get(key);
        if (value == null) {
            return -1;
        }
        target.writeBytes(value);
        return value.length;
    }

    /**
     * Sets a value, whether the key exists or not. A deadline that the key had is gone.
     *
     * @param key the key
     * @param value borrowed: its readable bytes are the value; neither its indices nor its reference count change
     * @throws IllegalArgumentException if the key or the value is longer than the store takes
     */
    default void set(byte[] key, ByteBuf value) {
        set(key, ByteBufUtil.getBytes(value, value.readerIndex(), value.readableBytes(), false));
    }

    // ---- several slots

    /**
     * Reads keys of any slots, one after the other: not at one moment. For keys of one slot see {@link #getAll}.
     *
     * @param keys the keys
     * @return a value for each key, in the same order; {@code null} for a key that does not exist
     */
    default List<byte @Nullable []> getEach(List<byte[]> keys) {
        List<byte @Nullable []> values = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            values.add(get(key));
        }
        return values;
    }

    /**
     * Sets keys of any slots, one after the other: if one is refused, those before it are set. For all or none see
     * {@link #setAll}.
     *
     * @param entries the entries
     */
    default void setEach(List<Entry> entries) {
        for (Entry entry : entries) {
            Life life = entry.deadline() == NO_DEADLINE ? Life.forever() : Life.until(entry.deadline());
            set(entry.key(), entry.value(), SetOptions.defaults().withLife(life));
        }
    }

    /**
     * Deletes keys of any slots, one after the other.
     *
     * @param keys the keys
     * @return how many of them existed
     */
    default int deleteEach(List<byte[]> keys) {
        int deleted = 0;
        for (byte[] key : keys) {
            deleted += delete(key) ? 1 : 0;
        }
        return deleted;
    }

    // ---- all slots

    /**
     * Returns some keys, and where to go on. A key that exists from the first page to the last is returned exactly
     * once, whatever else changes, and even if the topology does or another node takes over meanwhile; a key that comes
     * or goes meanwhile at most once. Pages may be empty before the end. The store keeps nothing between two calls.
     *
     * <p>A page costs time in proportion to the keys that it looks at. A {@link LocalStore} looks at no more than about
     * twice as many as were asked for, or 16,384, or a thousandth of a slot that holds very many, whichever is the
     * most, in steps between which others may write. A slot of some thousand keys comes in up to 64 pages, however few
     * were asked for.
     *
     * @param cursor {@link ScanCursor#START}, or where the page before left off
     * @param options which keys, and about how many at a time
     * @return the keys, and the next cursor
     * @throws IllegalArgumentException if the cursor is at the end
     */
    default ScanPage scan(ScanCursor cursor, ScanOptions options) {
        return SlotScan.page(this, cursor, options);
    }

    /**
     * {@return some key that exists, each as likely as any other, or {@code null} if there is none} In a store that is
     * made of several, each key of a node is equally likely, and each node by the number of its keys.
     */
    default byte @Nullable [] randomKey() {
        return SlotScan.randomKey(this);
    }

    /**
     * {@return some keys of a slot, in no order}
     *
     * @param slot the slot
     * @param limit the most keys to return; at least 1
     * @throws IllegalArgumentException if {@code slot} is not a slot, or {@code limit} is below 1
     */
    default List<byte[]> keysInSlot(int slot, int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be at least 1: " + limit);
        }
        List<byte[]> keys = new ArrayList<>();
        forEachInSlot(slot, entry -> {
            if (keys.size() < limit) {
                keys.add(entry.key());
            }
        });
        return keys;
    }

    /**
     * Deletes every key, slot by slot as {@link #dropSlot} does. If it fails half way, it tells which slots are cleared
     * and which remain; another call goes on.
     *
     * @return how many keys were deleted, expired ones among them
     * @throws PartlyClearedException if it was refused, or failed otherwise, after it had deleted some keys
     */
    default long clear() {
        return clear(SlotSet.ALL);
    }

    /**
     * Deletes the keys of some slots, as {@link #clear()} does.
     *
     * @param slots the slots
     * @return how many keys were deleted, expired ones among them
     * @throws PartlyClearedException if it was refused, or failed otherwise, after it had deleted some keys
     */
    default long clear(SlotSet slots) {
        long deleted = 0;
        for (int slot = slots.next(0); slot >= 0; slot = slots.next(slot + 1)) {
            try {
                if (countInSlot(slot) > 0) {
                    deleted += dropSlot(slot);
                }
            } catch (RuntimeException e) {
                SlotSet remaining = slots.intersect(SlotSet.ofRange(slot, HashSlot.COUNT - 1));
                throw PartlyClearedException.after(deleted, slots.minus(remaining), remaining, e);
            }
        }
        return deleted;
    }

    /**
     * {@return this store in asynchronous form: each operation runs as a task of an executor}
     *
     * @param executor runs the operations; in which order, is its business
     */
    default AsyncKeyValueStore async(Executor executor) {
        return new ExecutedStore(this, executor);
    }

    // ---- one key or several, each a function on its slot

    @Override
    default byte @Nullable [] get(byte[] key) {
        return this.<byte @Nullable []>read(HashSlot.of(key), keys -> keys.get(key));
    }

    @Override
    default @Nullable StoredValue lookUp(byte[] key) {
        return this.<@Nullable StoredValue>read(HashSlot.of(key), keys -> keys.lookUp(key));
    }

    @Override
    default List<byte @Nullable []> getAll(List<byte[]> keys) {
        List<byte[]> copy = List.copyOf(keys); // what is checked is what is read, whatever the caller does meanwhile
        return copy.isEmpty() ? List.of() : read(SlotView.slotOf(copy), slot -> slot.getAll(copy));
    }

    @Override
    default byte @Nullable [] getRange(byte[] key, long first, long last) {
        return this.<byte @Nullable []>read(HashSlot.of(key), keys -> keys.getRange(key, first, last));
    }

    @Override
    default int length(byte[] key) {
        return read(HashSlot.of(key), keys -> keys.length(key));
    }

    @Override
    default boolean exists(byte[] key) {
        return read(HashSlot.of(key), keys -> keys.exists(key));
    }

    @Override
    default boolean touch(byte[] key) {
        return read(HashSlot.of(key), keys -> keys.touch(key));
    }

    @Override
    default OptionalLong deadlineOf(byte[] key) {
        return read(HashSlot.of(key), keys -> keys.deadlineOf(key));
    }

    @Override
    default Optional<Duration> timeToLive(byte[] key) {
        return read(HashSlot.of(key), keys -> keys.timeToLive(key));
    }

    @Override
    default void set(byte[] key, byte[] value) {
        set(key, value, SetOptions.defaults());
    }

    @Override
    default boolean set(byte[] key, byte[] value, SetOptions options) {
        Objects.requireNonNull(value, "value");
        Objects.requireNonNull(options, "options");
        return transact(HashSlot.of(key), keys -> keys.set(key, value, options));
    }

    @Override
    default SetResult getAndSet(byte[] key, byte[] value, SetOptions options) {
        Objects.requireNonNull(value, "value");
        Objects.requireNonNull(options, "options");
        return transact(HashSlot.of(key), keys -> keys.getAndSet(key, value, options));
    }

    @Override
    default void setAll(List<Entry> entries) {
        List<Entry> copy = List.copyOf(entries);
        if (!copy.isEmpty()) {
            transact(SlotView.slotOfEntries(copy), keys -> {
                keys.setAll(copy);
                return true;
            });
        }
    }

    @Override
    default boolean setAllIfAbsent(List<Entry> entries) {
        List<Entry> copy = List.copyOf(entries);
        return copy.isEmpty() || transact(SlotView.slotOfEntries(copy), keys -> keys.setAllIfAbsent(copy));
    }

    @Override
    default boolean delete(byte[] key) {
        return transact(HashSlot.of(key), keys -> keys.delete(key));
    }

    @Override
    default boolean deleteIfEqual(byte[] key, byte[] expected) {
        Objects.requireNonNull(expected, "expected");
        return transact(HashSlot.of(key), keys -> keys.deleteIfEqual(key, expected));
    }

    @Override
    default byte @Nullable [] getAndDelete(byte[] key) {
        return this.<byte @Nullable []>transact(HashSlot.of(key), keys -> keys.getAndDelete(key));
    }

    @Override
    default byte @Nullable [] getAndExpire(byte[] key, Life life) {
        Objects.requireNonNull(life, "life");
        return this.<byte @Nullable []>transact(HashSlot.of(key), keys -> keys.getAndExpire(key, life));
    }

    @Override
    default long increment(byte[] key, long delta) {
        return transact(HashSlot.of(key), keys -> keys.increment(key, delta));
    }

    @Override
    default int append(byte[] key, byte[] suffix) {
        Objects.requireNonNull(suffix, "suffix");
        return transact(HashSlot.of(key), keys -> keys.append(key, suffix));
    }

    @Override
    default int setRange(byte[] key, int offset, byte[] part) {
        Objects.requireNonNull(part, "part");
        SlotTransaction.checkOffset(offset);
        return transact(HashSlot.of(key), keys -> keys.setRange(key, offset, part));
    }

    @Override
    default byte @Nullable [] compute(byte[] key, Function<byte @Nullable [], byte @Nullable []> function) {
        Objects.requireNonNull(function, "function");
        return this.<byte @Nullable []>transact(HashSlot.of(key), keys -> keys.compute(key, function));
    }

    @Override
    default boolean expire(byte[] key, Life life, ExpireCondition condition) {
        Objects.requireNonNull(life, "life");
        Objects.requireNonNull(condition, "condition");
        return transact(HashSlot.of(key), keys -> keys.expire(key, life, condition));
    }

    @Override
    default boolean rename(byte[] from, byte[] to) {
        return transact(SlotView.slotOf(List.of(from, to)), keys -> keys.rename(from, to));
    }

    @Override
    default boolean renameIfAbsent(byte[] from, byte[] to) {
        return transact(SlotView.slotOf(List.of(from, to)), keys -> keys.renameIfAbsent(from, to));
    }

    @Override
    default boolean copy(byte[] from, byte[] to) {
        return transact(SlotView.slotOf(List.of(from, to)), keys -> keys.copy(from, to));
    }

    @Override
    default boolean copyIfAbsent(byte[] from, byte[] to) {
        return transact(SlotView.slotOf(List.of(from, to)), keys -> keys.copyIfAbsent(from, to));
    }
}
