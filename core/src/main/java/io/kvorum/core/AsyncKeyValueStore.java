package io.kvorum.core;

import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link KeyValueStore} that does not make its callers wait: each operation returns a stage that is completed with
 * its result, or with the exception that it would have thrown, never wrapped. An operation begins when the store gets
 * to it, in no promised order: who wants one after the other begins the second when the first is done.
 *
 * <p>Arrays that are passed in are borrowed until the stage is completed. What depends on a stage runs in the thread
 * that completes it, unless it says otherwise, and must be quick there. A stage can be cancelled, which does not take
 * the operation back.
 *
 * <p>Safe for use by any number of threads.
 */
public interface AsyncKeyValueStore {
    /**
     * Runs any function that only reads the store.
     *
     * @param function receives the store, for this one run; it fails if it tries to change the store and the store can
     *     tell
     * @param <T> what the function returns
     * @return completed with what the function returned, or failed with what it threw
     */
    <T extends @Nullable Object> CompletionStage<T> reading(Function<? super KeyValueStore, ? extends T> function);

    /**
     * Runs any function that may change the store. Each of its operations is atomic, the function as a whole is not.
     *
     * @param function receives the store, for this one run
     * @param <T> what the function returns
     * @return completed with what the function returned, or failed with what it threw
     */
    <T extends @Nullable Object> CompletionStage<T> changing(Function<? super KeyValueStore, ? extends T> function);

    // ---- reading keys

    /** As {@link KeyReads#get(byte[])}. */
    default CompletionStage<byte @Nullable []> get(byte[] key) {
        return this.<byte @Nullable []>reading(store -> store.get(key));
    }

    /** As {@link KeyReads#lookUp(byte[])}. */
    default CompletionStage<@Nullable StoredValue> lookUp(byte[] key) {
        return this.<@Nullable StoredValue>reading(store -> store.lookUp(key));
    }

    /** As {@link KeyReads#getAll(List)}. */
    default CompletionStage<List<byte @Nullable []>> getAll(List<byte[]> keys) {
        return reading(store -> store.getAll(keys));
    }

    /** As {@link KeyReads#getRange(byte[], long, long)}. */
    default CompletionStage<byte @Nullable []> getRange(byte[] key, long first, long last) {
        return this.<byte @Nullable []>reading(store -> store.getRange(key, first, last));
    }

    /** As {@link KeyReads#length(byte[])}. */
    default CompletionStage<Integer> length(byte[] key) {
        return reading(store -> store.length(key));
    }

    /** As {@link KeyReads#exists(byte[])}. */
    default CompletionStage<Boolean> exists(byte[] key) {
        return reading(store -> store.exists(key));
    }

    /** As {@link KeyReads#touch(byte[])}. */
    default CompletionStage<Boolean> touch(byte[] key) {
        return reading(store -> store.touch(key));
    }

    /** As {@link KeyReads#deadlineOf(byte[])}. */
    default CompletionStage<OptionalLong> deadlineOf(byte[] key) {
        return reading(store -> store.deadlineOf(key));
    }

    /** As {@link KeyReads#timeToLive(byte[])}. */
    default CompletionStage<Optional<Duration>> timeToLive(byte[] key) {
        return reading(store -> store.timeToLive(key));
    }

    /** As {@link KeyValueStore#lend}. */
    default <T extends @Nullable Object> CompletionStage<@Nullable T> lend(byte[] key, ValueReader<T> reader) {
        return this.<@Nullable T>reading(store -> store.lend(key, reader));
    }

    /** As {@link KeyValueStore#get(byte[], ByteBuf)}. The buffer is borrowed until the stage is completed. */
    default CompletionStage<Integer> get(byte[] key, ByteBuf target) {
        int start = target.writerIndex();
        CompletionStage<Integer> read = reading(store -> {
            target.writerIndex(start); // perhaps not the first run
            return store.get(key, target);
        });
        CompletableFuture<Integer> outcome = read.toCompletableFuture().newIncompleteFuture();
        read.whenComplete((length, failure) -> {
            if (failure == null) {
                outcome.complete(length);
            } else { // what was read may be there, but is not confirmed
                target.writerIndex(start);
                outcome.completeExceptionally(failure);
            }
        });
        return outcome;
    }

    // ---- changing keys

