package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A table that keeps its entries as {@link SlabRecord}s in large arrays, so that the garbage collector has nothing to
 * do with them, and a write that needs no more room than before happens in place.
 *
 * <p>Records are only ever added at the end of the last segment. One that is removed or moved away stays behind as
 * dead. When a new segment is begun and more than a quarter of all is dead, the live records of the segment with the
 * most dead bytes are moved to its end, and of a few more if that does not suffice: about three bytes are copied for
 * each one gained (the cleaner of Rumble, Kejriwal and Ousterhout, "Log-structured Memory for DRAM-based Storage",
 * 2014, in its simplest form). A new segment is a small part of what there is, since it is half empty on the average.
 * While all fits one segment, there is one, and it is as large as it must be.
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

    /** How many segments are emptied at once: the first ones of a table are smaller than those that are begun later. */
    private static final int MOST_EVACUATED = 4;

    /** The hash of a key that is a part of an array. */
    interface Hash {
        long of(byte[] bytes, int from, int length);
    }

    final Hash hash;
    private final int stripeBits;
    final Segments segments;
    final SlotRecords slotRecords;
    final DeadlineWheel wheel;
    private final int reserve;

    /** The index; see {@link RecordIndex}. */
    long[] entries = RecordIndex.EMPTY;

    /** The arrays of {@link #segments}, here too, so that a reader finds them where it finds the index. */
    byte[] @Nullable [] arrays;

    int size;
    long payload;

    /** Whether a change is under way: still so after it only if it failed there. */
    private boolean midway;

    private boolean prepared;
    private int preparedSlot; // of the last entries that were prepared

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
        this.arrays = segments.arrays();
        this.reserve = maxSegments / 64;
        this.hash = hash;
        this.stripeBits = stripeBits;
        SlabLinks links = new SlabLinks(segments);
        this.slotRecords = new SlotRecords(links, slots);
        this.wheel = new DeadlineWheel(links);
    }

    // ---- what readers do, maybe beside a writer

    @Override
    public byte @Nullable [] get(long keyHash, byte[] key, InstantSource clock) {
        long found = find(keyHash, key);
        byte[] segment = segment((int) found);
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
        byte[] segment = segment((int) found);
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
        byte[] segment = segment((int) found);
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
        byte[] segment = segment(reference);
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
    long find(long keyHash, byte[] key) {
        long[] all = entries;
        int mask = all.length - 1;
        int tag = RecordIndex.tag(keyHash);
        int place = tag & mask;
        for (int probes = 0; probes <= mask; probes++) {
            long entry = all[place];
            if (entry == NONE) {
                return NONE;
            }
            if (RecordIndex.tag(entry) == tag) {
                byte[] segment = segment((int) entry);
                int keyFrom = segment == null ? -1 : SlabRecord.match(segment, Segments.offset((int) entry), key);
                if (keyFrom >= 0) {
                    return (long) keyFrom << 32 | (entry & LOW_HALF);
                }
            }
            place = place + 1 & mask;
        }
        return NONE;
    }

    /** Returns the segment of a reference, or null if there is none. */
    private byte @Nullable [] segment(int reference) {
        byte[] @Nullable [] all = arrays;
        int id = Segments.idOf(reference);
        return id < all.length ? all[id] : null;
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
            prepareToInsert(slot >>> stripeBits, key, needed);
        } else if (hasWrongSize(reference, needed)) {
            makeRoom(needed);
        }
    }

    @Override
    public void prepare(int slot, List<? extends Incoming> coming) {
        List<byte[]> added = new ArrayList<>();
        List<Integer> large = new ArrayList<>();
        long shared = 0;
        for (Incoming entry : coming) {
            int needed = SlabRecord.bytesFor(entry.key().length, entry.valueLength(), entry.isTimed());
            int reference = (int) find(entry.keyHash(), entry.key());
            if (entry.isTimed()) {
                wheel.prepare();
            }
            if (reference == NONE) {
                added.add(entry.key());
            } else if (!mayHaveWrongSize(reference, needed)) {
                continue;
            }
            if (needed > Segments.MAX_SHARED) {
                large.add(needed);
            } else {
                shared += needed;
            }
        }
        entries = RecordIndex.withRoom(entries, size + added.size());
        if (shared > 0 && shared <= Segments.MAX_SHARED) {
            makeRoom((int) shared);
            shared = 0;
        }
        segments.prepare(large, shared);
        arrays = segments.arrays();
        preparedSlot = slot >>> stripeBits;
        slotRecords.prepare(preparedSlot, added);
        prepared = true;
    }

    /** All but segments is small, or of use to others. */
    @Override
    public void forgetPrepared() {
        segments.forgetPrepared();
        if (prepared) {
            slotRecords.forgetPrepared();
            prepared = false;
            giveMemoryBack(preparedSlot);
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
            prepareToInsert(slot >>> stripeBits, key, needed);
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

    /** As {@link #hasWrongSize}, but also after the record was moved, which leaves it no bytes to spare. */
    private boolean mayHaveWrongSize(int reference, int needed) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        boolean moves = SlabRecord.bytes(segment, at) <= Segments.MAX_SHARED;
        return hasWrongSize(reference, needed) || (moves && needed > SlabRecord.bytesUsed(segment, at));
    }

    /** Allocates what {@link #insert} needs. */
    private void prepareToInsert(int slotIndex, byte[] key, int bytes) {
        if (!prepared) {
            slotRecords.prepare(slotIndex, key);
            entries = RecordIndex.withRoom(entries, size + 1);
        }
        makeRoom(bytes);
    }

    private int insert(int slot, long keyHash, byte[] key, int bytes) {
        int reference = segments.take(bytes);
        int slotIndex = slot >>> stripeBits;
        SlabRecord.create(segments.of(reference), Segments.offset(reference), bytes, slotIndex, key);
        slotRecords.add(slotIndex, reference);
        RecordIndex.add(entries, RecordIndex.tag(keyHash), reference);
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
        RecordIndex.remove(entries, RecordIndex.tag(keyHash), reference);
        size--;
        payload -= key.length + SlabRecord.valueLength(segment, at);
        kill(reference);
        midway = false;
        giveMemoryBack(slotIndex);
        return true;
    }

    /** Gives memory back that removals have left, if it is much and there is enough left to do so. Moves records. */
    private void giveMemoryBack(int slotIndex) {
        if (prepared || midway) { // what was prepared must not be gone before it is forgotten
            return;
        }
        try {
            boolean much = segments.dead() > Math.max(2 * Segments.FULL, segments.used() / 2);
            if (much && segments.canOpen(1)) {
                evacuate(segments.emptiest());
            }
            entries = RecordIndex.shrunk(entries, size);
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
        return new SlabCursor(segments, slotRecords.walk(slot >>> stripeBits));
    }

    @Override
    public Cursor cursor(int slot, long first, long last) {
        return new SlabCursor(segments, slotRecords.walk(slot >>> stripeBits, first, last));
    }

    @Override
    public int parts(int slot) {
        return slotRecords.isDivided(slot >>> stripeBits) ? SlotRecords.PARTS : 1;
    }

    @Override
    public boolean gainsByFetching() {
        return true;
    }

    // ---- moving records

    /** Sees to it that a record can be added, without any more memory. Moves other records, unless all is prepared. */
    private void makeRoom(int bytes) {
        if (prepared) {
            if (bytes <= Segments.MAX_SHARED && !segments.hasRoom(bytes)) {
                open(Segments.FULL);
            }
            return;
        }
        if (bytes > Segments.MAX_SHARED) {
            segments.prepare(bytes);
            arrays = segments.arrays();
            return;
        }
        if (segments.hasRoom(bytes)) {
            return;
        }
        int full = segments.last();
        if (full == Segments.NOWHERE) {
            open(Segments.capacityFor(bytes));
        } else if (segments.isOnlyOne() && segments.segment(full).length < Segments.FULL) {
            boolean empty = segments.liveIn(full) == 0;
            open(Segments.capacityFor(3 * (segments.liveIn(full) + bytes) / 2));
            if (!empty) {
                evacuate(full);
            }
        } else {
            open(segments.nextCapacity(bytes));
            for (int i = 0; i < MOST_EVACUATED && segments.dead() > segments.used() / 4; i++) {
                evacuate(segments.emptiest());
            }
        }
        if (!segments.hasRoom(bytes)) { // what was moved has taken it
            open(segments.nextCapacity(bytes));
        }
    }

    private void open(int capacity) {
        segments.open(capacity);
        arrays = segments.arrays();
    }

    /** Moves the live records of a segment to the end of the last one; with the last of them, the segment is gone. */
    private void evacuate(int id) {
        byte[] segment = segments.segment(id);
        int end = segments.usedIn(id);
        if (id == segments.last()) {
            open(segments.nextCapacity(0));
        }
        int bytes;
        for (int at = 0; at < end; at += bytes) {
            bytes = SlabRecord.bytes(segment, at);
            if (!SlabRecord.isDead(segment, at)) {
                long keyHash = hash.of(segment, SlabRecord.keyFrom(segment, at), SlabRecord.keyLength(segment, at));
                int needed = SlabRecord.bytesUsed(segment, at);
                if (!segments.hasRoom(needed)) {
                    open(segments.nextCapacity(needed));
                }
                midway = true;
                move(Segments.reference(id, at), RecordIndex.tag(keyHash), needed);
                midway = false;
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
        slotRecords.moved(SlabRecord.slotIndex(to, toAt), moved);
        RecordIndex.replace(entries, tag, reference, moved);
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
}
