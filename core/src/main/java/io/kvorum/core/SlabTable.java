package io.kvorum.core;

import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table that keeps its entries as {@link SlabRecord}s in a few large arrays, so that the garbage collector has
 * nothing to do with them, and a write that needs no more room than before happens in place.
 *
 * <p>An entry is found through an index of longs, each the high half of a key's hash and the record's reference, with
 * linear probing and without tombstones.
 *
 * <p>Records are only ever added at the end of the last segment. One that is removed or moved away stays behind as
 * dead. When a new segment is begun and more than a quarter of all is dead, the live records of the segment with the
 * fewest are moved to its end, which copies at most three bytes for each one gained (the cleaner of Rumble, Kejriwal
 * and Ousterhout, "Log-structured Memory for DRAM-based Storage", 2014, in its simplest form). While all fits one
 * segment, there is one, and it is as large as it must be.
 *
 * <p>A reader beside a writer may meet any mixture of old and new bytes: it counts its probes, reads each field once,
 * compares each length with the segment before it uses it, and copies nothing larger than a segment.
 */
final class SlabTable implements Table {
    private static final int NONE = Segments.NONE;
    private static final int MIN_INDEX = 16;
    private static final long LOW_HALF = 0xffff_ffffL;

    /** The hash of a key that is a part of an array. */
    interface Hash {
        long of(byte[] bytes, int from, int length);
    }

    private final Hash hash;
    private final int stripeBits;
    private final int slots;
    private final Segments segments = new Segments();
    private final RecordHeap deadlines = new RecordHeap(this::placed);
    private final List<ListCursor> cursors = new ArrayList<>(0);
    private long[] index = new long[1];
    private int size;

    // Empty before the first entry comes: a store may have many stripes and few slots.
    private int[] slotHeads = new int[0];
    private int[] slotSizes = new int[0];

    /**
     * Makes an empty table for every slot of one stripe.
     *
     * @param hash hashes the keys, as those who give hashes do
     * @param stripeBits how many of a slot's low bits name the stripe
     * @param slots how many slots the stripe has
     */
    SlabTable(Hash hash, int stripeBits, int slots) {
        this.hash = hash;
        this.stripeBits = stripeBits;
        this.slots = slots;
    }

    // ---- what readers do, maybe beside a writer

    @Override
    public byte @Nullable [] get(long keyHash, byte[] key, InstantSource clock) {
        long found = find(keyHash, key);
        if (found == NONE) {
            return null;
        }
        int reference = (int) found;
        int keyFrom = (int) (found >>> 32);
        byte[] segment = segments.find(reference);
        int at = Segments.offset(reference);
        int from = keyFrom + key.length;
        if (segment == null || from > segment.length) {
            return null;
        }
        int length = SlabRecord.valueLength(segment, at);
        if (length < 0 || length > segment.length - from) {
            return null;
        }
        long deadline = SlabRecord.deadline(segment, at, keyFrom);
        if (deadline != KeyValueStore.NO_DEADLINE && clock.millis() > deadline) {
            return null;
        }
        return Arrays.copyOfRange(segment, from, from + length);
    }

