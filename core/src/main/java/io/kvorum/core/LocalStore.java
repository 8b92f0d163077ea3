package io.kvorum.core;

import io.kvorum.core.KeyspaceEvent.Kind;
import io.kvorum.core.engine.ChangeSink;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.MemoryBudget;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.core.engine.SlotWalk;
import io.kvorum.core.engine.SlowWatch.Operation;
import io.kvorum.core.engine.StoreCounters;
import io.kvorum.core.engine.Stripe;
import io.kvorum.core.engine.Table;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A key-value store in the heap of this JVM.
 *
 * <p>The slots are divided into stripes, each with a lock of its own; all keys of a slot are in one stripe, so an
 * operation takes one lock, and a read of one value none unless a writer is at work in the same stripe. Every change is
 * shown to one {@link MutationSink} under that lock before it is made.
 *
 * <p>Every operation on the keys of one slot is linearizable, and so is every transaction. Keys and values longer than
 * the settings allow are refused with {@link IllegalArgumentException}; so is what the sink finds too long, such as a
 * change above the {@code maxPayload()} of a {@link io.kvorum.replication.ReplicationLog}.
 *
 * <p>What {@link StoreSettings#limit} allows is all that it holds: a write beyond that is refused as
 * {@code OUT_OF_MEMORY}, or other keys are evicted, as {@link MemoryLimit} says.
 *
 * <p>A key past its deadline is hidden from every operation. It is deleted by {@link #expire} and by writes: each
 * deletes a few such keys of its stripe, so a store that is written to does not fill up with them. It is never deleted
 * because a record of the replication log is applied: a replica does not delete by its clock.
 *
 * <p>An operation for which the stack does not last throws {@link StackOverflowError} and leaves the old value or the
 * new one, and no lock taken. If another error of the JVM, such as one for want of memory, leaves a change half made,
 * or its sink knows of a change that could not be made, the stripe is put out of use: every operation on it throws
 * {@link IllegalStateException}, and {@link #health} says so, until a full sync replaces the data.
 *
 * <p>Safe for use by any number of threads.
 */
public final class LocalStore extends SlottedStore {
    private static final int BATCH = 64;
    private static final int RANDOM_TRIES = 16;

    private final StoreSettings settings;
    private final Engine engine;
    private final ChangeSink sink;
    private final SlotScan.Keys existingKeys;

    /** Makes an empty store with default settings, a secret seed and the system's clock, which nobody listens to. */
    public LocalStore() {
        this(StoreSettings.defaults());
    }

    /**
     * Makes an empty store with a secret seed and the system's clock, which nobody listens to.
     *
     * @param settings its fixed values
     */
    public LocalStore(StoreSettings settings) {
        this(settings, new SecureRandom().nextLong(), InstantSource.system());
    }

    /**
     * Makes an empty store that nobody listens to.
     *
     * @param settings its fixed values
     * @param seed the seed of the key hash; keep it secret if strangers choose keys
     * @param clock decides whether a deadline has passed
     */
    public LocalStore(StoreSettings settings, long seed, InstantSource clock) {
        this(settings, newEngine(settings, seed, clock), ChangeSink.NOBODY);
    }

    /**
     * Makes an empty store.
     *
     * @param settings its fixed values
     * @param seed the seed of the key hash; keep it secret if strangers choose keys
     * @param clock decides whether a deadline has passed
     * @param sink sees every change before it is made, and may refuse it
     */
    public LocalStore(StoreSettings settings, long seed, InstantSource clock, MutationSink sink) {
        this(settings, newEngine(settings, seed, clock), Objects.requireNonNull(sink, "sink")::accept);
    }

    private LocalStore(StoreSettings settings, Engine engine, ChangeSink sink) {
        super(List.of(engine));
        this.settings = settings;
        this.engine = engine;
        this.sink = sink;
        this.existingKeys = new ExistingKeys(engine);
    }

    /** The view of a store through another sink. */
    private LocalStore(LocalStore viewed, ChangeSink sink) {
        super(viewed);
        this.settings = viewed.settings;
        this.engine = viewed.engine;
        this.sink = sink;
        this.existingKeys = viewed.existingKeys;
    }

    private static Engine newEngine(StoreSettings settings, long seed, InstantSource clock) {
        Objects.requireNonNull(clock, "clock");
        return new Engine(settings.engine(), seed, clock);
    }

    /**
     * {@return this store with another sink: what is changed through the view is shown to that sink instead of the
     * store's own} For those who must know what became of a change, such as its position in a log. Everything else is
     * shared.
     *
     * @param other sees every change that is made through the view, before it is made, and may refuse it
     */
    public KeyValueStore withSink(MutationSink other) {
        Objects.requireNonNull(other, "sink");
        return new LocalStore(this, other instanceof ChangeSink sink ? sink : other::accept); // one object less a write
    }

    /** {@return the number of its keys, their weight and its state} */
    @Override
    public String toString() {
        return "LocalStore[" + size() + " keys, " + bytes() + " bytes, " + health().state() + "]";
    }

    /** {@return the settings} */
    public StoreSettings settings() {
        return settings;
    }

    // ---- one key

    @Override
    byte @Nullable [] get(int slot, byte[] key) {
        return engine.get(slot, key);
    }

    @Override
    int get(int slot, byte[] key, ByteBuf target) {
        return engine.get(slot, key, target);
    }

    @Override
    <T extends @Nullable Object> @Nullable T lend(int slot, byte[] key, ValueReader<T> reader) {
        return engine.<ValueReader<T>, T>lend(slot, key, reader, LentValue::lend);
    }

    @Override
    boolean set(int slot, byte[] key, byte[] value, SetOptions options) {
        if (options.dependsOnKey()) {
            return transact(slot, keys -> keys.set(key, value, options));
        }
        return engine.slow().isOff()
                ? setNow(slot, key, value, options.life())
                : engine.slow().time(Operation.SET, slot, () -> setNow(slot, key, value, options.life()));
    }

    private boolean setNow(int slot, byte[] key, byte[] value, Life life) {
        settings.checkLengths(key.length, value.length);
        boolean timed = life.kind() != Life.Kind.FOREVER;
        long now = timed ? engine.clock().millis() : 0;
        long deadline = life.deadline(now, NO_DEADLINE);
        if (timed && deadline <= now) {
            transactNow(slot, keys -> keys.delete(key));
            return true;
        }
        long keyHash = engine.hash().of(key);
        MemoryBudget budget = engine.budget();
        engine.contents().stripeOf(slot).fetch(keyHash, key);
        Stripe stripe = engine.lock(slot);
        try {
            Table table = stripe.table();
            boolean isTimed = deadline != NO_DEADLINE;
            long share = table.shareOfBound(key.length, value.length, isTimed);
            if (!table.canTake(share, true)) {
                MemoryBudget.requireTable(stripe, slot, share, MemoryBudget.shareOf(stripe, keyHash, key));
            }
            if (budget.isLimited()) {
                budget.take(
                        stripe,
                        slot,
                        budget.entry(stripe, key.length, value.length),
                        budget.held(stripe, keyHash, key));
            }
            boolean wasExpired = table.timed() > 0 && engine.isExpired(table.deadline(keyHash, key));
            if (sink != ChangeSink.NOBODY) {
                ByteBuf change = stripe.scratch();
                MutationWriter.put(change, key, value, deadline);
                table.prepare(slot, keyHash, key, value.length, isTimed);
                sink.accept(slot, change);
                stripe.changing();
            }
            if (wasExpired) {
                engine.expired(slot, key);
            }
            engine.put(stripe, slot, keyHash, key, value, deadline);
            engine.expireSome(sink, stripe);
        } catch (RefusedException e) {
            throw engine.counters().refused(e);
        } finally {
            engine.unlock(stripe);
        }
        if (budget.isExceeded()) {
            engine.evict(sink, other -> Arrays.equals(other, key));
        }
        engine.counters().set(1);
        return true;
    }

    // ---- the keys of one slot

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        HashSlot.check(slot);
        return engine.slow().isOff()
                ? this.<T>readNow(slot, function)
                : engine.slow().<T>time(Operation.READ, slot, () -> this.<T>readNow(slot, function));
    }

    private <T extends @Nullable Object> T readNow(int slot, Function<? super KeyReads, ? extends T> function) {
        Stripe stripe = engine.contents().stripeOf(slot);
        long stamp = stripe.lockToRead();
        try {
            return SlotView.<SlotView, T>run(
                    new SlotView(engine, stripe, slot, engine.clock().millis()), function);
        } finally {
            stripe.unlockRead(stamp);
        }
    }

    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        HashSlot.check(slot);
        return engine.slow().isOff()
                ? this.<T>transactNow(slot, function)
                : engine.slow().<T>time(Operation.TRANSACT, slot, () -> this.<T>transactNow(slot, function));
    }

    private <T extends @Nullable Object> T transactNow(
            int slot, Function<? super KeyOperations, ? extends T> function) {
        Stripe stripe = engine.lock(slot);
        T result;
        SlotTransaction transaction;
        try {
            transaction = new SlotTransaction(
                    engine, settings, stripe, slot, engine.clock().millis());
            result = SlotView.<SlotTransaction, T>run(transaction, function);
            transaction.commit(sink);
            engine.expireSome(sink, stripe);
        } catch (RefusedException e) {
            throw engine.counters().refused(e);
        } finally {
            engine.unlock(stripe);
        }
        if (engine.budget().isExceeded()) {
            engine.evict(sink, transaction::isSet);
        }
        engine.counters().set(transaction.keysSet());
        engine.counters().deleted(transaction.keysDeleted());
        return result;
    }

    // ---- slots

    @Override
    public long size() {
        return engine.contents().size();
    }

    /**
     * {@return how many bytes the keys held count, by the formula of {@link MemoryLimit}, those among them that have
     * expired and have not been deleted yet}
     */
    public long bytes() {
        return engine.contents().bytes();
    }

    @Override
    public int countInSlot(int slot) {
        return engine.contents().stripeOf(HashSlot.check(slot)).size(slot);
    }

    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        Objects.requireNonNull(action, "action");
        Stripe stripe = engine.contents().stripeOf(HashSlot.check(slot));
        try (SlotWalk walk = new SlotWalk(stripe, slot)) {
            List<Entry> batch = new ArrayList<>(BATCH);
            boolean more = true;
            while (more) {
                more = walk.next(
                        BATCH, cursor -> batch.add(new Entry(cursor.key(), cursor.value(), cursor.deadline())));
                for (Entry entry : batch) {
                    if (engine.isVisible(entry.deadline())) {
                        action.accept(entry);
                    }
                }
                batch.clear();
            }
        }
    }

    @Override
    public List<byte[]> keysInSlot(int slot, int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be at least 1: " + limit);
        }
        List<byte[]> keys = new ArrayList<>();
        try (SlotWalk walk = new SlotWalk(engine.contents().stripeOf(HashSlot.check(slot)), slot)) {
            boolean more = true;
            while (more && keys.size() < limit) {
                more = walk.next(Math.min(BATCH, limit - keys.size()), cursor -> {
                    if (engine.isVisible(cursor.deadline())) {
                        keys.add(cursor.key());
                    }
                });
            }
        }
        return keys;
    }

    @Override
    public ScanPage scan(ScanCursor cursor, ScanOptions options) {
        Objects.requireNonNull(options, "options");
        return engine.slow().isOff()
                ? SlotScan.page(existingKeys, cursor, options)
                : engine.slow().time(Operation.SCAN, -1, () -> SlotScan.page(existingKeys, cursor, options));
    }

    @Override
    public byte @Nullable [] randomKey() {
        for (int i = 0; i < RANDOM_TRIES; i++) {
            byte[] key = SlotScan.randomKey(existingKeys, engine.contents().drawSlot(ThreadLocalRandom.current()));
            if (key != null) {
                return key;
            }
        }
        return SlotScan.anyKey(existingKeys);
    }

    @Override
    public int dropSlot(int slot) {
        Engine.Dropped dropped = engine.dropSlot(sink, HashSlot.check(slot));
        if (dropped.failure() != null) {
            throw new PartlyClearedException(dropped.keys(), SlotSet.EMPTY, SlotSet.of(slot), dropped.failure());
        }
        return dropped.keys();
    }

    // ---- expiry

    /**
     * Deletes keys whose deadline has passed, and shows each deletion to the sink. To be called now and then, where the
     * sink accepts changes: nothing else frees the memory of a key that is never touched again. It holds a lock for no
     * more than a few dozen keys at a time, and stops quietly at the first change that the sink refuses.
     *
     * @param budget the most keys to delete; at least 1. It looks at no more than about eight times as many, and goes
     *     on with the others when it is called again.
     * @return how many keys were deleted
     * @throws IllegalArgumentException if {@code budget} is below 1
     */
    public int expire(int budget) {
        if (budget < 1) {
            throw new IllegalArgumentException("budget must be at least 1: " + budget);
        }
        return engine.expire(sink, budget);
    }

    // ---- replication

    /**
     * {@return this store as the state that a shard replicates} What is changed through it is shown to no sink, and is
     * neither refused nor makes room by itself. Expired keys that have not been deleted are part of its snapshots. If a
     * restoration completes while a snapshot is scanned, the scan goes on over the state that was replaced.
     */
    public ReplicatedState replicatedState() {
        return engine;
    }

    /**
     * {@return a number that is the same for stores with the same entries, whatever their seeds, and different, except
     * by a chance of one in 2 to the 64, for others} Expired keys that have not been deleted count. Locks one stripe at
     * a time, so while the store is being changed the result is of no single moment.
     */
    public long digest() {
        return engine.contents().digest();
    }

    // ---- listening

    /**
     * As {@link #subscribe(KeyspaceListener, Executor, int, Set)}, to events of every kind of some keys. Those of other
     * keys take no number.
     *
     * @param filter which keys; asked under a lock of the store, so it must be quick and must call no store; if it
     *     throws, the event is delivered
     * @param listener is told
     * @param executor runs the listener, one call at a time
     * @param capacity the most events that wait to be delivered; at least 1
     * @return the subscription, which the caller closes
     */
    public KeyspaceSubscription subscribe(
            KeyFilter filter, KeyspaceListener listener, Executor executor, int capacity) {
        return KeyspaceSubscription.start(
                List.of(engine), EnumSet.allOf(Kind.class), filter, listener, executor, capacity);
    }

    /** As {@link #subscribe(KeyspaceListener, Executor, int, Set)}, to events of every kind. */
    public KeyspaceSubscription subscribe(KeyspaceListener listener, Executor executor, int capacity) {
        return subscribe(listener, executor, capacity, EnumSet.allOf(Kind.class));
    }

    /**
     * Tells a listener of every change from now on: see {@link KeyspaceSubscription} for what is promised.
     *
     * <p>A store that is a replica has the events {@code SET} and {@code DELETED} of what its primary did, and
     * {@code REPLACED} after a full sync.
     *
     * @param listener is told
     * @param executor runs the listener, one call at a time. It should do so in a thread of its own: in that of whoever
     *     changes the store, it would hold up the change's return. If it refuses, the events wait for the next change;
     *     if it takes a task and never runs it, they wait for ever.
     * @param capacity the most events that wait to be delivered; at least 1
     * @param kinds the events that are wanted, the others take no number; {@code REPLACED} is always among them
     * @return the subscription, which the caller closes
     * @throws IllegalArgumentException if {@code capacity} is below 1
     */
    public KeyspaceSubscription subscribe(KeyspaceListener listener, Executor executor, int capacity, Set<Kind> kinds) {
        return KeyspaceSubscription.start(List.of(engine), kinds, KeyFilter.all(), listener, executor, capacity);
    }

    // ---- how it does

    /**
     * Tells a listener of each operation that takes long, from now on and instead of the listener before, if there is
     * one. The listener is called by the thread that made the operation, once it is over and every lock released; it
     * must be quick. What it throws is logged and does no harm. Without a listener nothing is measured, unless a JDK
     * Flight Recorder has asked for {@code io.kvorum.SlowOperation}.
     *
     * @param threshold from how long on an operation takes long; not negative
     * @param listener is told
     * @throws IllegalArgumentException if {@code threshold} is negative
     */
    public void onSlowOperation(Duration threshold, Consumer<? super SlowOperation> listener) {
        Objects.requireNonNull(listener, "listener");
        engine.slow().listen(threshold, (operation, slot, took, failed) -> {
            SlowOperation.Kind kind = SlowOperation.Kind.valueOf(operation.name());
            listener.accept(new SlowOperation(kind, slot, took, failed));
        });
    }

    /** Tells nobody any more of operations that take long, from the next one on. */
    public void ignoreSlowOperations() {
        engine.slow().stop();
    }

    /** {@return how the store is now} Looks at each stripe for a moment, so that it can be asked often. */
    public StoreHealth health() {
        boolean behind = engine.isExpiryBehind();
        StoreHealth.State state = behind ? StoreHealth.State.EXPIRY_BEHIND : StoreHealth.State.OK;
        if (engine.budget().isExceeded()) {
            state = StoreHealth.State.ABOVE_LIMIT;
        } else if (engine.budget().isFull() || engine.isAtBound()) {
            state = StoreHealth.State.FULL;
        }
        if (engine.isDamaged()) {
            state = StoreHealth.State.DAMAGED;
        }
        return new StoreHealth(state, size(), bytes(), settings.limit(), behind);
    }

    /**
     * {@return what the store has done since this was first called} Nothing is counted before, since a count costs a
     * get a good part of its time.
     */
    public StoreStats stats() {
        StoreCounters counters = engine.counters();
        counters.start();
        Map<RefusedException.Kind, Long> refusals = new EnumMap<>(RefusedException.Kind.class);
        for (RefusedException.Kind kind : RefusedException.Kind.values()) {
            refusals.put(kind, counters.refusals(kind));
        }
        return new StoreStats(
                counters.hits(),
                counters.misses(),
                counters.sets(),
                counters.deletes(),
                counters.expirations(),
                counters.evictions(),
                refusals);
    }
}
