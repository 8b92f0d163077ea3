package io.kvorum.core.engine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A table that knows which of its entries is of the least use: its entries are in a Caffeine cache, which keeps count
 * of how often and how lately each was read or written.
 *
 * <p>The cache only ranks the entries and never evicts one. What it does with them depends on its maximum, so that is
 * kept a little above the number of entries.
 *
 * <p>A reader beside a writer finds an entry as in any Caffeine cache, and reads each of its fields once; whether they
 * belong together, the stripe's stamp tells.
 */
final class CaffeineTable implements Table {
    /** What an entry counts beside the bytes of its key and its value. */
    static final int OVERHEAD = 200;

    private static final int MIN_CAPACITY = 16;

    /** How many more entries than it holds the cache has room for, at least. */
    private static final int SPARE = 64;

    private final int stripeBits;
    private final Cache<Key, Item> cache;
    private final Policy<Key, Item> ranks;
    private final Policy.Eviction<Key, Item> order;
    private final SlotRecords slotRecords;
    private final DeadlineWheel wheel = new DeadlineWheel(new Deadlines());

    // An entry's reference is its place here.
    private @Nullable Item[] items = new Item[0];
    private int[] freePlaces = new int[0]; // those below the highest, last given up first
    private int freeCount;
    private int highest;

    private int size;
    private long payload;

    /** Whether a change is under way: still so after it only if it failed there. */
    private boolean midway;

    private long maximum = SPARE;

    /** What an entry is looked up by. */
    private static class Key {
        final long hash;
        final byte[] bytes;

        Key(long hash, byte[] bytes) {
            this.hash = hash;
            this.bytes = bytes;
        }

        @Override
        public final boolean equals(@Nullable Object other) {
            return other instanceof Key key && hash == key.hash && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public final int hashCode() {
            return Long.hashCode(hash);
        }
    }

    /** An entry, which is its own key. */
    private static final class Item extends Key {
        final int reference;
        final int slotIndex;
        byte[] value;
        long deadline = Table.NO_DEADLINE;
        int place;
        int nextDue;
        int previousDue;

        Item(long hash, byte[] key, byte[] value, int reference, int slotIndex) {
            super(hash, key);
            this.value = value;
            this.reference = reference;
            this.slotIndex = slotIndex;
        }
    }

    /**
     * Makes an empty table for every slot of one stripe.
     *
     * @param stripeBits how many of a slot's low bits name the stripe
     * @param slots how many slots the stripe has
     */
    CaffeineTable(int stripeBits, int slots) {
        this.stripeBits = stripeBits;
        this.slotRecords = new SlotRecords(new Places(), slots);
        this.cache = Caffeine.newBuilder()
                .maximumSize(maximum)
                .executor(Runnable::run) // no thread of its own, and none of the common pool
                .build();
        this.ranks = cache.policy();
        this.order = ranks.eviction().orElseThrow();
    }

    // ---- what readers do, maybe beside a writer

    @Override
    public byte @Nullable [] get(long hash, byte[] key, InstantSource clock) {
        byte[] value = value(cache.getIfPresent(new Key(hash, key)), clock);
        return value == null ? null : value.clone();
    }

    @Override
    public int get(long hash, byte[] key, InstantSource clock, ByteBuf target) {
        byte[] value = value(cache.getIfPresent(new Key(hash, key)), clock);
        if (value == null) {
            return NO_VALUE;
        }
        target.writeBytes(value);
        return value.length;
    }

    @Override
    public <R, T extends @Nullable Object> @Nullable T lend(
            long hash, byte[] key, InstantSource clock, R reader, Lender<R, T> lender) {
        byte[] value = value(cache.getIfPresent(new Key(hash, key)), clock);
        return value == null ? null : lender.lend(value, 0, value.length, reader);
    }

    private static byte @Nullable [] value(@Nullable Item item, InstantSource clock) {
        if (item == null) {
            return null;
        }
        long deadline = item.deadline;
        return deadline != Table.NO_DEADLINE && clock.millis() > deadline ? null : item.value;
    }

    @Override
    public long deadline(long hash, byte[] key) {
        Item item = find(hash, key);
        return item == null ? ABSENT : item.deadline;
    }

    @Override
    public int valueLength(long hash, byte[] key) {
        Item item = find(hash, key);
        return item == null ? NO_VALUE : item.value.length;
    }

