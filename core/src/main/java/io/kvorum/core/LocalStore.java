package io.kvorum.core;

import io.kvorum.core.KeyspaceEvent.Kind;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A key-value store in the heap of this JVM, and the state that a shard replicates.
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
 * <p>A key past its deadline is hidden from every operation. It is deleted by {@link #expire}, or by a write to it, and
 * never by {@link #apply}: a replica does not delete by its clock.
 *
 * <p>As a {@link ReplicatedState} it is changed by {@link #apply} and by a {@link Restoration}, which no sink sees.
 *
 * <p>Safe for use by any number of threads; a {@link SnapshotScan} and a {@link Restoration} are confined to one.
 */
public final class LocalStore extends SlottedStore implements ReplicatedState {
    /** The sink of a store that nobody listens to; known by identity, so that nothing is encoded for it. */
    static final MutationSink NOBODY = (slot, change) -> {};

    private static final int BATCH = 64;
    private static final int RANDOM_TRIES = 16;

    private final StoreSettings settings;
    private final KeyHash hash;
    private final InstantSource clock;
    private final MutationSink sink;
    private final Room room;
    private final Upkeep upkeep;
    private final SlowWatch slow = new SlowWatch();
    private final StoreCounters counters = new StoreCounters();
    private final SlotScan.Keys existingKeys = new ExistingKeys(this);
    private final Watchers watchers = new Watchers();
    private volatile Contents contents;

    /** Makes an empty store with default settings, a secret seed and the system's clock, which nobody listens to. */
    public LocalStore() {
        this(StoreSettings.defaults(), new SecureRandom().nextLong(), InstantSource.system());
    }

    /**
     * Makes an empty store that nobody listens to.
     *
     * @param settings its fixed values
     * @param seed the seed of the key hash; keep it secret if strangers choose keys
     * @param clock what decides whether a deadline has passed
     */
    public LocalStore(StoreSettings settings, long seed, InstantSource clock) {
        this(settings, seed, clock, NOBODY);
    }

    /**
     * Makes an empty store.
     *
     * @param settings its fixed values
     * @param seed the seed of the key hash; keep it secret if strangers choose keys
     * @param clock what decides whether a deadline has passed
     * @param sink sees every change before it is made, and may refuse it
     */
    public LocalStore(StoreSettings settings, long seed, InstantSource clock, MutationSink sink) {
        this.settings = Objects.requireNonNull(settings, "settings");
        this.clock = Objects.requireNonNull(clock, "clock");
        this.sink = Objects.requireNonNull(sink, "sink");
        this.room = new Room(settings.limit());
        SplittableRandom keys = new SplittableRandom(seed);
        this.hash = new KeyHash(keys.nextLong(), keys.nextLong());
        this.contents = new Contents(settings, hash);
        this.upkeep = new Upkeep(this);
    }

    // ---- one key

    @Override
    byte @Nullable [] get(int slot, byte[] key) {
        return slow.isOff() ? getNow(slot, key) : slow.time(SlowOperation.Kind.GET, slot, () -> getNow(slot, key));
    }

    private byte @Nullable [] getNow(int slot, byte[] key) {
        byte[] value = contents.stripeOf(slot).get(hash.of(key), key, clock);
        counters.got(value != null);
        return value;
    }

    @Override
    int get(int slot, byte[] key, ByteBuf target) {
        return slow.isOff()
                ? getNow(slot, key, target)
                : slow.time(SlowOperation.Kind.GET, slot, () -> getNow(slot, key, target));
    }

    private int getNow(int slot, byte[] key, ByteBuf target) {
        int length = contents.stripeOf(slot).get(hash.of(key), key, clock, target);
        counters.got(length != Table.NO_VALUE);
        return length;
    }

    @Override
    <T extends @Nullable Object> @Nullable T lend(int slot, byte[] key, ValueReader<T> reader) {
        return slow.isOff()
                ? this.<T>lendNow(slot, key, reader)
                : slow.<@Nullable T>time(SlowOperation.Kind.GET, slot, () -> this.<T>lendNow(slot, key, reader));
    }

    private <T extends @Nullable Object> @Nullable T lendNow(int slot, byte[] key, ValueReader<T> reader) {
        return contents.stripeOf(slot).lend(hash.of(key), key, clock, reader);
    }

    @Override
    boolean set(int slot, byte[] key, byte[] value, SetOptions options) {
        return set(sink, slot, key, value, options);
    }

    boolean set(MutationSink target, int slot, byte[] key, byte[] value, SetOptions options) {
        if (options.dependsOnKey()) {
            return transact(target, slot, keys -> keys.set(key, value, options));
        }
        return slow.isOff()
                ? setNow(target, slot, key, value, options.life())
                : slow.time(SlowOperation.Kind.SET, slot, () -> setNow(target, slot, key, value, options.life()));
    }

    private boolean setNow(MutationSink target, int slot, byte[] key, byte[] value, Life life) {
        settings.checkLengths(key.length, value.length);
        boolean timed = life.kind() != Life.Kind.FOREVER;
        long now = timed ? clock.millis() : 0;
        long deadline = life.deadline(now, NO_DEADLINE);
        if (timed && deadline <= now) {
            transactNow(target, slot, keys -> keys.delete(key));
            return true;
        }
        long keyHash = hash.of(key);
        Stripe stripe = lock(slot);
        try {
            Room.requireTable(stripe, slot, 1);
            if (room.isLimited()) {
                room.take(stripe, slot, room.entry(stripe, key.length, value.length), room.held(stripe, keyHash, key));
            }
            if (target != NOBODY) {
                ByteBuf change = stripe.scratch();
                MutationWriter.put(change, key, value, deadline);
                target.accept(slot, change);
            }
            put(stripe, slot, keyHash, key, value, deadline);
        } catch (RefusedException e) {
            throw counters.refused(e);
        } finally {
            unlock(stripe);
        }
        upkeep.evict(target);
        counters.set(1);
        return true;
    }

    // ---- the keys of one slot

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        HashSlot.check(slot);
        return slow.isOff()
                ? this.<T>readNow(slot, function)
                : slow.<T>time(SlowOperation.Kind.READ, slot, () -> this.<T>readNow(slot, function));
    }

    private <T extends @Nullable Object> T readNow(int slot, Function<? super KeyReads, ? extends T> function) {
        Stripe stripe = contents.stripeOf(slot);
        long stamp = stripe.lockToRead();
        try {
            return SlotView.<SlotView, T>run(new SlotView(this, stripe, slot, clock.millis()), function);
        } finally {
            stripe.unlockRead(stamp);
        }
    }

    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        return transact(sink, slot, function);
    }

    <T extends @Nullable Object> T transact(
            MutationSink target, int slot, Function<? super KeyOperations, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        HashSlot.check(slot);
        return slow.isOff()
                ? this.<T>transactNow(target, slot, function)
                : slow.<T>time(SlowOperation.Kind.TRANSACT, slot, () -> this.<T>transactNow(target, slot, function));
    }

    private <T extends @Nullable Object> T transactNow(
            MutationSink target, int slot, Function<? super KeyOperations, ? extends T> function) {
        Stripe stripe = lock(slot);
        T result;
        SlotTransaction transaction;
        try {
            transaction = new SlotTransaction(this, stripe, slot, clock.millis());
            result = SlotView.<SlotTransaction, T>run(transaction, function);
            transaction.commit(target);
        } catch (RefusedException e) {
            throw counters.refused(e);
        } finally {
            unlock(stripe);
        }
        upkeep.evict(target);
        counters.set(transaction.keysSet());
        counters.deleted(transaction.keysDeleted());
        return result;
    }

    // ---- slots

    @Override
    public long size() {
        return contents.size();
    }

    /**
     * {@return how many bytes the keys held count, by the formula of {@link MemoryLimit}, those among them that have
     * expired and have not been deleted yet}
     */
    public long bytes() {
        return contents.bytes();
    }

    @Override
    public int countInSlot(int slot) {
        return contents.stripeOf(HashSlot.check(slot)).size(slot);
    }

    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        Objects.requireNonNull(action, "action");
        Stripe stripe = contents.stripeOf(HashSlot.check(slot));
        try (SlotWalk walk = new SlotWalk(stripe, slot)) {
            List<Entry> batch = new ArrayList<>(BATCH);
            boolean more = true;
            while (more) {
                more = walk.next(BATCH, cursor -> batch.add(cursor.entry()));
                for (Entry entry : batch) {
                    if (isVisible(entry.deadline())) {
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
        try (SlotWalk walk = new SlotWalk(contents.stripeOf(HashSlot.check(slot)), slot)) {
            boolean more = true;
            while (more && keys.size() < limit) {
                more = walk.next(Math.min(BATCH, limit - keys.size()), cursor -> addVisibleKey(cursor, keys));
            }
        }
        return keys;
    }

    void addVisibleKey(Table.Cursor cursor, List<byte[]> keys) {
        if (isVisible(cursor.deadline())) {
            keys.add(cursor.key());
        }
    }

    @Override
    ScanPage scan(ScanCursor cursor, int lastSlot, ScanOptions options) {
        return slow.isOff()
                ? SlotScan.page(existingKeys, cursor, lastSlot, options)
                : slow.time(SlowOperation.Kind.SCAN, -1, () -> SlotScan.page(existingKeys, cursor, lastSlot, options));
    }

    @Override
    public byte @Nullable [] randomKey() {
        Contents current = contents;
        for (int i = 0; i < RANDOM_TRIES; i++) {
            byte[] key = SlotScan.randomKey(existingKeys, current.drawSlot(ThreadLocalRandom.current()));
            if (key != null) {
                return key;
            }
        }
        return SlotScan.anyKey(existingKeys);
    }

    @Override
    public int dropSlot(int slot) {
        return dropSlot(sink, slot);
    }

    @Override
    long clear(int firstSlot, int lastSlot) {
        return dropSlots(this, firstSlot, lastSlot);
    }

    int dropSlot(MutationSink target, int slot) {
        HashSlot.check(slot);
        return slow.isOff()
                ? dropSlotNow(target, slot)
                : slow.time(SlowOperation.Kind.DROP_SLOT, slot, () -> dropSlotNow(target, slot));
    }

    private int dropSlotNow(MutationSink target, int slot) {
        Stripe stripe = contents.stripeOf(slot);
        int dropped = 0;
        try (SlotWalk walk = new SlotWalk(stripe, slot)) {
            List<byte[]> batch = new ArrayList<>(BATCH);
            boolean more = true;
            while (more) {
                more = walk.next(BATCH, cursor -> batch.add(cursor.key()));
                Stripe current = lock(slot);
                try {
                    for (byte[] key : batch) {
                        if (remove(target, current, slot, hash.of(key), key, Cause.DELETED)) {
                            dropped++;
                        }
                    }
                } catch (RefusedException e) {
                    counters.refused(e);
                    if (dropped == 0) {
                        throw e;
                    }
                    more = false; // what is gone is gone: a refusal would say that nothing was changed
                } finally {
                    unlock(current);
                }
                batch.clear();
            }
        }
        counters.deleted(dropped);
        return dropped;
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
        return expire(sink, budget);
    }

    int expire(MutationSink target, int budget) {
        if (budget < 1) {
            throw new IllegalArgumentException("budget must be at least 1: " + budget);
        }
        return slow.isOff()
                ? upkeep.expire(target, budget)
                : slow.time(SlowOperation.Kind.EXPIRE, -1, () -> upkeep.expire(target, budget));
    }

    // ---- the replicated state

    @Override
    public void apply(int slot, ByteBuf payload) {
        HashSlot.check(slot);
        if (slow.isOff()) {
            applyNow(slot, payload);
        } else {
            slow.time(SlowOperation.Kind.APPLY, slot, () -> applyNow(slot, payload));
        }
    }

    private void applyNow(int slot, ByteBuf payload) {
        Stripe stripe = lock(slot);
        try {
            Contents.apply(stripe, hash, slot, payload, payload.readerIndex(), payload.writerIndex(), watchers);
        } finally {
            unlock(stripe);
        }
    }

    /**
     * Starts a scan, which locks one stripe at a time and no longer than it takes to write what was asked for. Expired
     * keys that have not been deleted are part of it. If a restoration completes meanwhile, the scan goes on over the
     * state that was replaced.
     *
     * @return the scan, which the caller closes
     */
    @Override
    public SnapshotScan snapshot() {
        return new ContentsScan(contents);
    }

    @Override
    public Restoration restore() {
        return new ContentsRestoration(settings, hash, this::replace);
    }

    private void replace(Contents replacement) {
        Contents old = contents;
        old.lockAll();
        replacement.countFrom(old);
        replacement.lockAll(); // nobody reads or changes what is new before the watchers know
        room.recount(old, replacement);
        contents = replacement;
        try {
            watchers.replaced();
        } finally {
            replacement.unlockAll();
            old.retireAndUnlockAll();
        }
        watchers.unlocked();
    }

    /**
     * {@return a number that is the same for stores with the same entries, whatever their seeds, and different, except
     * by a chance of one in 2 to the 64, for others} Expired keys that have not been deleted count. Locks one stripe at
     * a time, so while the store is being changed the result is of no single moment.
     */
    public long digest() {
        return contents.digest();
    }

    // ---- listening

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
        return KeyspaceSubscription.start(List.of(this), kinds, listener, executor, capacity);
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
        slow.listen(threshold, Objects.requireNonNull(listener, "listener"));
    }

    /** Tells nobody any more of operations that take long, from the next one on. */
    public void ignoreSlowOperations() {
        slow.stop();
    }

    /** {@return how the store is now} Looks at each stripe for a moment, so that it can be asked often. */
    public StoreHealth health() {
        return StoreHealth.of(this, upkeep.isBehind());
    }

    // ---- for the package

    StoreCounters counters() {
        return counters;
    }

    StoreSettings settings() {
        return settings;
    }

    KeyHash hash() {
        return hash;
    }

    InstantSource clock() {
        return clock;
    }

    Contents contents() {
        return contents;
    }

    Watchers watchers() {
        return watchers;
    }

    Room room() {
        return room;
    }

    // ---- under the lock

    /** Locks the stripe of a slot, the one that is current once the lock is held. */
    Stripe lock(int slot) {
        while (true) {
            Stripe stripe = contents.stripeOf(slot);
            stripe.lock();
            if (!stripe.isRetired()) {
                return stripe;
            }
            stripe.unlock();
        }
    }

    /** Unlocks a stripe after whatever was done to it. */
    void unlock(Stripe stripe) {
        room.settle(stripe);
        stripe.unlock();
        watchers.unlocked();
    }

    /** Puts an entry into the table and tells the watchers. */
    void put(Stripe stripe, int slot, long keyHash, byte[] key, byte[] value, long deadline) {
        stripe.table().put(slot, keyHash, key, value, deadline);
        watchers.changed(slot, key, Cause.SET);
    }

    /** Gives an entry of the table another deadline, or none, and tells the watchers. */
    void setDeadline(Stripe stripe, int slot, long keyHash, byte[] key, long deadline) {
        stripe.table().setDeadline(keyHash, key, deadline);
        watchers.changed(slot, key, Cause.SET);
    }

    /** Removes an entry from the table and tells the watchers. Returns whether there was one. */
    boolean remove(Stripe stripe, int slot, long keyHash, byte[] key, Cause cause) {
        boolean held = stripe.table().remove(keyHash, key);
        if (held) {
            watchers.changed(slot, key, cause);
        }
        return held;
    }

    /** Removes a key if the table holds it, expired or not, after it has shown that to the sink. */
    boolean remove(MutationSink target, Stripe stripe, int slot, long keyHash, byte[] key, Cause cause) {
        if (stripe.table().deadline(keyHash, key) == Table.ABSENT) {
            return false;
        }
        if (target != NOBODY) {
            ByteBuf change = stripe.scratch();
            MutationWriter.delete(change, key);
            target.accept(slot, change);
        }
        return remove(stripe, slot, keyHash, key, cause);
    }

    private boolean isVisible(long deadline) {
        return deadline < 0 || clock.millis() <= deadline;
    }
}
