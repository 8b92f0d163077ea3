package io.kvorum.core;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.RefusedException;
import io.netty.buffer.ByteBuf;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A key-value store in the heap of this JVM, and the state that a shard replicates.
 *
 * <p>The slots are divided into stripes, each with a lock of its own; all keys of a slot are in one stripe, so an
 * operation takes one lock, and a read of one key none unless a writer is at work in the same stripe. Every change is
 * shown to one {@link MutationSink} under that lock before it is made.
 *
 * <p>Every operation on one key is linearizable, and so are {@link #getAll} and {@link #setAll}. Keys and values longer
 * than the settings allow are refused with {@link IllegalArgumentException}; so is what the sink finds too long, such
 * as a change above the {@code maxPayload()} of a {@link io.kvorum.replication.ReplicationLog}.
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

    /** What a deadline is taken for once it has passed: the entry is in the table, but does not exist. */
    private static final long EXPIRED = -3;

    private static final int BATCH = 64;
    private static final KeyHash DIGEST_HASH = new KeyHash(0x6b766f72756d2d31L, 0x6469676573742d31L);

    private final StoreSettings settings;
    private final KeyHash hash;
    private final InstantSource clock;
    private final MutationSink sink;
    private final AtomicInteger nextStripeToExpire = new AtomicInteger();
    private final StoreCounters counters = new StoreCounters();
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
        SplittableRandom keys = new SplittableRandom(seed);
        this.hash = new KeyHash(keys.nextLong(), keys.nextLong());
        this.contents = new Contents(settings.stripes(), hash);
    }

    // ---- reads

    @Override
    byte @Nullable [] get(int slot, byte[] key) {
        byte[] value = contents.stripeOf(slot).get(hash.of(key), key, clock);
        counters.got(value != null);
        return value;
    }

    @Override
    boolean exists(int slot, byte[] key) {
        return exists(visible(contents.stripeOf(slot).deadline(hash.of(key), key)));
    }

    @Override
    OptionalLong deadlineOf(int slot, byte[] key) {
        long deadline = visible(contents.stripeOf(slot).deadline(hash.of(key), key));
        return deadline >= 0 ? OptionalLong.of(deadline) : OptionalLong.empty();
    }

    @Override
    List<byte @Nullable []> getAll(int slot, List<byte[]> keys) {
        List<byte @Nullable []> values = new ArrayList<>(keys.size());
        Stripe stripe = lock(slot);
        try {
            for (byte[] key : keys) {
                byte[] value = stripe.table().get(hash.of(key), key, clock);
                counters.got(value != null);
                values.add(value);
            }
        } finally {
            stripe.unlock();
        }
        return values;
    }

    // ---- writes

    @Override
    boolean set(int slot, byte[] key, byte[] value, SetOptions options) {
        return set(sink, slot, key, value, options);
    }

    boolean set(MutationSink target, int slot, byte[] key, byte[] value, SetOptions options) {
        checkLengths(key, value);
        long keyHash = hash.of(key);
        Stripe stripe = lock(slot);
        try {
            long deadline = options.deadline();
            if (!options.isPlain()) {
                long existing = visible(stripe.table().deadline(keyHash, key));
                if (!holds(options.condition(), exists(existing))) {
                    return false;
                }
                if (options.keepDeadline() && existing >= 0) {
                    deadline = existing;
                } else if (deadline != NO_DEADLINE && deadline <= clock.millis()) {
                    remove(target, stripe, slot, keyHash, key);
                    return true;
                }
            }
            put(target, stripe, slot, keyHash, key, value, deadline);
        } finally {
            stripe.unlock();
        }
        counters.set(1);
        return true;
    }

    private static boolean holds(SetOptions.Condition condition, boolean exists) {
        return switch (condition) {
            case ALWAYS -> true;
            case IF_ABSENT -> !exists;
            case IF_PRESENT -> exists;
        };
    }

    @Override
    boolean delete(int slot, byte[] key) {
        return delete(sink, slot, key);
    }

    boolean delete(MutationSink target, int slot, byte[] key) {
        long keyHash = hash.of(key);
        Stripe stripe = lock(slot);
        boolean existed;
        try {
            existed = exists(visible(stripe.table().deadline(keyHash, key)));
            remove(target, stripe, slot, keyHash, key);
        } finally {
            stripe.unlock();
        }
        if (existed) {
            counters.deleted(1);
        }
        return existed;
    }

    @Override
    boolean expireAt(int slot, byte[] key, long epochMillis) {
        return expireAt(sink, slot, key, epochMillis);
    }

    boolean expireAt(MutationSink target, int slot, byte[] key, long epochMillis) {
        long keyHash = hash.of(key);
        Stripe stripe = lock(slot);
        try {
            byte[] value = stripe.table().get(keyHash, key, clock);
            if (value == null) {
                return false;
            }
            if (epochMillis <= clock.millis()) {
                remove(target, stripe, slot, keyHash, key);
            } else {
                put(target, stripe, slot, keyHash, key, value, epochMillis);
            }
            return true;
        } finally {
            stripe.unlock();
        }
    }

    @Override
    boolean persist(int slot, byte[] key) {
        return persist(sink, slot, key);
    }

    boolean persist(MutationSink target, int slot, byte[] key) {
        long keyHash = hash.of(key);
        Stripe stripe = lock(slot);
        try {
            byte[] value = stripe.table().get(keyHash, key, clock);
            if (value == null || stripe.table().deadline(keyHash, key) == NO_DEADLINE) {
                return false;
            }
            put(target, stripe, slot, keyHash, key, value, NO_DEADLINE);
            return true;
        } finally {
            stripe.unlock();
        }
    }

    @Override
    void setAll(int slot, List<Entry> entries) {
        setAll(sink, slot, entries);
    }

    void setAll(MutationSink target, int slot, List<Entry> entries) {
        for (Entry entry : entries) {
            checkLengths(entry.key(), entry.value());
        }
        Stripe stripe = lock(slot);
        try {
            long now = clock.millis();
            if (target != NOBODY) {
                ByteBuf change = stripe.scratch();
                for (Entry entry : entries) {
                    if (isOver(entry.deadline(), now)) {
                        MutationWriter.delete(change, entry.key());
                    } else {
                        MutationWriter.put(change, entry.key(), entry.value(), entry.deadline());
                    }
                }
                target.accept(slot, change);
            }
            for (Entry entry : entries) {
                long keyHash = hash.of(entry.key());
                if (isOver(entry.deadline(), now)) {
                    stripe.table().remove(keyHash, entry.key());
                } else {
                    stripe.table().put(slot, keyHash, entry.key(), entry.value(), entry.deadline());
                }
            }
        } finally {
            stripe.unlock();
        }
        counters.set(entries.size());
    }

    /** Returns whether a deadline that is being given is not in the future. */
    private static boolean isOver(long deadline, long now) {
        return deadline != NO_DEADLINE && deadline <= now;
    }

    // ---- slots

    @Override
    public long size() {
        Contents current = contents;
        long size = 0;
        for (int i = 0; i < current.stripes(); i++) {
            size += current.stripe(i).size();
        }
        return size;
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
                more = walk.next(BATCH, batch);
                for (Entry entry : batch) {
                    if (exists(visible(entry.deadline()))) {
                        action.accept(entry);
                    }
                }
                batch.clear();
            }
        }
    }

    @Override
    public int dropSlot(int slot) {
        return dropSlot(sink, slot);
    }

    int dropSlot(MutationSink target, int slot) {
        Stripe stripe = contents.stripeOf(HashSlot.check(slot));
        int dropped = 0;
        try (SlotWalk walk = new SlotWalk(stripe, slot)) {
            List<Entry> batch = new ArrayList<>(BATCH);
            boolean more = true;
            while (more) {
                more = walk.next(BATCH, batch);
                Stripe current = lock(slot);
                try {
                    for (Entry entry : batch) {
                        if (remove(target, current, slot, hash.of(entry.key()), entry.key())) {
                            dropped++;
                        }
                    }
                } catch (RefusedException e) {
                    if (dropped == 0) {
                        throw e;
                    }
                    more = false; // what is gone is gone: a refusal would say that nothing was changed
                } finally {
                    current.unlock();
                }
                batch.clear();
            }
        }
        counters.deleted(dropped);
        return dropped;
    }

    // ---- expiry

    /**
     * Deletes keys whose deadline has passed, the earliest of each stripe first, and shows each deletion to the sink.
     * To be called now and then, where the sink accepts changes: nothing else frees the memory of a key that is never
     * touched again. It stops quietly at the first change that the sink refuses.
     *
     * @param budget the most keys to delete; at least 1
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
        int stripes = settings.stripes();
        int deleted = 0;
        boolean refused = false;
        for (int i = 0; i < stripes && deleted < budget && !refused; i++) {
            Stripe stripe = lock(nextStripeToExpire.getAndIncrement() & (stripes - 1));
            try {
                long now = clock.millis();
                byte[] key = stripe.table().expiredKey(now);
                while (key != null && deleted < budget) {
                    remove(target, stripe, HashSlot.of(key), hash.of(key), key);
                    deleted++;
                    key = stripe.table().expiredKey(now);
                }
            } catch (RefusedException e) {
                refused = true; // not the primary, or not now: whoever is will do it
            } finally {
                stripe.unlock();
            }
        }
        counters.expired(deleted);
        return deleted;
    }

    // ---- the replicated state

    @Override
    public void apply(int slot, ByteBuf payload) {
        HashSlot.check(slot);
        Stripe stripe = lock(slot);
        try {
            Contents.apply(stripe, hash, slot, payload, payload.readerIndex(), payload.writerIndex());
        } finally {
            stripe.unlock();
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
        return new ContentsRestoration(settings.stripes(), hash, this::replace);
    }

    private void replace(Contents replacement) {
        Contents old = contents;
        old.lockAll();
        contents = replacement;
        old.retireAndUnlockAll();
    }

    /**
     * {@return a number that is the same for stores with the same entries, whatever their seeds, and different, except
     * by a chance of one in 2 to the 64, for others} Expired keys that have not been deleted count. Locks one stripe at
     * a time, so while the store is being changed the result is of no single moment.
     */
    public long digest() {
        Contents current = contents;
        long sum = 0;
        for (int i = 0; i < current.stripes(); i++) {
            Stripe stripe = current.stripe(i);
            stripe.lock();
            try {
                for (int slot = i; slot < HashSlot.COUNT; slot += current.stripes()) {
                    if (stripe.table().size(slot) > 0) {
                        sum += digest(stripe, slot);
                    }
                }
            } finally {
                stripe.unlock();
            }
        }
        return sum;
    }

    private static long digest(Stripe stripe, int slot) {
        long sum = 0;
        try (Table.Cursor cursor = stripe.table().cursor(slot)) {
            while (cursor.next()) {
                ByteBuf encoded = stripe.scratch();
                cursor.write(encoded);
                sum += DIGEST_HASH.of(encoded.array(), encoded.arrayOffset(), encoded.writerIndex());
            }
        }
        return sum;
    }

    StoreCounters counters() {
        return counters;
    }

    // ---- under the lock

    /** Locks the stripe of a slot, the one that is current once the lock is held. */
    private Stripe lock(int slot) {
        while (true) {
            Stripe stripe = contents.stripeOf(slot);
            stripe.lock();
            if (!stripe.isRetired()) {
                return stripe;
            }
            stripe.unlock();
        }
    }

    private static void put(
            MutationSink target, Stripe stripe, int slot, long keyHash, byte[] key, byte[] value, long deadline) {
        if (target != NOBODY) {
            ByteBuf change = stripe.scratch();
            MutationWriter.put(change, key, value, deadline);
            target.accept(slot, change);
        }
        stripe.table().put(slot, keyHash, key, value, deadline);
    }

    /** Removes a key if the table holds it, expired or not. */
    private static boolean remove(MutationSink target, Stripe stripe, int slot, long keyHash, byte[] key) {
        if (stripe.table().deadline(keyHash, key) == Table.ABSENT) {
            return false;
        }
        if (target != NOBODY) {
            ByteBuf change = stripe.scratch();
            MutationWriter.delete(change, key);
            target.accept(slot, change);
        }
        return stripe.table().remove(keyHash, key);
    }

    /** Turns a deadline in the past into {@link #EXPIRED}. */
    private long visible(long deadline) {
        return deadline >= 0 && clock.millis() > deadline ? EXPIRED : deadline;
    }

    private static boolean exists(long visibleDeadline) {
        return visibleDeadline >= NO_DEADLINE;
    }

    private void checkLengths(byte[] key, byte[] value) {
        if (key.length > settings.maxKeyLength()) {
            throw new IllegalArgumentException(
                    "key must have at most " + settings.maxKeyLength() + " bytes: it has " + key.length);
        }
        if (value.length > settings.maxValueLength()) {
            throw new IllegalArgumentException(
                    "value must have at most " + settings.maxValueLength() + " bytes: it has " + value.length);
        }
    }
}