    @Override
    public long deadline(long keyHash, byte[] key) {
        long found = find(keyHash, key);
        if (found == NONE) {
            return ABSENT;
        }
        int reference = (int) found;
        int keyFrom = (int) (found >>> 32);
        byte[] segment = segments.find(reference);
        return segment == null || keyFrom > segment.length
                ? ABSENT
                : SlabRecord.deadline(segment, Segments.offset(reference), keyFrom);
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

    /** Returns where the record's key begins, in the high half, and the reference in the low half; or {@link #NONE}. */
    private long find(long keyHash, byte[] key) {
        long[] entries = index;
        int mask = entries.length - 1;
        int tag = tag(keyHash);
        int place = tag & mask;
        for (int probes = 0; probes <= mask; probes++) {
            long entry = entries[place];
            if (entry == NONE) {
                return NONE;
            }
            if (tag(entry) == tag) {
                byte[] segment = segments.find((int) entry);
                int keyFrom = segment == null ? -1 : SlabRecord.match(segment, Segments.offset((int) entry), key);
                if (keyFrom >= 0) {
                    return (long) keyFrom << 32 | (entry & LOW_HALF);
                }
            }
            place = place + 1 & mask;
        }
        return NONE;
    }

    // ---- what writers do

    @Override
    public void put(int slot, long keyHash, byte[] key, byte[] value, long deadline) {
        boolean timed = deadline != KeyValueStore.NO_DEADLINE;
        int needed = SlabRecord.bytesFor(key.length, value.length, timed);
        int reference = (int) find(keyHash, key);
        if (reference == NONE) {
            reference = insert(slot, keyHash, key, needed);
        } else {
            if (!timed) {
                forgetDeadline(reference, key);
            }
            int has = SlabRecord.bytes(segments.of(reference), Segments.offset(reference));
            if (needed > has || needed < has / 2) {
                makeRoom(needed);
                reference = move((int) find(keyHash, key), tag(keyHash), needed); // making room may have moved it, too
            }
        }
        if (timed) {
            setDeadline(reference, key, deadline);
        }
        SlabRecord.setValue(segments.of(reference), Segments.offset(reference), value);
    }

    private int insert(int slot, long keyHash, byte[] key, int bytes) {
        if (slotHeads.length == 0) {
            slotHeads = new int[slots];
            slotSizes = new int[slots];
        }
        if ((size + 1L) * 4 > index.length * 3L) {
            growIndex();
        }
        makeRoom(bytes);
        int reference = segments.take(bytes);
        int slotIndex = slot >>> stripeBits;
        SlabRecord.create(segments.of(reference), Segments.offset(reference), bytes, slotIndex, key);
        link(reference, slotHeads[slotIndex], slotIndex);
        link(NONE, reference, slotIndex);
        addToIndex(index, indexEntry(tag(keyHash), reference));
        slotSizes[slotIndex]++;
        size++;
        return reference;
    }

    /** Takes the deadline out of a record, before it is made smaller. */
    private void forgetDeadline(int reference, byte[] key) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        if (SlabRecord.hasDeadline(segment, at)) {
            deadlines.remove(SlabRecord.place(segment, at));
            SlabRecord.clearDeadline(segment, at, key);
        }
    }

