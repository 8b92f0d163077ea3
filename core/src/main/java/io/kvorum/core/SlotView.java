package io.kvorum.core;

import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.SlotFunctions;
import io.kvorum.core.engine.Stripe;
import io.kvorum.core.engine.Table;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one slot at one moment, for as long as whoever made it holds the lock of the stripe. Confined to one
 * thread.
 */
class SlotView implements KeyReads {
    final int slot;
    final long now;
    final Engine engine;
    final Stripe stripe;
    private final InstantSource moment;
    private boolean over;

    SlotView(Engine engine, Stripe stripe, int slot, long now) {
        this.engine = engine;
        this.stripe = stripe;
        this.slot = slot;
        this.now = now;
        this.moment = () -> Instant.ofEpochMilli(now);
    }

    /** Runs a function that is given a view, with which the use of the view ends. */
    static <V extends SlotView, T extends @Nullable Object> T run(V view, Function<? super V, ? extends T> function) {
        SlotFunctions.Mark mark = SlotFunctions.enter();
        try {
            return function.apply(view);
        } finally {
            mark.inside = false;
            SlotView ended = view;
            ended.over = true;
        }
    }

    /** Throws unless the key is in the slot and the view is still open. */
    final void check(byte[] key) {
        requireSame(slot, HashSlot.of(key));
        if (over) {
            throw new IllegalStateException("the operations of a slot end with the function they were given to");
        }
    }

    /** Returns the deadline of a key that exists, {@link KeyValueStore#NO_DEADLINE} or {@link Table#ABSENT}. */
    long visibleDeadline(byte[] key) {
        long deadline = stripe.table().deadline(engine.hash().of(key), key);
        return deadline >= 0 && now > deadline ? Table.ABSENT : deadline;
    }

    /** Lends the value of a key, or returns null if the key does not exist. */
    <T> @Nullable T lendVisible(byte[] key, ValueReader<T> reader) {
        return stripe.table().lend(engine.hash().of(key), key, moment, reader, LentValue::lend);
    }

    /** Returns a copy of the value of a key that exists. */
    final byte[] visibleValue(byte[] key) {
        byte[] value = lendVisible(key, LentValue::toArray);
        if (value == null) {
            throw new AssertionError("a key that exists has no value");
        }
        return value;
    }

    /** Returns what a reader makes of a value, or null if the key does not exist. */
    private <T> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        check(key);
        T result = lendVisible(key, reader);
        engine.counters().got(result != null);
        return result;
    }

    @Override
    public final byte @Nullable [] get(byte[] key) {
        return lend(key, LentValue::toArray);
    }

    @Override
    public final @Nullable StoredValue lookUp(byte[] key) {
        byte[] value = get(key);
        return value == null ? null : new StoredValue(value, visibleDeadline(key), now, stripe.version());
    }

    @Override
    public final List<byte @Nullable []> getAll(List<byte[]> keys) {
        keys.forEach(this::check);
        List<byte @Nullable []> values = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            values.add(get(key));
        }
        return values;
    }

    @Override
    public final byte @Nullable [] getRange(byte[] key, long first, long last) {
        return lend(key, value -> range(value, first, last));
    }

    private static byte[] range(LentValue value, long first, long last) {
        int length = value.length();
        long from = Math.min(length, Math.max(0, first < 0 ? length + first : first));
        long to = Math.max(-1, Math.min(length - 1L, last < 0 ? length + last : last));
        byte[] range = new byte[(int) Math.max(0, to - from + 1)]; // both are clamped, so nothing overflows
        value.copyTo(range.length == 0 ? 0 : (int) from, range, 0, range.length);
        return range;
    }

    @Override
    public final int length(byte[] key) {
        Integer length = lend(key, LentValue::length);
        return length == null ? 0 : length;
    }

    @Override
    public final boolean exists(byte[] key) {
        check(key);
        return visibleDeadline(key) != Table.ABSENT;
    }

    @Override
    public final boolean touch(byte[] key) {
        return lend(key, LentValue::length) != null;
    }

    @Override
    public final OptionalLong deadlineOf(byte[] key) {
        check(key);
        long deadline = visibleDeadline(key);
        return deadline >= 0 ? OptionalLong.of(deadline) : OptionalLong.empty();
    }

    @Override
    public final Optional<Duration> timeToLive(byte[] key) {
        OptionalLong deadline = deadlineOf(key);
        return deadline.isPresent() ? Optional.of(Duration.ofMillis(deadline.getAsLong() - now)) : Optional.empty();
    }

    // ---- the slot of several keys

    /** Returns the slot of all keys, which are at least one. */
    static int slotOf(List<byte[]> keys) {
        int slot = HashSlot.of(keys.get(0));
        for (byte[] key : keys) {
            requireSame(slot, HashSlot.of(key));
        }
        return slot;
    }

    /** Returns the slot of all entries, which are at least one. */
    static int slotOfEntries(List<Entry> entries) {
        int slot = HashSlot.of(entries.get(0).key());
        for (Entry entry : entries) {
            requireSame(slot, HashSlot.of(entry.key()));
        }
        return slot;
    }

    private static void requireSame(int slot, int other) {
        if (other != slot) {
            throw new RefusedException(
                    RefusedException.Kind.CROSS_SLOT,
                    "the keys of one operation must be in one slot, as keys with one hash tag are, such as {user:1}:name"
                            + " and {user:1}:mail: they are in " + slot + " and " + other,
                    slot,
                    null,
                    null,
                    null,
                    -1);
        }
    }
}
