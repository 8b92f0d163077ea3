package io.kvorum.core;

import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table with an object for each entry. An entry stands in a chain of its bucket, in the list of its slot, and in a
 * heap ordered by deadline if it has one; all three are links in the entry itself, so that insertion and removal search
 * nothing.
 *
 * <p>A reader beside a writer is safe because chains have no cycle at any moment, arrays of keys and values never
 * change, and the value is the only thing that it may see before it is there.
 */
final class EntryTable implements Table {
    private static final int INITIAL_BUCKETS = 16;
    private static final int MAX_BUCKETS = 1 << 30;

    private final int stripeBits;
    private final int slots;
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private final List<ListCursor> cursors = new ArrayList<>(0);
    private @Nullable Cell[] buckets = new @Nullable Cell[INITIAL_BUCKETS];
    private int size;

    // Empty before the first entry comes: a store may have many stripes and few slots.
    private @Nullable Cell[] slotHeads = new @Nullable Cell[0];
    private int[] slotSizes = new int[0];

    /**
     * Makes an empty table for every slot of one stripe.
     *
     * @param stripeBits how many of a slot's low bits name the stripe
     * @param slots how many slots the stripe has
     */
    EntryTable(int stripeBits, int slots) {
        this.stripeBits = stripeBits;
        this.slots = slots;
    }

    @Override
    public byte @Nullable [] get(long hash, byte[] key, InstantSource clock) {
        Cell cell = find(hash, key);
        if (cell == null) {
            return null;
        }
        long deadline = cell.deadline;
        byte[] value = cell.value;
        if (value == null || (deadline != KeyValueStore.NO_DEADLINE && clock.millis() > deadline)) {
            return null;
        }
        return value.clone();
    }

    @Override
    public long deadline(long hash, byte[] key) {
        Cell cell = find(hash, key);
        return cell == null ? ABSENT : cell.deadline;
    }

    @Override
    public void put(int slot, long hash, byte[] key, byte[] value, long deadline) {
        byte[] kept = value.clone();
        Cell cell = find(hash, key);
        if (cell == null) {
            cell = new Cell(key.clone(), hash, slot >>> stripeBits);
            link(cell);
        }
        cell.value = kept;
        if (cell.deadline != deadline) {
            cell.deadline = deadline;
            deadlines.update(cell);
        }
    }

    @Override
    public boolean remove(long hash, byte[] key) {
        Cell cell = find(hash, key);
        if (cell == null) {
            return false;
        }
        unlink(cell);
        return true;
    }

    @Override
    public byte @Nullable [] expiredKey(long now) {
        Cell first = deadlines.first();
        return first == null || first.deadline >= now ? null : first.key;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int size(int slot) {
        int[] sizes = slotSizes;
        return sizes.length == 0 ? 0 : sizes[slot >>> stripeBits];
    }

    @Override
    public Cursor cursor(int slot) {
        ListCursor cursor = new ListCursor(slotHeads.length == 0 ? null : slotHeads[slot >>> stripeBits]);
        cursors.add(cursor);
        return cursor;
    }

    private @Nullable Cell find(long hash, byte[] key) {
        @Nullable Cell[] chains = buckets;
        for (Cell cell = chains[bucket(hash, chains.length)]; cell != null; cell = cell.next) {
            if (cell.hash == hash && Arrays.equals(cell.key, key)) {
                return cell;
            }
        }
        return null;
    }

    private static int bucket(long hash, int length) {
        return (int) hash & (length - 1);
    }

    private void link(Cell cell) {
        if (slotHeads.length == 0) {
            slotHeads = new @Nullable Cell[slots];
            slotSizes = new int[slots];
        }
        if (size >= buckets.length && buckets.length < MAX_BUCKETS) {
            grow();
        }
        int bucket = bucket(cell.hash, buckets.length);
        cell.next = buckets[bucket];
        Cell head = slotHeads[cell.slotIndex];
        cell.after = head;
        if (head != null) {
            head.before = cell;
        }
        slotHeads[cell.slotIndex] = cell;
        slotSizes[cell.slotIndex]++;
        size++;
        buckets[bucket] = cell;
    }

    private void unlink(Cell cell) {
        int bucket = bucket(cell.hash, buckets.length);
        Cell previous = buckets[bucket];
        if (previous == cell) {
            buckets[bucket] = cell.next;
        } else {
            while (previous != null && previous.next != cell) {
                previous = previous.next;
            }
            if (previous != null) {
                previous.next = cell.next;
            }
        }
        for (ListCursor cursor : cursors) {
            cursor.leave(cell);
        }
        if (cell.before == null) {
            slotHeads[cell.slotIndex] = cell.after;
        } else {
            cell.before.after = cell.after;
        }
        if (cell.after != null) {
            cell.after.before = cell.before;
        }
        slotSizes[cell.slotIndex]--;
        size--;
        cell.deadline = KeyValueStore.NO_DEADLINE;
        deadlines.update(cell);
    }

    /** Doubles the buckets. Each cell moves to the head of its new chain, so a chain is never a cycle in between. */
    private void grow() {
        @Nullable Cell[] old = buckets;
        @Nullable Cell[] doubled = new @Nullable Cell[old.length * 2];
        for (Cell head : old) {
            Cell cell = head;
            while (cell != null) {
                Cell next = cell.next;
                int bucket = bucket(cell.hash, doubled.length);
                cell.next = doubled[bucket];
                doubled[bucket] = cell;
                cell = next;
            }
        }
        buckets = doubled;
    }

    /** An entry with its links. */
    static final class Cell {
        final byte[] key;
        final long hash;
        final int slotIndex;
        byte @Nullable [] value; // null only before the entry is linked
        long deadline = KeyValueStore.NO_DEADLINE;
        int heapIndex = DeadlineHeap.NOWHERE;

        @Nullable
        Cell next;

        @Nullable
        Cell before;

        @Nullable
        Cell after;

        Cell(byte[] key, long hash, int slotIndex) {
            this.key = key;
            this.hash = hash;
            this.slotIndex = slotIndex;
        }

        byte[] value() {
            byte[] present = value;
            if (present == null) {
                throw new AssertionError("an entry in the list of its slot has no value");
            }
            return present;
        }
    }

    /** Entries are added at the head of a slot's list, behind every cursor that has moved. */
    private final class ListCursor implements Cursor {
        private @Nullable Cell following;
        private @Nullable Cell current;

        ListCursor(@Nullable Cell first) {
            this.following = first;
        }

        @Override
        public boolean next() {
            current = following;
            if (current == null) {
                return false;
            }
            following = current.after;
            return true;
        }

        @Override
        public Entry entry() {
            Cell cell = current();
            return new Entry(cell.key.clone(), cell.value().clone(), cell.deadline);
        }

        @Override
        public long deadline() {
            return current().deadline;
        }

        @Override
        public void write(ByteBuf target) {
            Cell cell = current();
            MutationWriter.put(target, cell.key, cell.value(), cell.deadline);
        }

        @Override
        public void close() {
            following = null;
            current = null;
            cursors.remove(this);
        }

        void leave(Cell removed) {
            if (following == removed) {
                following = removed.after;
            }
        }

        private Cell current() {
            Cell cell = current;
            if (cell == null) {
                throw new IllegalStateException("the cursor is at no entry");
            }
            return cell;
        }
    }
}
