package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A table that keeps its entries as {@link SlabRecord}s in large arrays, so that the garbage collector has nothing to
 * do with them, and a write that needs no more room than before happens in place.
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
    /** What an entry counts beside the bytes of its key and its value. */
    static final int OVERHEAD = 48;

    private static final int NONE = Segments.NONE;
    private static final long LOW_HALF = 0xffff_ffffL;

    /** What of a shared segment is used at least: the rest may be too short for the next record. */
    private static final int SHARE_OF_SEGMENT = Segments.FULL - Segments.MAX_SHARED;

    /** The hash of a key that is a part of an array. */
    interface Hash {
        long of(byte[] bytes, int from, int length);
    }

    private final Hash hash;
    private final int stripeBits;
    private final Segments segments;
    private final SlotRecords slotRecords;
    private final DeadlineWheel wheel = new DeadlineWheel(new Deadlines());
    private final RecordIndex index = new RecordIndex();
    private final int reserve;
    private int size;
    private long payload;

    /** Whether a change is under way: still so after it only if it failed there. */
    private boolean midway;

    /**
     * Makes an empty table for every slot of one stripe.
     *
     * @param hash hashes the keys, as those who give hashes do
     * @param stripeBits how many of a slot's low bits name the stripe
     * @param slots how many slots the stripe has
     */
    SlabTable(Hash hash, int stripeBits, int slots) {
        this(hash, stripeBits, slots, Segments.MAX_COUNT);
    }

    /** As above, with another bound of the segments that it may have. */
    SlabTable(Hash hash, int stripeBits, int slots, int maxSegments) {
        this.segments = new Segments(maxSegments);
        this.reserve = maxSegments / 64;
        this.hash = hash;
        this.stripeBits = stripeBits;
        this.slotRecords = new SlotRecords(new Places(), slots);
    }

    // ---- what readers do, maybe beside a writer

    @Override
    public byte @Nullable [] get(long keyHash, byte[] key, InstantSource clock) {
        long found = find(keyHash, key);
        byte[] segment = segments.find((int) found);
        long value = segment == null ? NO_VALUE : valueAt(found, segment, key.length, clock);
        if (segment == null || value == NO_VALUE) {
            return null;
        }
        int from = (int) (value >>> 32);
        return Arrays.copyOfRange(segment, from, from + (int) value);
    }

    @Override
    public int get(long keyHash, byte[] key, InstantSource clock, ByteBuf target) {
        long found = find(keyHash, key);
        byte[] segment = segments.find((int) found);
        long value = segment == null ? NO_VALUE : valueAt(found, segment, key.length, clock);
        if (segment == null || value == NO_VALUE) {
            return NO_VALUE;
        }
        target.writeBytes(segment, (int) (value >>> 32), (int) value);
        return (int) value;
    }

    @Override
    public <R, T extends @Nullable Object> @Nullable T lend(
            long keyHash, byte[] key, InstantSource clock, R reader, Lender<R, T> lender) {
        long found = find(keyHash, key);
        byte[] segment = segments.find((int) found);
        long value = segment == null ? NO_VALUE : valueAt(found, segment, key.length, clock);
        if (segment == null || value == NO_VALUE) {
            return null;
        }
        return lender.lend(segment, (int) (value >>> 32), (int) value, reader);
    }

    /**
     * Returns where the value of a found record begins, in the high half, and its length in the low half; or
     * {@link #NO_VALUE} if it is past its deadline. The record may be changed meanwhile.
     */
    private static long valueAt(long found, byte[] segment, int keyLength, InstantSource clock) {
        int at = Segments.offset((int) found);
        int keyFrom = (int) (found >>> 32);
        int from = keyFrom + keyLength;
        if (from > segment.length) {
            return NO_VALUE;
        }
        int length = SlabRecord.valueLength(segment, at);
        if (length < 0 || length > segment.length - from) {
            return NO_VALUE;
        }
        long deadline = SlabRecord.deadline(segment, at, keyFrom);
        if (deadline != Table.NO_DEADLINE && clock.millis() > deadline) {
            return NO_VALUE;
        }
        return (long) from << 32 | length;
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
    public int valueLength(long keyHash, byte[] key) {
        int reference = (int) find(keyHash, key);
        return reference == NONE
                ? NO_VALUE
                : SlabRecord.valueLength(segments.of(reference), Segments.offset(reference));
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

    /** Returns where the record's key begins, in the high half, and the reference in the low half; or {@link #NONE}. */
    private long find(long keyHash, byte[] key) {
        long[] entries = index.entries();
        int mask = entries.length - 1;
        int tag = RecordIndex.tag(keyHash);
        int place = tag & mask;
        for (int probes = 0; probes <= mask; probes++) {
            long entry = entries[place];
            if (entry == NONE) {
                return NONE;
            }
            if (RecordIndex.tag(entry) == tag) {
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

    /** A large record has a segment of its own; the end of one that is shared may be too short for the next record. */
    @Override
    public long shareOfBound(int keyLength, int valueLength, boolean timed) {
        int bytes = SlabRecord.bytesFor(keyLength, valueLength, timed);
        return bytes > Segments.MAX_SHARED ? SHARE_OF_SEGMENT : bytes;
    }

    /** Moving other records may need two segments more. */
    @Override
    public boolean canTake(long share, boolean grows) {
        long opened = (share + SHARE_OF_SEGMENT - 1) / SHARE_OF_SEGMENT + 2;
        return segments.canOpen(opened + (grows ? reserve : 0));
    }

    @Override
    public boolean isBroken() {
        return midway;
    }

    @Override
    public int timed() {
        return wheel.size();
    }

    @Override
    public void prepare(int slot, long keyHash, byte[] key, int valueLength, boolean timed) {
        int needed = SlabRecord.bytesFor(key.length, valueLength, timed);
        int reference = (int) find(keyHash, key);
        if (timed) {
            wheel.prepare();
        }
        if (reference == NONE) {
            prepareToInsert(slot >>> stripeBits, needed);
        } else if (hasWrongSize(reference, needed)) {
            makeRoom(needed);
        }
    }

    @Override
    public void put(int slot, long keyHash, byte[] key, byte[] value, long deadline) {
        boolean timed = deadline != Table.NO_DEADLINE;
        int needed = SlabRecord.bytesFor(key.length, value.length, timed);
        int reference = (int) find(keyHash, key);
        if (timed) {
            wheel.prepare();
        }
        if (reference == NONE) {
            prepareToInsert(slot >>> stripeBits, needed);
            midway = true;
            reference = insert(slot, keyHash, key, needed);
        } else {
            boolean resized = hasWrongSize(reference, needed);
            if (resized) {
                makeRoom(needed);
                reference = (int) find(keyHash, key); // making room may have moved it
            }
            // From here on nothing is allocated: only a stack overflow can stop it halfway.
            midway = true;
            payload -= SlabRecord.valueLength(segments.of(reference), Segments.offset(reference));
            SlabRecord.dropValue(segments.of(reference), Segments.offset(reference));
            if (!timed) {
                clearDeadline(reference);
            }
            if (resized) {
                reference = move(reference, RecordIndex.tag(keyHash), needed);
            }
        }
        if (timed) {
            giveDeadline(reference, deadline);
        }
        SlabRecord.setValue(segments.of(reference), Segments.offset(reference), value);
        payload += value.length;
        midway = false;
    }

    private boolean hasWrongSize(int reference, int needed) {
        int has = SlabRecord.bytes(segments.of(reference), Segments.offset(reference));
        return needed > has || needed < has / 2;
    }

    /** Allocates what {@link #insert} needs. */
    private void prepareToInsert(int slotIndex, int bytes) {
        slotRecords.prepare(slotIndex);
        index.prepare(size + 1);
        makeRoom(bytes);
    }

    private int insert(int slot, long keyHash, byte[] key, int bytes) {
        int reference = segments.take(bytes);
        int slotIndex = slot >>> stripeBits;
        SlabRecord.create(segments.of(reference), Segments.offset(reference), bytes, slotIndex, key);
        slotRecords.add(slotIndex, reference);
        index.add(RecordIndex.tag(keyHash), reference);
        size++;
        payload += key.length;
        return reference;
    }

    @Override
    public boolean setDeadline(long keyHash, byte[] key, long deadline) {
        int reference = (int) find(keyHash, key);
        if (reference == NONE) {
            return false;
        }
        if (deadline == Table.NO_DEADLINE) {
            midway = true;
            clearDeadline(reference);
            midway = false;
            return true;
        }
        wheel.prepare();
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        int needed = SlabRecord.bytesFor(key.length, SlabRecord.valueLength(segment, at), true);
        if (needed > SlabRecord.bytes(segment, at)) {
            makeRoom(needed);
            reference = (int) find(keyHash, key);
            midway = true;
            reference = move(reference, RecordIndex.tag(keyHash), needed);
        }
        midway = true;
        giveDeadline(reference, deadline);
        midway = false;
        return true;
    }

    private void clearDeadline(int reference) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        if (SlabRecord.hasDeadline(segment, at)) {
            wheel.remove(reference);
            SlabRecord.removeDeadline(segment, at);
        }
    }

    private void giveDeadline(int reference, long deadline) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        if (SlabRecord.hasDeadline(segment, at)) {
            long before = SlabRecord.deadline(segment, at);
            SlabRecord.setDeadline(segment, at, deadline);
            wheel.changed(reference, before);
        } else {
            SlabRecord.addDeadline(segment, at, deadline);
            wheel.add(reference);
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
        int slotIndex = SlabRecord.slotIndex(segment, at);
        slotRecords.prepareToRemove();
        // From here on nothing is allocated: only a stack overflow can stop it halfway.
        midway = true;
        slotRecords.remove(slotIndex, reference);
        if (SlabRecord.hasDeadline(segment, at)) {
            wheel.remove(reference);
        }
        index.remove(RecordIndex.tag(keyHash), reference);
        size--;
        payload -= key.length + SlabRecord.valueLength(segment, at);
        kill(reference);
        midway = false;
        giveMemoryBack(slotIndex);
        return true;
    }

    /** Gives memory back that removals have left, if it is much and there is enough left to do so. Moves records. */
    private void giveMemoryBack(int slotIndex) {
        try {
            boolean much = segments.dead() > Math.max(2 * Segments.FULL, segments.used() / 2);
            if (much && segments.canOpen(1)) {
                evacuate(segments.emptiest());
            }
            index.shrink(size);
            slotRecords.shrink(slotIndex);
        } catch (OutOfMemoryError e) {
            // What was moved by then is moved, and a later removal does the rest: this one must not fail, for it is
            // made.
        }
    }

    @Override
    public int sweep(long now, int steps, Consumer<byte[]> expired) {
        return wheel.sweep(
                now,
                steps,
                reference -> expired.accept(SlabRecord.key(segments.of(reference), Segments.offset(reference))));
    }

    @Override
    public byte @Nullable [] coldestKey(Predicate<byte[]> except) {
        return null;
    }

    @Override
    public byte[] keyAt(int slot, int index) {
        int reference = slotRecords.reference(slot >>> stripeBits, index);
        return SlabRecord.key(segments.of(reference), Segments.offset(reference));
    }

    @Override
    public Cursor cursor(int slot) {
        return new RecordCursor(slotRecords.walk(slot >>> stripeBits));
    }

    // ---- moving records

    /** Sees to it that a record can be added, without any more memory. Moves other records. */
    private void makeRoom(int bytes) {
        if (bytes > Segments.MAX_SHARED) {
            segments.prepare(bytes);
            return;
        }
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
                relocate(Segments.reference(id, at), RecordIndex.tag(keyHash), needed);
            }
        }
    }

    /** Moves a record on its own account, not as a part of a change. */
    private void relocate(int reference, int tag, int bytes) {
        midway = true;
        int moved = move(reference, tag, bytes);
        midway = moved == NONE;
    }

    /** Gives a record another place, of another size, for which there is room. Returns the new reference. */
    private int move(int reference, int tag, int bytes) {
        byte[] from = segments.of(reference);
        int at = Segments.offset(reference);
        int moved = segments.take(bytes);
        byte[] to = segments.of(moved);
        int toAt = Segments.offset(moved);
        SlabRecord.copy(from, at, to, toAt, bytes);
        slotRecords.moved(SlabRecord.slotIndex(to, toAt), moved);
        index.replace(tag, reference, moved);
        if (SlabRecord.hasDeadline(to, toAt)) {
            wheel.moved(moved);
        }
        kill(reference);
        return moved;
    }

    private void kill(int reference) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        SlabRecord.setDead(segment, at);
        segments.giveUp(reference, SlabRecord.bytes(segment, at));
    }

    // ---- for tests

    /** Returns how many bytes of memory the index, the slots and the segments hold. */
    long capacity() {
        return index.capacity() + slotRecords.capacity() + segments.capacity();
    }

    /** Throws if the index, the slots, the wheel and the segments do not agree. */
    void checkInvariants() {
        int indexed = 0;
        int timed = 0;
        long liveBytes = 0;
        long liveKeysAndValues = 0;
        for (long entry : index.entries()) {
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
            liveKeysAndValues += key.length + SlabRecord.valueLength(segment, at);
            require((int) find(hash.of(key, 0, key.length), key) == reference, "an entry is not found by its key");
            require(!SlabRecord.isDead(segment, at), "a dead record is in the index");
            require(
                    bytes >= SlabRecord.bytesFor(key.length, SlabRecord.valueLength(segment, at), hasDeadline),
                    "a record is too small");
            if (hasDeadline) {
                timed++;
            }
        }
        require(indexed == size, "the index has another size than the table");
        require(timed == wheel.size(), "the wheel has another size than the table");
        wheel.checkInvariants();
        slotRecords.checkInvariants(size);
        require(liveKeysAndValues == payload, "keys and values have other lengths than the table says");
        segments.checkInvariants(liveBytes);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    private final class RecordCursor implements Cursor {
        /** Of how many records the headers are read before the first is used. */
        private static final int READ_AHEAD = 16;

        private final SlotRecords.Walk walk;
        private int ahead;

        RecordCursor(SlotRecords.Walk walk) {
            this.walk = walk;
        }

        @Override
        public boolean next() {
            if (ahead == 0) {
                readAhead();
            }
            ahead = Math.max(0, ahead - 1);
            return walk.next();
        }

        /**
         * Looks at the next records. They lie far apart, so that the processor had better fetch several at once; a
         * check of what is read keeps the compiler from dropping it.
         */
        private void readAhead() {
            ahead = Math.min(READ_AHEAD, walk.left());
            for (int i = 1; i <= ahead; i++) {
                int reference = walk.ahead(i);
                require(
                        !SlabRecord.isDead(segments.of(reference), Segments.offset(reference)),
                        "a dead record is held");
            }
        }

        @Override
        public byte[] key() {
            return SlabRecord.key(segments.of(walk.current()), Segments.offset(walk.current()));
        }

        @Override
        public byte[] value() {
            return SlabRecord.value(segments.of(walk.current()), Segments.offset(walk.current()));
        }

        @Override
        public long deadline() {
            return SlabRecord.deadline(segments.of(walk.current()), Segments.offset(walk.current()));
        }

        @Override
        public void write(ByteBuf target) {
            byte[] segment = segments.of(walk.current());
            int at = Segments.offset(walk.current());
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
            walk.close();
        }
    }

    /** Where each record has its place among those of its slot. */
    private final class Places implements SlotRecords.Places {
        @Override
        public int place(int reference) {
            return SlabRecord.place(segments.of(reference), Segments.offset(reference));
        }

        @Override
        public void setPlace(int reference, int place) {
            SlabRecord.setPlace(segments.of(reference), Segments.offset(reference), place);
        }
    }

    /** The links of the records of a bucket. */
    private final class Deadlines implements DeadlineWheel.Records {
        @Override
        public int next(int reference) {
            return SlabRecord.nextDue(segments.of(reference), Segments.offset(reference));
        }

        @Override
        public void setNext(int reference, int next) {
            SlabRecord.setNextDue(segments.of(reference), Segments.offset(reference), next);
        }

        @Override
        public int previous(int reference) {
            return SlabRecord.previousDue(segments.of(reference), Segments.offset(reference));
        }

        @Override
        public void setPrevious(int reference, int previous) {
            SlabRecord.setPreviousDue(segments.of(reference), Segments.offset(reference), previous);
        }

        @Override
        public long deadline(int reference) {
            return SlabRecord.deadline(segments.of(reference), Segments.offset(reference));
        }
    }
}