    /** As {@link KeyValueStore#set(byte[], ByteBuf)}. The buffer is borrowed until the stage is completed. */
    default CompletionStage<@Nullable Void> set(byte[] key, ByteBuf value) {
        return this.<@Nullable Void>changing(store -> {
            store.set(key, value);
            return null;
        });
    }

    /** As {@link KeyOperations#set(byte[], byte[])}. */
    default CompletionStage<@Nullable Void> set(byte[] key, byte[] value) {
        return this.<@Nullable Void>changing(store -> {
            store.set(key, value);
            return null;
        });
    }

    /** As {@link KeyOperations#set(byte[], byte[], SetOptions)}. */
    default CompletionStage<Boolean> set(byte[] key, byte[] value, SetOptions options) {
        return changing(store -> store.set(key, value, options));
    }

    /** As {@link KeyOperations#getAndSet(byte[], byte[], SetOptions)}. */
    default CompletionStage<SetResult> getAndSet(byte[] key, byte[] value, SetOptions options) {
        return changing(store -> store.getAndSet(key, value, options));
    }

    /** As {@link KeyOperations#setAll(List)}. */
    default CompletionStage<@Nullable Void> setAll(List<Entry> entries) {
        return this.<@Nullable Void>changing(store -> {
            store.setAll(entries);
            return null;
        });
    }

    /** As {@link KeyOperations#setAllIfAbsent(List)}. */
    default CompletionStage<Boolean> setAllIfAbsent(List<Entry> entries) {
        return changing(store -> store.setAllIfAbsent(entries));
    }

    /** As {@link KeyOperations#delete(byte[])}. */
    default CompletionStage<Boolean> delete(byte[] key) {
        return changing(store -> store.delete(key));
    }

    /** As {@link KeyOperations#deleteIfEqual(byte[], byte[])}. */
    default CompletionStage<Boolean> deleteIfEqual(byte[] key, byte[] expected) {
        return changing(store -> store.deleteIfEqual(key, expected));
    }

    /** As {@link KeyOperations#getAndDelete(byte[])}. */
    default CompletionStage<byte @Nullable []> getAndDelete(byte[] key) {
        return this.<byte @Nullable []>changing(store -> store.getAndDelete(key));
    }

    /** As {@link KeyOperations#getAndExpire(byte[], Life)}. */
    default CompletionStage<byte @Nullable []> getAndExpire(byte[] key, Life life) {
        return this.<byte @Nullable []>changing(store -> store.getAndExpire(key, life));
    }

    /** As {@link KeyOperations#increment(byte[], long)}. */
    default CompletionStage<Long> increment(byte[] key, long delta) {
        return changing(store -> store.increment(key, delta));
    }

    /** As {@link KeyOperations#append(byte[], byte[])}. */
    default CompletionStage<Integer> append(byte[] key, byte[] suffix) {
        return changing(store -> store.append(key, suffix));
    }

    /** As {@link KeyOperations#setRange(byte[], int, byte[])}. */
    default CompletionStage<Integer> setRange(byte[] key, int offset, byte[] part) {
        return changing(store -> store.setRange(key, offset, part));
    }

    /** As {@link KeyOperations#compute(byte[], Function)}. */
    default CompletionStage<byte @Nullable []> compute(
            byte[] key, Function<byte @Nullable [], byte @Nullable []> function) {
        return this.<byte @Nullable []>changing(store -> store.compute(key, function));
    }

    /** As {@link KeyOperations#expire(byte[], Life, ExpireCondition)}. */
    default CompletionStage<Boolean> expire(byte[] key, Life life, ExpireCondition condition) {
        return changing(store -> store.expire(key, life, condition));
    }

    /** As {@link KeyOperations#expireAt(byte[], long)}. */
    default CompletionStage<Boolean> expireAt(byte[] key, long epochMillis) {
        return changing(store -> store.expireAt(key, epochMillis));
    }

    /** As {@link KeyOperations#expireAfter(byte[], Duration)}. */
    default CompletionStage<Boolean> expireAfter(byte[] key, Duration duration) {
        return changing(store -> store.expireAfter(key, duration));
    }

    /** As {@link KeyOperations#persist(byte[])}. */
    default CompletionStage<Boolean> persist(byte[] key) {
        return changing(store -> store.persist(key));
    }

    /** As {@link KeyOperations#rename(byte[], byte[])}. */
    default CompletionStage<Boolean> rename(byte[] from, byte[] to) {
        return changing(store -> store.rename(from, to));
    }