    /** Returns an entry without making it of more use. */
    private @Nullable Item find(long hash, byte[] key) {
        return ranks.getIfPresentQuietly(new Key(hash, key));
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int size(int slot) {
        return slotRecords.size(slot >>> stripeBits);
    }

    @Override
    public long bytes() {
        return payload + (long) size * OVERHEAD;
    }

    @Override
    public long entryBytes(int keyLength, int valueLength) {
        return (long) keyLength + valueLength + OVERHEAD;
    }

    // ---- what writers do

    @Override
    public long shareOfBound(int keyLength, int valueLength, boolean timed) {
        return 1;
    }

    @Override
    public boolean canTake(long share, boolean grows) {
        return share <= Integer.MAX_VALUE - (grows ? 1024L : 8L) - size();
    }

    @Override
    public boolean isBroken() {
        return midway;
    }

    @Override
    public int timed() {
        return wheel.size();
    }

    /** The value is copied by {@link #put} all the same, before anything changes. */
    @Override
    public void prepare(int slot, long hash, byte[] key, int valueLength, boolean timed) {
        wheel.prepare();
        if (find(hash, key) == null) {
            slotRecords.prepare(slot >>> stripeBits, key);
            preparePlace();
        }
    }

    /** As {@link #prepare(int, long, byte[], int, boolean)}, of the first entry: the cache allocates as it likes. */
    @Override
    public void prepare(int slot, List<? extends Incoming> entries) {
        if (!entries.isEmpty()) {
            Incoming first = entries.get(0);
            prepare(slot, first.keyHash(), first.key(), first.valueLength(), first.isTimed());
        }
    }

    @Override
    public void put(int slot, long hash, byte[] key, byte[] value, long deadline) {
        Item item = cache.getIfPresent(new Key(hash, key)); // a write makes an entry of more use, too
        if (item == null) {
            item = insert(slot >>> stripeBits, hash, key, value);
        } else {
            byte[] copy = value.clone();
            wheel.prepare();
            midway = true;
            payload += copy.length - item.value.length;
            item.value = copy;
        }
        setDeadline(item, deadline);
        midway = false;
    }

    private Item insert(int slotIndex, long hash, byte[] key, byte[] value) {
        slotRecords.prepare(slotIndex, key);
        wheel.prepare();
        preparePlace();
        Item item = new Item(hash, key.clone(), value.clone(), nextPlace(), slotIndex);
        int reference = item.reference;
        if (size + SPARE / 4 >= maximum) {
            setMaximum();
        }
        midway = true;
        takePlace();
        cache.put(item, item);
        items[reference] = item;
        slotRecords.add(slotIndex, reference);
        size++;
        payload += key.length + value.length;
        return item;
    }

    private void setMaximum() {
        cache.cleanUp(); // what is removed must not count
        maximum = size + size / 8L + SPARE;
        order.setMaximum(maximum);
    }

    @Override
    public boolean setDeadline(long hash, byte[] key, long deadline) {
        Item item = find(hash, key);
        if (item == null) {
            return false;
        }
        wheel.prepare();
        midway = true;
        setDeadline(item, deadline);
        midway = false;
        return true;
    }

    private void setDeadline(Item item, long deadline) {
        long before = item.deadline;
        if (before == Table.NO_DEADLINE) {
            item.deadline = deadline;
            if (deadline != Table.NO_DEADLINE) {
                wheel.add(item.reference);
            }
        } else if (deadline == Table.NO_DEADLINE) {
            wheel.remove(item.reference);
            item.deadline = deadline;
        } else {
            item.deadline = deadline;
            wheel.changed(item.reference, before);
        }
    }

    @Override
    public boolean remove(long hash, byte[] key) {
        Item item = find(hash, key);
        if (item == null) {
            return false;
        }
        slotRecords.prepareToRemove();
        midway = true;
        cache.invalidate(item);
        slotRecords.remove(item.slotIndex, item.reference);
        setDeadline(item, Table.NO_DEADLINE);
        givePlaceBack(item.reference);
        size--;
        payload -= key.length + item.value.length;
        midway = false;
        giveMemoryBack(item.slotIndex);
        return true;
    }

    /** Gives memory back that removals have left, if it is much and there is enough left to do so. */
    private void giveMemoryBack(int slotIndex) {
        try {
            if (maximum > 4 * SPARE && size < maximum / 2) {
                setMaximum();
            }
            slotRecords.shrink(slotIndex);
        } catch (OutOfMemoryError e) {
            // A later removal does the rest: this one must not fail, for it is made.
        }
    }

    @Override
    public int sweep(long now, int steps, Consumer<byte[]> expired) {
        return wheel.sweep(now, steps, reference -> expired.accept(item(reference).bytes));
    }

    @Override
    public byte @Nullable [] coldestKey(Predicate<byte[]> except) {
        int looks = 2;
        while (true) {
            Map<Key, Item> coldest = order.coldest(looks);
            for (Key key : coldest.keySet()) {
                if (!except.test(key.bytes)) {
                    return key.bytes;
                }
            }
            if (coldest.size() < looks) {
                return null;
            }
            looks *= 4;
        }
    }

    @Override
    public byte[] keyAt(int slot, int index) {
        return item(slotRecords.reference(slot >>> stripeBits, index)).bytes.clone();
    }

    @Override
    public Cursor cursor(int slot) {
        return new ItemCursor(slotRecords.walk(slot >>> stripeBits));
    }

    @Override
    public Cursor cursor(int slot, long first, long last) {
        return new ItemCursor(slotRecords.walk(slot >>> stripeBits, first, last));
    }

    @Override
    public int parts(int slot) {
        return slotRecords.isDivided(slot >>> stripeBits) ? SlotRecords.PARTS : 1;
    }

    // ---- references

    private Item item(int reference) {
        Item item = items[reference];
        if (item == null) {
            throw new AssertionError("no entry " + reference);
        }
        return item;
    }

    private void preparePlace() {
        if (freeCount == 0 && highest + 1 >= items.length) {
            int length = Math.max(MIN_CAPACITY, items.length * 2);
            @Nullable Item[] longer = Arrays.copyOf(items, length);
            freePlaces = Arrays.copyOf(freePlaces, length);
            items = longer;
        }
    }

    /** Returns the reference that {@link #takePlace} takes. */
    private int nextPlace() {
        return freeCount > 0 ? freePlaces[freeCount - 1] : highest + 1; // 0 is no reference
    }

    private void takePlace() {
        if (freeCount > 0) {
            freeCount--;
        } else {
            highest++;
        }
    }

    private void givePlaceBack(int reference) {
        items[reference] = null;
        freePlaces[freeCount++] = reference;
    }

    // ---- for tests

    /** Throws if the cache, the slots, the wheel and the accounts do not agree. */
    @SuppressWarnings("ReferenceEquality") // the very entry is meant
    void checkInvariants() {
        cache.cleanUp();
        int held = 0;
        int timed = 0;
        long liveKeysAndValues = 0;
        for (Item item : items) {
            if (item != null) {
                held++;
                timed += item.deadline == Table.NO_DEADLINE ? 0 : 1;
                liveKeysAndValues += item.bytes.length + item.value.length;
                require(items[item.reference] == item, "an entry has another reference");
                require(find(item.hash, item.bytes) == item, "an entry is not found by its key");
            }
        }
        require(held == size && cache.estimatedSize() == size, "the cache has another size than the table");
        require(held + freeCount == highest, "a reference is lost");
        require(timed == wheel.size(), "the wheel has another size than the table");
        require(liveKeysAndValues == payload, "keys and values have other lengths than the table says");
        wheel.checkInvariants();
        slotRecords.checkInvariants(size);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    private final class ItemCursor implements Cursor {
        private final SlotRecords.Walk walk;

        ItemCursor(SlotRecords.Walk walk) {
            this.walk = walk;
        }

        @Override
        public boolean next() {
            return walk.next();
        }

        @Override
        public byte[] key() {
            return item(walk.current()).bytes.clone();
        }

        @Override
        public byte[] value() {
            return item(walk.current()).value.clone();
        }

        @Override
        public long deadline() {
            return item(walk.current()).deadline;
        }

        @Override
        public void write(ByteBuf target) {
            Item item = item(walk.current());
            MutationWriter.put(target, item.bytes, item.value, item.deadline);
        }

        @Override
        public void close() {
            walk.close();
        }
    }

    /** Where each entry has its place among those of its slot. */
    private final class Places implements SlotRecords.Places {
        @Override
        public int place(int reference) {
            return item(reference).place;
        }

        @Override
        public void setPlace(int reference, int place) {
            item(reference).place = place;
        }

        @Override
        public long order(int reference) {
            return KeyHash.ORDER.of(item(reference).bytes);
        }
    }

    /** The links of the entries of a bucket. */
    private final class Deadlines implements DeadlineWheel.Records {
        @Override
        public int next(int reference) {
            return item(reference).nextDue;
        }

        @Override
        public void setNext(int reference, int next) {
            item(reference).nextDue = next;
        }

        @Override
        public int previous(int reference) {
            return item(reference).previousDue;
        }

        @Override
        public void setPrevious(int reference, int previous) {
            item(reference).previousDue = previous;
        }

        @Override
        public long deadline(int reference) {
            return item(reference).deadline;
        }
    }
}
