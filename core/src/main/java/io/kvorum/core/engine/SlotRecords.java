package io.kvorum.core.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The references of the records of each slot of a stripe, in no particular order. Each record knows the place of its
 * reference, so that adding, removing and moving one cost the same on the average however many there are, and a walk
 * need not visit a record to find the next one.
 *
 * <p>{@link #size} may run beside a writer; what it returns is then worth nothing, but it ends and does not throw.
 */
final class SlotRecords {
    /** Where the records keep the place of their reference. */
    interface Places {
        int place(int reference);

        void setPlace(int reference, int place);
    }

    private static final int NONE = Links.NONE;
    private static final int MIN_LENGTH = 4;
    private static final int[] EMPTY = {};
    private static final Comparator<Walk> BY_LEFT = Comparator.comparingInt(walk -> walk.left);

    private final Places places;
    private final int slots;
    private final List<Walk> walks = new ArrayList<>(0);

    // By slot; empty before the first record comes: a store may have many stripes and few slots.
    private int[][] references = {};
    private int[] sizes = {};

    SlotRecords(Places places, int slots) {
        this.places = places;
        this.slots = slots;
    }

    int size(int slotIndex) {
        int[] all = sizes;
        return slotIndex < all.length ? all[slotIndex] : 0;
    }

    /** Returns one of the records of a slot. */
    int reference(int slotIndex, int index) {
        return references[slotIndex][index];
    }

    /** Allocates what {@link #add} needs. */
    void prepare(int slotIndex) {
        if (references.length == 0) {
            int[][] newReferences = new int[slots][];
            Arrays.fill(newReferences, EMPTY);
            sizes = new int[slots];
            references = newReferences;
        }
        int[] all = references[slotIndex];
        if (sizes[slotIndex] == all.length) {
            references[slotIndex] = Arrays.copyOf(all, Math.max(MIN_LENGTH, all.length + all.length / 4));
        }
    }

    /** Gives memory back if the records of a slot need no more than a small part of it. */
    void shrink(int slotIndex) {
        int[] all = references[slotIndex];
        if (all.length > MIN_LENGTH && sizes[slotIndex] < all.length / 4) {
            references[slotIndex] = Arrays.copyOf(all, all.length / 2);
        }
    }

    /** Adds a record, which no walk will meet that has begun. */
    void add(int slotIndex, int reference) {
        prepare(slotIndex);
        put(slotIndex, sizes[slotIndex], reference);
        sizes[slotIndex]++;
    }

    /** Allocates what {@link #remove} needs: to sort two walks or more may take memory. */
    void prepareToRemove() {
        if (walks.size() > 1) {
            walks.sort(BY_LEFT);
        }
    }

    /**
     * Removes a record. The gap is closed by others, each from the end of those that a walk has yet to meet, so that
     * every walk still meets what it would have met. {@link #prepareToRemove} was called before.
     */
    void remove(int slotIndex, int reference) {
        int gap = places.place(reference);
        for (int i = 0; i < walks.size(); i++) {
            Walk walk = walks.get(i);
            if (walk.slotIndex == slotIndex && gap < walk.left) {
                walk.left--;
                fill(slotIndex, gap, walk.left);
                gap = walk.left;
            }
        }
        int last = --sizes[slotIndex];
        fill(slotIndex, gap, last);
        if (last == 0) {
            references[slotIndex] = EMPTY;
        } else {
            references[slotIndex][last] = NONE;
        }
    }

    /** Closes a gap by the record at another place, unless that is the gap itself. */
    private void fill(int slotIndex, int gap, int from) {
        if (gap != from) {
            put(slotIndex, gap, references[slotIndex][from]);
        }
    }

    /** Takes note that a record has another reference now. */
    void moved(int slotIndex, int to) {
        references[slotIndex][places.place(to)] = to;
    }

    private void put(int slotIndex, int place, int reference) {
        references[slotIndex][place] = reference;
        places.setPlace(reference, place);
    }

    /** Returns how many bytes of memory the references take. */
    long capacity() {
        return Arrays.stream(references)
                .mapToLong(all -> (long) all.length * Integer.BYTES)
                .sum();
    }

    Walk walk(int slotIndex) {
        Walk walk = new Walk(slotIndex, size(slotIndex));
        walks.add(walk);
        return walk;
    }

    /** Throws unless this holds so many records, each of which knows its place. */
    void checkInvariants(int count) {
        int held = 0;
        for (int slotIndex = 0; slotIndex < references.length; slotIndex++) {
            for (int place = 0; place < references[slotIndex].length; place++) {
                int reference = references[slotIndex][place];
                boolean used = place < sizes[slotIndex];
                if (used ? reference == NONE || places.place(reference) != place : reference != NONE) {
                    throw new AssertionError("place " + place + " of slot " + slotIndex + " holds " + reference);
                }
                held += used ? 1 : 0;
            }
        }
        if (held != count) {
            throw new AssertionError("the slots hold " + held + " records of " + count);
        }
    }

    /** A walk through the records of one slot, from the last to the first, while others come, go and move. */
    final class Walk {
        private final int slotIndex;
        private int left;
        private int current = NONE;

        private Walk(int slotIndex, int left) {
            this.slotIndex = slotIndex;
            this.left = left;
        }

        boolean next() {
            if (left == 0) {
                current = NONE;
                return false;
            }
            left--;
            current = references[slotIndex][left];
            return true;
        }

        /** Returns how many records it will meet, if nothing changes. */
        int left() {
            return left;
        }

        /** Returns the record that it will be at after so many more steps, 1 or more, if nothing changes. */
        int ahead(int steps) {
            return references[slotIndex][left - steps];
        }

        /** Returns the record it is at. It holds until the next change of any slot. */
        int current() {
            if (current == NONE) {
                throw new IllegalStateException("the cursor is at no entry");
            }
            return current;
        }

        void close() {
            left = 0;
            current = NONE;
            walks.remove(this);
        }
    }
}
