package io.kvorum.core.engine;

/**
 * The references of records by the high half of their key's hash, the tag, with linear probing and without tombstones.
 *
 * <p>{@link #entries} may be read beside a writer, who may then replace the array, but never leaves it without an empty
 * place.
 */
final class RecordIndex {
    private static final int NONE = Links.NONE;
    private static final int MIN_LENGTH = 16;
    private static final long LOW_HALF = 0xffff_ffffL;

    private long[] entries = new long[1];

    /**
     * Returns the places, a power of two of them: each {@link Links#NONE}, or a tag in the high half and a reference in
     * the low half. An entry is at the place that the low bits of its tag name, or behind it, with no empty place
     * between.
     */
    long[] entries() {
        return entries;
    }

    static int tag(long hashOrEntry) {
        return (int) (hashOrEntry >>> 32);
    }

    /** Sees to it that a number of records has room. */
    void prepare(int size) {
        if (size * 4L > entries.length * 3L) {
            resize(Math.max(MIN_LENGTH, entries.length * 2));
        }
    }

    /** Gives memory back if the records that are left need no more than a small part of it. */
    void shrink(int size) {
        if (entries.length > MIN_LENGTH && size * 8L < entries.length) {
            resize(entries.length / 2);
        }
    }

    private void resize(int length) {
        long[] resized = new long[length];
        for (long entry : entries) {
            if (entry != NONE) {
                add(resized, entry);
            }
        }
        entries = resized;
    }

    void add(int tag, int reference) {
        add(entries, entry(tag, reference));
    }

    /** Gives a record another reference. */
    void replace(int tag, int reference, int by) {
        entries[placeOf(tag, reference)] = entry(tag, by);
    }

    /** Removes a record, and moves up what stood behind it only because of it. */
    void remove(int tag, int reference) {
        int mask = entries.length - 1;
        int gap = placeOf(tag, reference);
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

    /** Returns how many bytes of memory it holds. */
    long capacity() {
        return (long) entries.length * Long.BYTES;
    }

    private static long entry(int tag, int reference) {
        return (long) tag << 32 | (reference & LOW_HALF);
    }

    private static void add(long[] entries, long entry) {
        int mask = entries.length - 1;
        int place = tag(entry) & mask;
        while (entries[place] != NONE) {
            place = (place + 1) & mask;
        }
        entries[place] = entry;
    }

    private int placeOf(int tag, int reference) {
        int mask = entries.length - 1;
        int place = tag & mask;
        while ((int) entries[place] != reference) {
            place = (place + 1) & mask;
        }
        return place;
    }
}