    /** As {@link KeyOperations#renameIfAbsent(byte[], byte[])}. */
    default CompletionStage<Boolean> renameIfAbsent(byte[] from, byte[] to) {
        return changing(store -> store.renameIfAbsent(from, to));
    }

    /** As {@link KeyOperations#copy(byte[], byte[])}. */
    default CompletionStage<Boolean> copy(byte[] from, byte[] to) {
        return changing(store -> store.copy(from, to));
    }

    /** As {@link KeyOperations#copyIfAbsent(byte[], byte[])}. */
    default CompletionStage<Boolean> copyIfAbsent(byte[] from, byte[] to) {
        return changing(store -> store.copyIfAbsent(from, to));
    }

    // ---- several slots

    /** As {@link KeyValueStore#getEach(List)}. */
    default CompletionStage<List<byte @Nullable []>> getEach(List<byte[]> keys) {
        return reading(store -> store.getEach(keys));
    }

    /** As {@link KeyValueStore#setEach(List)}. */
    default CompletionStage<@Nullable Void> setEach(List<Entry> entries) {
        return this.<@Nullable Void>changing(store -> {
            store.setEach(entries);
            return null;
        });
    }

    /** As {@link KeyValueStore#deleteEach(List)}. */
    default CompletionStage<Integer> deleteEach(List<byte[]> keys) {
        return changing(store -> store.deleteEach(keys));
    }

    // ---- slots

    /** As {@link KeyValueStore#transact(int, java.util.function.Function)}. */
    default <T extends @Nullable Object> CompletionStage<T> transact(
            int slot, Function<? super KeyOperations, ? extends T> function) {
        return this.<T>changing(store -> store.transact(slot, function));
    }

    /** As {@link KeyValueStore#read}. */
    default <T extends @Nullable Object> CompletionStage<T> read(
            int slot, Function<? super KeyReads, ? extends T> function) {
        return this.<T>reading(store -> store.read(slot, function));
    }

    /**
     * As {@link KeyValueStore#forEachInSlot}. The entries are collected first: the action sees none that may yet be
     * refused or turn out unconfirmed. It runs in the thread that completes the stage.
     */
    default CompletionStage<@Nullable Void> forEachInSlot(int slot, Consumer<Entry> action) {
        CompletionStage<List<Entry>> read = reading(store -> {
            List<Entry> collected = new ArrayList<>();
            store.forEachInSlot(slot, collected::add);
            return collected;
        });
        CompletableFuture<@Nullable Void> outcome = read.toCompletableFuture().newIncompleteFuture();
        read.whenComplete((entries, failure) -> {
            if (failure != null) {
                outcome.completeExceptionally(failure);
                return;
            }
            try {
                entries.forEach(action);
                outcome.complete(null);
            } catch (Throwable e) { // an Error, too, is the outcome: nobody else would hear of it
                outcome.completeExceptionally(e);
            }
        });
        return outcome;
    }

    /** As {@link KeyValueStore#size()}. */
    default CompletionStage<Long> size() {
        return reading(store -> store.size());
    }

    /** As {@link KeyValueStore#countInSlot(int)}. */
    default CompletionStage<Integer> countInSlot(int slot) {
        return reading(store -> store.countInSlot(slot));
    }

    /** As {@link KeyValueStore#keysInSlot(int, int)}. */
    default CompletionStage<List<byte[]>> keysInSlot(int slot, int limit) {
        return reading(store -> store.keysInSlot(slot, limit));
    }

    /** As {@link KeyValueStore#scan(ScanCursor, ScanOptions)}. */
    default CompletionStage<ScanPage> scan(ScanCursor cursor, ScanOptions options) {
        return reading(store -> store.scan(cursor, options));
    }

    /** As {@link KeyValueStore#randomKey()}. */
    default CompletionStage<byte @Nullable []> randomKey() {
        return this.<byte @Nullable []>reading(store -> store.randomKey());
    }

    /** As {@link KeyValueStore#dropSlot(int)}. */
    default CompletionStage<Integer> dropSlot(int slot) {
        return changing(store -> store.dropSlot(slot));
    }

    /** As {@link KeyValueStore#clear(SlotSet)}. */
    default CompletionStage<Long> clear(SlotSet slots) {
        return changing(store -> store.clear(slots));
    }

    /** As {@link KeyValueStore#clear()}. */
    default CompletionStage<Long> clear() {
        return changing(store -> store.clear());
    }
}
