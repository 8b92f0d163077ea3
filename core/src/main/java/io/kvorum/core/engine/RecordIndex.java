package io.kvorum.core.engine;

/**
 * The references of records by the high half of their key's hash, the tag, with linear probing and without tombstones.
 *
 * <p>An index is an array, a power of two of places: each {@link Links#NONE}, or a tag in the high half and a reference
 * in the low half. An entry is at the place that the low bits of its tag name, or behind it, with no empty place
 * between. The table holds the array itself, which spares a reader an object; it may be read beside a writer, who may
 * then replace it, but never leaves it without an empty place.
 */
final class RecordIndex {
    /** An index of nothing. */
    static final long[] EMPTY = new long[1];

    private static final int NONE = Links.NONE;
    private static final int MIN_LENGTH = 16;
    private static final long LOW_HALF = 0xffff_ffffL;

    private RecordIndex() {}

    static int tag(long hashOrEntry) {
        return (int) (hashOrEntry >>> 32);
    }

    /** Returns an index with the same entries that has room for a number of records: this one or a larger one. */
    static long[] withRoom(long[] entries, int size) {
        int length = entries.length;
        while (size * 4L > length * 3L) {
            length = Math.max(MIN_LENGTH, length * 2);
        }
        return length == entries.length ? entries : resized(entries, length);
    }

    /** Returns a smaller index if the records that are left need no more than a small part of this one. */
    static long[] shrunk(long[] entries, int size) {
        return entries.length > MIN_LENGTH && size * 8L < entries.length
                ? resized(entries, entries.length / 2)
                : entries;
    }

    private static long[] resized(long[] entries, int length) {
        long[] resized = new long[length];
        for (long entry : entries) {
            if (entry != NONE) {
                add(resized, entry);
            }
        }
        return resized;
    }

    static void add(long[] entries, int tag, int reference) {
        add(entries, entry(tag, reference));
    }

    private static void add(long[] entries, long entry) {
        int mask = entries.length - 1;
        int place = tag(entry) & mask;
        while (entries[place] != NONE) {
            place = (place + 1) & mask;
        }
        entries[place] = entry;
    }

    /** Gives a record another reference. */
    static void replace(long[] entries, int tag, int reference, int by) {
        entries[placeOf(entries, tag, reference)] = entry(tag, by);
    }

    /** Removes a record, and moves up what stood behind it only because of it. */
    static void remove(long[] entries, int tag, int reference) {
        int mask = entries.length - 1;
        int gap = placeOf(entries, tag, reference);
        int place = (gap + 1) & mask;
        while (entries[place] != NONE) {
            int home = tag(entries[place]) & mask;
            if (((place - home) & mask) >= ((place - gap) & mask)) {
                entries[gap] = entries[place];
                gap = place;
            }
            place = (place + 1) & mask;
        }
        entries[gap] = NONE;
    }

    private static long entry(int tag, int reference) {
        return (long) tag << 32 | (reference & LOW_HALF);
    }

    private static int placeOf(long[] entries, int tag, int reference) {
        int mask = entries.length - 1;
        int place = tag & mask;
        while ((int) entries[place] != reference) {
            place = (place + 1) & mask;
        }
        return place;
    }
}