    private void setDeadline(int reference, byte[] key, long deadline) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        boolean hadOne = SlabRecord.hasDeadline(segment, at);
        SlabRecord.setDeadline(segment, at, key, deadline);
        if (hadOne) {
            deadlines.update(SlabRecord.place(segment, at), deadline);
        } else {
            deadlines.add(reference, deadline);
        }
    }

    @Override
    public boolean remove(long keyHash, byte[] key) {
        int reference = (int) find(keyHash, key);
        if (reference == NONE) {
            return false;
        }
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        if (SlabRecord.hasDeadline(segment, at)) {
            deadlines.remove(SlabRecord.place(segment, at));
        }
        int next = SlabRecord.next(segment, at);
        int slotIndex = SlabRecord.slotIndex(segment, at);
        link(SlabRecord.previous(segment, at), next, slotIndex);
        replaceInCursors(reference, next);
        removeFromIndex(placeOf(tag(keyHash), reference));
        slotSizes[slotIndex]--;
        size--;
        kill(reference);
        if (segments.dead() > Math.max(2 * Segments.FULL, segments.used() / 2)) {
            evacuate(segments.emptiest());
        }
        return true;
    }

    @Override
    public byte @Nullable [] expiredKey(long now) {
        if (deadlines.isEmpty() || deadlines.firstDeadline() >= now) {
            return null;
        }
        int reference = deadlines.firstReference();
        return SlabRecord.key(segments.of(reference), Segments.offset(reference));
    }

    @Override
    public Cursor cursor(int slot) {
        ListCursor cursor = new ListCursor(slotHeads.length == 0 ? NONE : slotHeads[slot >>> stripeBits]);
        cursors.add(cursor);
        return cursor;
    }

    // ---- moving records

    /** Sees to it that a record can be added. Moves other records. */
    private void makeRoom(int bytes) {
        if (segments.hasRoom(bytes)) {
            return;
        }
        int full = segments.last();
        if (full == Segments.NOWHERE) {
            segments.open(Segments.capacityFor(bytes));
        } else if (segments.segment(full).length < Segments.FULL) {
            boolean empty = segments.liveIn(full) == 0;
            segments.open(Segments.capacityFor(2 * (segments.liveIn(full) + bytes)));
            if (!empty) {
                evacuate(full);
            }
        } else {
            segments.open(Segments.FULL);
            if (segments.dead() > segments.used() / 4) {
                evacuate(segments.emptiest());
            }
        }
    }

    /** Moves the live records of a segment to the end of the last one; with the last of them, the segment is gone. */
    private void evacuate(int id) {
        byte[] segment = segments.segment(id);
        int end = segments.usedIn(id);
        if (id == segments.last()) {
            segments.open(Segments.FULL);
        }
        int bytes;
        for (int at = 0; at < end; at += bytes) {
            bytes = SlabRecord.bytes(segment, at);
            if (!SlabRecord.isDead(segment, at)) {
                int keyLength = SlabRecord.keyLength(segment, at);
                long keyHash = hash.of(segment, SlabRecord.keyFrom(segment, at), keyLength);
                int needed = SlabRecord.bytesFor(
                        keyLength, SlabRecord.valueLength(segment, at), SlabRecord.hasDeadline(segment, at));
                if (!segments.hasRoom(needed)) {
                    segments.open(Segments.FULL);
                }
                move(Segments.reference(id, at), tag(keyHash), needed);
            }
        }
    }

    /** Gives a record another place, of another size, for which there is room. Returns the new reference. */
    private int move(int reference, int tag, int bytes) {
        byte[] from = segments.of(reference);
        int at = Segments.offset(reference);
        int moved = segments.take(bytes);
        byte[] to = segments.of(moved);
        int toAt = Segments.offset(moved);
        SlabRecord.copy(from, at, to, toAt, bytes);
        int slotIndex = SlabRecord.slotIndex(to, toAt);
        link(SlabRecord.previous(to, toAt), moved, slotIndex);
        link(moved, SlabRecord.next(to, toAt), slotIndex);
        index[placeOf(tag, reference)] = indexEntry(tag, moved);
        if (SlabRecord.hasDeadline(to, toAt)) {
            deadlines.moved(SlabRecord.place(to, toAt), moved);
        }
        replaceInCursors(reference, moved);
        kill(reference);
        return moved;
    }

    private void kill(int reference) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        SlabRecord.setDead(segment, at);
        segments.giveUp(reference, SlabRecord.bytes(segment, at));
    }

    /** Makes two records neighbours in the list of a slot; without a previous one, the next is the head. */
    private void link(int previous, int next, int slotIndex) {
        if (previous == NONE) {
            slotHeads[slotIndex] = next;
        } else {
            SlabRecord.setNext(segments.of(previous), Segments.offset(previous), next);
        }
        if (next != NONE) {
            SlabRecord.setPrevious(segments.of(next), Segments.offset(next), previous);
        }
    }

    private void replaceInCursors(int reference, int by) {
        for (ListCursor cursor : cursors) {
            cursor.replace(reference, by);
        }
    }

    private void placed(int reference, int place) {
        SlabRecord.setPlace(segments.of(reference), Segments.offset(reference), place);
    }

    // ---- the index

    private static int tag(long hashOrEntry) {
        return (int) (hashOrEntry >>> 32);
    }

    private static long indexEntry(int tag, int reference) {
        return (long) tag << 32 | (reference & LOW_HALF);
    }

    private void growIndex() {
        long[] bigger = new long[Math.max(MIN_INDEX, index.length * 2)];
        for (long entry : index) {
            if (entry != NONE) {
                addToIndex(bigger, entry);
            }
        }
        index = bigger;
    }

    private static void addToIndex(long[] entries, long entry) {
        int mask = entries.length - 1;
        int place = tag(entry) & mask;
        while (entries[place] != NONE) {
            place = place + 1 & mask;
        }
        entries[place] = entry;
    }

    private int placeOf(int tag, int reference) {
        int mask = index.length - 1;
        int place = tag & mask;
        while ((int) index[place] != reference) {
            place = place + 1 & mask;
        }
        return place;
    }

    /** Empties a place and moves up what stood behind it only because of it. */
    private void removeFromIndex(int emptied) {
        int mask = index.length - 1;
        int gap = emptied;
        int place = emptied + 1 & mask;
        while (index[place] != NONE) {
            int home = tag(index[place]) & mask;
            if ((place - home & mask) >= (place - gap & mask)) {
                index[gap] = index[place];
                gap = place;
            }
            place = place + 1 & mask;
        }
        index[gap] = NONE;
    }

    // ---- for tests

    /** Returns how many bytes of memory the index and the segments hold. */
    long capacity() {
        return (long) index.length * Long.BYTES + segments.capacity();
    }

    /** Throws if the index, the lists, the heap and the segments do not agree. */
    void checkInvariants() {
        int indexed = 0;
        int timed = 0;
        long liveBytes = 0;
        for (long entry : index) {
            if (entry == NONE) {
                continue;
            }
            indexed++;
            int reference = (int) entry;
            byte[] segment = segments.of(reference);
            int at = Segments.offset(reference);
            byte[] key = SlabRecord.key(segment, at);
            boolean hasDeadline = SlabRecord.hasDeadline(segment, at);
            int bytes = SlabRecord.bytes(segment, at);
            liveBytes += bytes;
            require((int) find(hash.of(key, 0, key.length), key) == reference, "an entry is not found by its key");
            require(!SlabRecord.isDead(segment, at), "a dead record is in the index");
            require(
                    bytes >= SlabRecord.bytesFor(key.length, SlabRecord.valueLength(segment, at), hasDeadline),
                    "a record is too small");
            if (hasDeadline) {
                timed++;
                require(
                        deadlines.isAt(SlabRecord.place(segment, at), reference, SlabRecord.deadline(segment, at)),
                        "a record is elsewhere in the heap");
            }
        }
        require(indexed == size, "the index has another size than the table");
        require(timed == deadlines.size(), "the heap has another size than the table");
        segments.checkInvariants(liveBytes);
        checkLists();
    }

    private void checkLists() {
        int listed = 0;
        for (int slotIndex = 0; slotIndex < slotHeads.length; slotIndex++) {
            int count = 0;
            int previous = NONE;
            int reference = slotHeads[slotIndex];
            while (reference != NONE) {
                byte[] segment = segments.of(reference);
                int at = Segments.offset(reference);
                require(SlabRecord.previous(segment, at) == previous, "a list is broken");
                require(SlabRecord.slotIndex(segment, at) == slotIndex, "a record is in the list of another slot");
                count++;
                previous = reference;
                reference = SlabRecord.next(segment, at);
            }
            require(count == slotSizes[slotIndex], "a list has another size than its slot");
            listed += count;
        }
        require(listed == size, "the lists have another size than the table");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    /** Entries are added at the head of a slot's list, behind every cursor that has moved. */
    private final class ListCursor implements Cursor {
        private int following;
        private int current = NONE;

        ListCursor(int first) {
            this.following = first;
        }

        @Override
        public boolean next() {
            current = following;
            if (current == NONE) {
                return false;
            }
            following = SlabRecord.next(segments.of(current), Segments.offset(current));
            return true;
        }

        @Override
        public byte[] key() {
            return SlabRecord.key(segment(), Segments.offset(current));
        }

        @Override
        public Entry entry() {
            byte[] segment = segment();
            int at = Segments.offset(current);
            return new Entry(
                    SlabRecord.key(segment, at), SlabRecord.value(segment, at), SlabRecord.deadline(segment, at));
        }

        @Override
        public long deadline() {
            return SlabRecord.deadline(segment(), Segments.offset(current));
        }

        @Override
        public void write(ByteBuf target) {
            byte[] segment = segment();
            int at = Segments.offset(current);
            int keyFrom = SlabRecord.keyFrom(segment, at);
            int keyLength = SlabRecord.keyLength(segment, at);
            MutationWriter.put(
                    target,
                    segment,
                    keyFrom,
                    keyLength,
                    keyFrom + keyLength,
                    SlabRecord.valueLength(segment, at),
                    SlabRecord.deadline(segment, at));
        }

        @Override
        public void close() {
            following = NONE;
            current = NONE;
            cursors.remove(this);
        }

        void replace(int reference, int by) {
            if (following == reference) {
                following = by;
            }
        }

        private byte[] segment() {
            if (current == NONE) {
                throw new IllegalStateException("the cursor is at no entry");
            }
            return segments.of(current);
        }
    }
}
