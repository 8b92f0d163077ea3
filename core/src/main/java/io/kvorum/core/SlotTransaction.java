package io.kvorum.core;

import io.kvorum.core.engine.BinaryKey;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.ChangeSink;
import io.kvorum.core.engine.DecimalNumber;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.MemoryBudget;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.core.engine.Stripe;
import io.kvorum.core.engine.Table;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Operations on the keys of one slot that take effect together. What they change is kept aside, where the operations
 * that follow see it, until {@link #commit} shows all of it to the sink as one change and then makes it. For the holder
 * of the stripe's write lock; confined to one thread.
 */
final class SlotTransaction extends SlotView implements KeyOperations {
    /** From so many changed keys on they are found through a map. */
    private static final int MANY = 16;

    /** What becomes of a key; a null value stands for its deletion. The arrays are never changed. */
    private static final class Change implements Table.Incoming {
        final byte[] key;
        final long keyHash;
        final boolean held; // by the table, expired or not
        final boolean existed;
        final long before; // the deadline in the table
        byte @Nullable [] value;
        long deadline = KeyValueStore.NO_DEADLINE;
        boolean keepsValue; // which the table has

        Change(byte[] key, long keyHash, long before, boolean existed) {
            this.before = before;
            this.key = key;
            this.keyHash = keyHash;
            this.held = before != Table.ABSENT;
            this.existed = existed;
        }

        @Override
        public byte[] key() {
            return key;
        }

        @Override
        public long keyHash() {
            return keyHash;
        }

        @Override
        public int valueLength() {
            return value == null ? 0 : value.length;
        }

        @Override
        public boolean isTimed() {
            return deadline != KeyValueStore.NO_DEADLINE;
        }

        boolean hasEffect() {
            return value == null ? held : !keepsValue || deadline != before;
        }

        boolean hasExpired() {
            return held && !existed;
        }
    }

    private final StoreSettings settings;
    private final List<Change> changes = new ArrayList<>(2);
    private @Nullable Map<BinaryKey, Change> byKey;

    SlotTransaction(Engine engine, StoreSettings settings, Stripe stripe, int slot, long now) {
        super(engine, stripe, slot, now);
        this.settings = settings;
    }

    // ---- what was changed, as the operations that follow see it

    @Override
    long visibleDeadline(byte[] key) {
        Change change = changes.isEmpty() ? null : find(key);
        if (change == null) {
            return super.visibleDeadline(key);
        }
        return change.value == null ? Table.ABSENT : change.deadline;
    }

    @Override
    <T> @Nullable T lendVisible(byte[] key, ValueReader<T> reader) {
        Change change = changes.isEmpty() ? null : find(key);
        if (change == null) {
            return super.lendVisible(key, reader);
        }
        byte[] value = change.value;
        return value == null ? null : LentValue.lend(value, 0, value.length, reader);
    }

    private @Nullable Change find(byte[] key) {
        if (byKey != null) {
            return byKey.get(new BinaryKey(key, engine.hash().of(key)));
        }
        for (Change change : changes) {
            if (Arrays.equals(change.key, key)) {
                return change;
            }
        }
        return null;
    }

    private Change changeOf(byte[] key) {
        Change known = find(key);
        if (known != null) {
            return known;
        }
        long keyHash = engine.hash().of(key);
        long deadline = stripe.table().deadline(keyHash, key);
        boolean existed = deadline != Table.ABSENT && (deadline < 0 || now <= deadline);
        Change change = new Change(key.clone(), keyHash, deadline, existed);
        changes.add(change);
        if (byKey != null) {
            byKey.put(new BinaryKey(change.key, keyHash), change);
        } else if (changes.size() == MANY) {
            byKey = new HashMap<>();
            for (Change each : changes) {
                byKey.put(new BinaryKey(each.key, each.keyHash), each);
            }
        }
        return change;
    }

    private void drop(byte[] key) {
        put(key, null, KeyValueStore.NO_DEADLINE);
    }

    /** Takes the value over, with a deadline that is given to it. One that is not in the future deletes the key. */
    private void give(byte[] key, byte[] value, long deadline) {
        settings.checkLengths(key.length, value.length);
        if (deadline != KeyValueStore.NO_DEADLINE && deadline <= now) {
            drop(key);
        } else {
            put(key, value, deadline);
        }
    }

    /**
     * Takes the value over, with the deadline that the key has, if it has one: maybe this very millisecond. If it is
     * the one that the key has, nothing changes.
     */
    private void change(byte[] key, byte[] value) {
        settings.checkLengths(key.length, value.length);
        if (!isValueOf(key, value)) {
            replace(key, value);
        }
    }

    private boolean isValueOf(byte[] key, byte[] value) {
        Boolean equal = lendVisible(key, present -> present.hasBytes(value));
        return equal != null && equal;
    }

    private void replace(byte[] key, byte[] value) {
        put(key, value, Life.kept().deadline(now, visibleDeadline(key)));
    }

    private void put(byte[] key, byte @Nullable [] value, long deadline) {
        Change change = changeOf(key);
        change.value = value;
        change.deadline = deadline;
        change.keepsValue = false;
        stripe.changes();
    }

    // ---- the end

    /** Shows the changes to the sink, unless there are none, and makes them. */
    void commit(ChangeSink sink) {
        changes.removeIf(change -> !change.hasEffect());
        if (changes.isEmpty()) {
            return;
        }
        requireTable();
        if (engine.budget().isLimited()) {
            takeBudget(engine.budget());
        }
        if (sink != ChangeSink.NOBODY) {
            checkEncodedLength();
            ByteBuf encoded = stripe.scratch();
            for (Change change : changes) {
                if (change.value == null) {
                    MutationWriter.delete(encoded, change.key);
                } else if (change.keepsValue) {
                    MutationWriter.deadline(encoded, change.key, change.deadline);
                } else {
                    MutationWriter.put(encoded, change.key, change.value, change.deadline);
                }
            }
            prepare();
            sink.accept(slot, encoded);
        } else if (changes.size() > 1) { // of which nobody must see a part
            prepare();
        }
        boolean begun = sink != ChangeSink.NOBODY;
        for (int i = 0; i < changes.size(); i++) { // without an iterator, for which there may be no memory
            if (begun) {
                stripe.changing(); // until the last one is made, some have an effect and others have none
            }
            make(changes.get(i));
            begun = true;
        }
        stripe.table().forgetPrepared(); // what else is done under the lock is no part of this
    }

    /** Allocates all that the changes will need, so that none is made if there is no memory for them. */
    private void prepare() {
        List<Change> puts =
                changes.stream().filter(change -> change.value != null).toList();
        if (!puts.isEmpty()) {
            stripe.prepare(slot, puts);
        }
    }

    private void make(Change change) {
        byte[] value = change.value;
        if (value == null) {
            engine.counters().expired(change.existed ? 0 : 1);
            engine.remove(stripe, slot, change.keyHash, change.key, change.existed ? Cause.DELETED : Cause.EXPIRED);
        } else if (change.keepsValue) {
            engine.setDeadline(stripe, slot, change.keyHash, change.key, change.deadline);
        } else {
            if (change.hasExpired()) {
                engine.expired(slot, change.key);
            }
            engine.put(stripe, slot, change.keyHash, change.key, value, change.deadline);
        }
    }

    private void requireTable() {
        long share = 0;
        for (Change change : changes) {
            share += change.value == null ? 0 : shareOfBound(change, change.value.length);
        }
        if (share == 0 || stripe.table().canTake(share, true)) {
            return;
        }
        long replaced = 0;
        for (Change change : changes) {
            replaced += MemoryBudget.shareOf(stripe, change.keyHash, change.key);
        }
        MemoryBudget.requireTable(stripe, slot, share, replaced);
    }

    private long shareOfBound(Change change, int valueLength) {
        return stripe.table()
                .shareOfBound(change.key.length, valueLength, change.deadline != KeyValueStore.NO_DEADLINE);
    }

    /** Returns whether a key has been set. */
    boolean isSet(byte[] key) {
        Change change = find(key);
        return change != null && change.value != null;
    }

    private void takeBudget(MemoryBudget budget) {
        long comes = 0;
        long goes = 0;
        for (Change change : changes) {
            comes += change.value == null ? 0 : budget.entry(stripe, change.key.length, change.value.length);
            goes += budget.held(stripe, change.keyHash, change.key);
        }
        budget.take(stripe, slot, comes, goes);
    }

    private void checkEncodedLength() {
        long length = 0;
        for (Change change : changes) {
            length += (long) change.key.length
                    + MutationWriter.MAX_OVERHEAD
                    + (change.value == null ? 0 : change.value.length);
        }
        if (length > Integer.MAX_VALUE) {
            throw new ChangeTooLongException(length, Integer.MAX_VALUE);
        }
    }

    /** Returns how many keys have been set. */
    int keysSet() {
        int count = 0;
        for (Change change : changes) {
            count += change.value == null ? 0 : 1;
        }
        return count;
    }

    /** Returns how many keys that existed have been deleted. */
    int keysDeleted() {
        int count = 0;
        for (Change change : changes) {
            count += change.value == null && change.existed ? 1 : 0;
        }
        return count;
    }

    // ---- setting

    @Override
    public void set(byte[] key, byte[] value) {
        set(key, value, SetOptions.defaults());
    }

    @Override
    public boolean set(byte[] key, byte[] value, SetOptions options) {
        check(key);
        settings.checkLengths(key.length, value.length);
        long present = visibleDeadline(key);
        if (!holds(options, key, present)) {
            return false;
        }
        if (options.life().kind() == Life.Kind.KEPT) {
            replace(key, value.clone());
        } else {
            give(key, value.clone(), options.life().deadline(now, present));
        }
        return true;
    }

    private boolean holds(SetOptions options, byte[] key, long present) {
        boolean exists = present != Table.ABSENT;
        return switch (options.condition()) {
            case ALWAYS -> true;
            case IF_ABSENT -> !exists;
            case IF_PRESENT -> exists;
            case IF_EQUAL -> exists && Arrays.equals(visibleValue(key), options.expected());
        };
    }

    @Override
    public SetResult getAndSet(byte[] key, byte[] value, SetOptions options) {
        byte[] previous = get(key);
        return new SetResult(set(key, value, options), previous);
    }

    @Override
    public void setAll(List<Entry> entries) {
        for (Entry entry : entries) {
            check(entry.key());
            settings.checkLengths(entry.key().length, entry.value().length);
        }
        for (Entry entry : entries) {
            give(entry.key(), entry.value().clone(), entry.deadline());
        }
    }

    @Override
    public boolean setAllIfAbsent(List<Entry> entries) {
        boolean none = true;
        for (Entry entry : entries) {
            settings.checkLengths(entry.key().length, entry.value().length);
            none &= !exists(entry.key());
        }
        if (none) {
            setAll(entries);
        }
        return none;
    }

    // ---- changing a value

    @Override
    public long increment(byte[] key, long delta) {
        byte[] value = get(key);
        long sum = Math.addExact(value == null ? 0 : DecimalNumber.parse(value), delta);
        change(key, DecimalNumber.digits(sum));
        return sum;
    }

    @Override
    public int append(byte[] key, byte[] suffix) {
        byte[] value = get(key);
        int length = value == null ? 0 : value.length;
        settings.checkLengths(key.length, (long) length + suffix.length);
        byte[] longer = value == null ? new byte[suffix.length] : Arrays.copyOf(value, length + suffix.length);
        System.arraycopy(suffix, 0, longer, length, suffix.length);
        change(key, longer);
        return longer.length;
    }

    @Override
    public int setRange(byte[] key, int offset, byte[] part) {
        checkOffset(offset);
        byte[] value = get(key);
        int length = value == null ? 0 : value.length;
        if (part.length == 0) {
            return length;
        }
        settings.checkLengths(key.length, Math.max(length, (long) offset + part.length));
        int newLength = Math.max(length, offset + part.length);
        byte[] changed = value == null ? new byte[newLength] : Arrays.copyOf(value, newLength);
        System.arraycopy(part, 0, changed, offset, part.length);
        change(key, changed);
        return newLength;
    }

    static void checkOffset(int offset) {
        if (offset < 0) {
            throw new IllegalArgumentException("offset must be at least 0: " + offset);
        }
    }

    @Override
    public byte @Nullable [] compute(byte[] key, Function<byte @Nullable [], byte @Nullable []> function) {
        byte[] result = function.apply(get(key));
        if (result == null) {
            drop(key);
        } else {
            change(key, result.clone());
        }
        return result;
    }

    // ---- deleting and expiring

    @Override
    public boolean delete(byte[] key) {
        boolean existed = exists(key);
        drop(key);
        return existed;
    }

    @Override
    public boolean deleteIfEqual(byte[] key, byte[] expected) {
        boolean equal = exists(key) && Arrays.equals(visibleValue(key), expected);
        if (equal) {
            drop(key);
        }
        return equal;
    }

    @Override
    public byte @Nullable [] getAndDelete(byte[] key) {
        byte[] value = get(key);
        drop(key);
        return value;
    }

    @Override
    public byte @Nullable [] getAndExpire(byte[] key, Life life) {
        byte[] value = get(key);
        if (value != null) {
            expire(key, life, ExpireCondition.ALWAYS);
        }
        return value;
    }

    @Override
    public boolean expire(byte[] key, Life life, ExpireCondition condition) {
        check(key);
        long present = visibleDeadline(key);
        if (present == Table.ABSENT) {
            return false;
        }
        long next = life.deadline(now, present);
        if (!condition.holds(present, next)) {
            return false;
        }
        if (life.kind() != Life.Kind.KEPT) {
            Change before = find(key);
            boolean keepsValue = before == null || before.keepsValue;
            give(key, visibleValue(key), next);
            changeOf(key).keepsValue = keepsValue;
        }
        return true;
    }

    // ---- from one key to another

    @Override
    public boolean rename(byte[] from, byte[] to) {
        boolean existed = copy(from, to);
        if (existed && !Arrays.equals(from, to)) {
            drop(from);
        }
        return existed;
    }

    @Override
    public boolean renameIfAbsent(byte[] from, byte[] to) {
        return isFree(from, to) && rename(from, to);
    }

    @Override
    public boolean copy(byte[] from, byte[] to) {
        check(from);
        check(to);
        long deadline = visibleDeadline(from);
        if (deadline == Table.ABSENT) {
            return false;
        }
        if (!Arrays.equals(from, to)) {
            settings.checkLengths(to.length, 0);
            put(to, visibleValue(from), deadline);
        }
        return true;
    }

    @Override
    public boolean copyIfAbsent(byte[] from, byte[] to) {
        return isFree(from, to) && copy(from, to);
    }

    private boolean isFree(byte[] from, byte[] to) {
        check(from);
        return !exists(to);
    }
}
