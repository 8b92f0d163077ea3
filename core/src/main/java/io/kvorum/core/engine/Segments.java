package io.kvorum.core.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The arrays in which a table keeps its records. References are positions in units of 4 bytes, plus one, so that 0 is
 * none.
 *
 * <p>Room is only ever taken at the end of the last segment; what is given up stays behind, until its whole segment is
 * empty. Large records have a segment each. Which records lie in a segment is the table's business, and so is moving
 * them away.
 *
 * <p>The array of {@link #arrays} may be read beside a writer; what is found there is then worth nothing.
 */
final class Segments {
    /**
     * The size of a segment that is full grown. A stripe wastes half of one on the average, and a larger one gains a
     * reader a few percent.
     */
    static final int FULL = 1 << 16;

    /** The largest record that shares its segment with others. */
    static final int MAX_SHARED = FULL / 4;

    /** The reference to nothing. */
    static final int NONE = Links.NONE;

    static final int UNIT = 4;

    private static final int MIN_CAPACITY = 1 << 10;

    /** What part of the live bytes a further segment has at least. */
    private static final int SHARE_OF_LIVE = 32;

    /** How many records as large as the first one have room in a further segment at least: its end stays empty. */
    private static final int RECORDS = 8;

    private static final int UNITS_BITS = 14; // of a reference: those that name the unit within the segment

    /** The most segments: 8 GiB of them, or, of records that are just too large to share one, 2 GiB. */
    static final int MAX_COUNT = (1 << (Integer.SIZE - 1 - UNITS_BITS)) - 1; // references are positive

    /** What stands for the used bytes of a segment that belongs to one large record. */
    private static final int UNSHARED = -1;

    private static final List<byte[]> NOTHING = List.of();

    private byte[] @Nullable [] segments = new byte[0][];
    private int[] used = new int[0];
    private int[] live = new int[0];
    private int lowestFree; // or lower
    private int last = NOWHERE;
    private byte @Nullable [] spare;
    private List<byte[]> prepared = NOTHING;

    /** What stands for the number of a segment where there is none. */
    static final int NOWHERE = -1;

    // Of the segments that are shared: the bytes taken, and those of them not given up.
    private long sharedUsed;
    private long sharedLive;

    private final int maxCount;
    private int count;

    /** Makes room for at most so many segments, {@link #MAX_COUNT} or fewer. */
    Segments(int maxCount) {
        this.maxCount = maxCount;
    }

    /** Returns whether so many segments can be had beside those that there are. */
    boolean canOpen(long more) {
        return more <= maxCount - count;
    }

    /**
     * Returns the segments by their numbers. {@link #prepare} and {@link #open} may replace the array; what else
     * changes them changes it.
     */
    byte[] @Nullable [] arrays() {
        return segments;
    }

    /** Returns the segment of a reference that is known to be good. */
    byte[] of(int reference) {
        return segment(idOf(reference));
    }

    byte[] segment(int id) {
        byte[] segment = segments[id];
        if (segment == null) {
            throw new AssertionError("no segment " + id);
        }
        return segment;
    }

    /** Returns where in its segment a reference points to. */
    static int offset(int reference) {
        return ((reference - 1) & ((1 << UNITS_BITS) - 1)) * UNIT;
    }

    static int idOf(int reference) {
        return (reference - 1) >>> UNITS_BITS;
    }

    static int reference(int id, int offset) {
        return (id << UNITS_BITS | offset / UNIT) + 1;
    }

    /** Returns the number of the segment at whose end room is taken, or {@link #NOWHERE} before the first one. */
    int last() {
        return last;
    }

    /** Returns up to where a segment that is shared has been taken. */
    int usedIn(int id) {
        return used[id];
    }

    int liveIn(int id) {
        return live[id];
    }

    /** Returns how many bytes were given up in segments that are still there. */
    long dead() {
        return sharedUsed - sharedLive;
    }

    /** Returns how many bytes have been taken, those that were given up among them. */
    long used() {
        return sharedUsed;
    }

    /** Returns whether there is room at the end of the last segment. */
    boolean hasRoom(int bytes) {
        return last != NOWHERE && used[last] + bytes <= segment(last).length;
    }

    /** Returns the size of a segment that is to hold a number of bytes, or of a full one if that is less. */
    static int capacityFor(long bytes) {
        return (int) Math.min(FULL, Math.max(MIN_CAPACITY, bytes + MIN_CAPACITY - 1 & -MIN_CAPACITY));
    }

    /** Returns whether there is one segment that is shared. */
    boolean isOnlyOne() {
        return last != NOWHERE && sharedUsed == used[last];
    }

    /**
     * Returns the size of the next segment that is to take a record beside others: a small part of what there is, since
     * half of it will be empty on the average.
     */
    int nextCapacity(int bytes) {
        boolean many = count > maxCount / 8; // small ones would use up the numbers
        return many ? FULL : capacityFor(Math.max((long) RECORDS * bytes, sharedLive / SHARE_OF_LIVE));
    }

    /** Allocates the segment of one large record, so that {@link #take} need not. */
    void prepare(int bytes) {
        if (prepared.size() != 1 || prepared.get(0).length != bytes) {
            List<byte[]> one = new ArrayList<>(1);
            one.add(new byte[bytes]);
            prepared = one;
        }
        freeId();
    }

    /**
     * Allocates what several records need, so that {@link #take} need not, nor {@link #open} of full segments between.
     *
     * @param large the sizes of those that are large
     * @param shared the bytes of all others
     */
    void prepare(List<Integer> large, long shared) {
        List<byte[]> all = new ArrayList<>(large.size());
        for (int bytes : large) {
            all.add(new byte[bytes]);
        }
        int sure = FULL - MAX_SHARED; // bytes of a segment that are taken before a record does not fit
        for (long left = shared; left > 0; left -= sure) {
            all.add(new byte[FULL]);
        }
        growTo(count + all.size());
        prepared = all;
    }

    /** Lets go of what was allocated for records that have not come. */
    void forgetPrepared() {
        if (prepared != NOTHING) {
            prepared = NOTHING;
        }
    }

    private byte @Nullable [] takePrepared(int bytes) {
        for (int i = prepared.size() - 1; i >= 0; i--) {
            if (prepared.get(i).length == bytes) {
                return prepared.remove(i);
            }
        }
        return null;
    }

    /**
     * Takes room, a whole number of units, at the end of the last segment, or as a segment of its own if it is large.
     */
    int take(int bytes) {
        if (bytes > MAX_SHARED) {
            byte[] segment = takePrepared(bytes);
            if (segment == null) {
                throw new AssertionError("not prepared for " + bytes);
            }
            return reference(add(segment, UNSHARED), 0);
        }
        if (!hasRoom(bytes)) {
            throw new AssertionError("no room for " + bytes);
        }
        int at = used[last];
        used[last] += bytes;
        live[last] += bytes;
        sharedUsed += bytes;
        sharedLive += bytes;
        return reference(last, at);
    }

    /** Gives up what was taken. */
    void giveUp(int reference, int bytes) {
        int id = idOf(reference);
        if (used[id] == UNSHARED) {
            segments[id] = null;
            count--;
            lowestFree = Math.min(lowestFree, id);
            return;
        }
        live[id] -= bytes;
        sharedLive -= bytes;
        if (live[id] == 0) {
            sharedUsed -= used[id];
            used[id] = 0;
            if (id != last) {
                free(id);
            }
        }
    }

    /** Begins a new last segment. One that was the last and is empty is let go of. */
    void open(int capacity) {
        byte[] segment = takePrepared(capacity);
        if (segment == null && capacity == FULL) {
            segment = spare;
            spare = null;
        }
        if (segment == null) {
            segment = new byte[capacity];
        }
        int before = last;
        last = add(segment, 0);
        if (before != NOWHERE && live[before] == 0) {
            free(before);
        }
    }

    /** Returns the shared segment, other than the last, with the most dead bytes; the last if there is no other. */
    int emptiest() {
        int emptiest = last;
        for (int id = 0; id < segments.length; id++) {
            boolean candidate = segments[id] != null && used[id] != UNSHARED && id != last;
            if (candidate && (emptiest == last || used[id] - live[id] > used[emptiest] - live[emptiest])) {
                emptiest = id;
            }
        }
        return emptiest;
    }

    private int add(byte[] segment, int usedBytes) {
        int id = freeId();
        used[id] = usedBytes;
        live[id] = 0;
        segments[id] = segment;
        count++;
        return id;
    }

    /** Returns a number that no segment has, and sees to it that it can get one. */
    private int freeId() {
        int id = lowestFree;
        while (id < segments.length && segments[id] != null) {
            id++;
        }
        lowestFree = id;
        growTo(id + 1);
        return id;
    }

    /** Sees to it that so many segments can have a number. */
    private void growTo(int newCount) {
        if (newCount <= segments.length) {
            return;
        }
        if (newCount > maxCount) {
            throw new OutOfMemoryError("a stripe has at most " + maxCount + " segments");
        }
        int length = Math.min(maxCount, Math.max(Math.max(4, newCount), segments.length * 2));
        byte[] @Nullable [] longer = Arrays.copyOf(segments, length);
        used = Arrays.copyOf(used, length);
        live = Arrays.copyOf(live, length);
        segments = longer;
    }

    private void free(int id) {
        byte[] segment = segments[id];
        if (spare == null && segment != null && segment.length == FULL) {
            spare = segment;
        }
        segments[id] = null;
        count--;
        lowestFree = Math.min(lowestFree, id);
    }

    /** Returns how many bytes of memory the segments hold. */
    long capacity() {
        long capacity = length(spare);
        for (byte[] segment : prepared) {
            capacity += segment.length;
        }
        for (byte[] segment : segments) {
            capacity += length(segment);
        }
        return capacity;
    }

    private static long length(byte @Nullable [] segment) {
        return segment == null ? 0 : segment.length;
    }

    /** Throws if the accounts do not agree with the bytes that are live by somebody else's count. */
    void checkInvariants(long liveBytes) {
        long allUsed = 0;
        long allLive = 0;
        long unshared = 0;
        int present = 0;
        for (int id = 0; id < segments.length; id++) {
            byte[] segment = segments[id];
            if (segment == null && id < lowestFree) {
                throw new AssertionError("segment " + id + " is free, and so is none below " + lowestFree);
            }
            present += segment == null ? 0 : 1;
            if (segment != null && used[id] == UNSHARED) {
                unshared += segment.length;
            } else if (segment != null) {
                boolean sensible = live[id] <= used[id] && used[id] <= segment.length;
                if (!sensible || (live[id] == 0 && (used[id] > 0 || id != last))) {
                    throw new AssertionError("segment " + id + " with " + live[id] + " of " + used[id] + " bytes live");
                }
                allUsed += used[id];
                allLive += live[id];
            }
        }
        if (present != count) {
            throw new AssertionError(present + " segments, of which " + count + " are counted");
        }
        if (allUsed != sharedUsed || allLive != sharedLive || allLive + unshared != liveBytes) {
            throw new AssertionError(liveBytes + " bytes are live, of " + allLive + " and " + unshared + " counted");
        }
    }
}
