package io.kvorum.core;

import java.util.ArrayList;
import java.util.List;

/**
 * The records of each slot of a stripe, as lists whose links lie in the records. A record is added at the head of its
 * list, behind every walk that has moved.
 *
 * <p>{@link #size} may run beside a writer; what it returns is then worth nothing, but it ends and does not throw.
 */
final class SlotLists {
    private static final int NONE = Links.NONE;

    private final Links links;
    private final int slots;
    private final List<Walk> walks = new ArrayList<>(0);

    // Empty before the first record comes: a store may have many stripes and few slots.
    private int[] heads = new int[0];
    private int[] sizes = new int[0];

    SlotLists(Links links, int slots) {
        this.links = links;
        this.slots = slots;
    }

    int size(int slotIndex) {
        int[] all = sizes;
        return slotIndex < all.length ? all[slotIndex] : 0;
    }

    /** Allocates what {@link #add} needs. */
    void prepare() {
        if (heads.length == 0) {
            sizes = new int[slots];
            heads = new int[slots];
        }
    }

    void add(int slotIndex, int reference) {
        prepare();
        link(reference, heads[slotIndex], slotIndex);
        link(NONE, reference, slotIndex);
        sizes[slotIndex]++;
    }

    void remove(int slotIndex, int reference) {
        int next = links.next(reference);
        link(links.previous(reference), next, slotIndex);
        replaceInWalks(reference, next);
        sizes[slotIndex]--;
    }

    /** Takes note that a record, whose links are as they were, has another reference now. */
    void moved(int slotIndex, int from, int to) {
        link(links.previous(to), to, slotIndex);
        link(to, links.next(to), slotIndex);
        replaceInWalks(from, to);
    }

    /** Makes two records neighbours in the list of a slot; without a previous one, the next is the head. */
    private void link(int previous, int next, int slotIndex) {
        if (previous == NONE) {
            heads[slotIndex] = next;
        } else {
            links.setNext(previous, next);
        }
        if (next != NONE) {
            links.setPrevious(next, previous);
        }
    }

    private void replaceInWalks(int reference, int by) {
        for (Walk walk : walks) {
            if (walk.following == reference) {
                walk.following = by;
            }
        }
    }

    Walk walk(int slotIndex) {
        Walk walk = new Walk(heads.length == 0 ? NONE : heads[slotIndex]);
        walks.add(walk);
        return walk;
    }

    /** Throws if the lists do not hold so many records, each linked with its neighbours. */
    void checkInvariants(int count) {
        int listed = 0;
        for (int slotIndex = 0; slotIndex < heads.length; slotIndex++) {
            int length = 0;
            int previous = NONE;
            for (int reference = heads[slotIndex]; reference != NONE; reference = links.next(reference)) {
                if (links.previous(reference) != previous) {
                    throw new AssertionError("the list of slot " + slotIndex + " is broken");
                }
                length++;
                previous = reference;
            }
            if (length != sizes[slotIndex]) {
                throw new AssertionError("slot " + slotIndex + " has " + length + " of " + sizes[slotIndex]);
            }
            listed += length;
        }
        if (listed != count) {
            throw new AssertionError("the lists hold " + listed + " records of " + count);
        }
    }

    /** A walk along one list, which holds its place while records come, go and move. */
    final class Walk {
        private int following;
        private int current = NONE;

        private Walk(int first) {
            this.following = first;
        }

        boolean next() {
            current = following;
            if (current == NONE) {
                return false;
            }
            following = links.next(current);
            return true;
        }

        /** Returns the record it is at. It holds until the next change of the lists. */
        int current() {
            if (current == NONE) {
                throw new IllegalStateException("the cursor is at no entry");
            }
            return current;
        }

        void close() {
            following = NONE;
            current = NONE;
            walks.remove(this);
        }
    }
}
