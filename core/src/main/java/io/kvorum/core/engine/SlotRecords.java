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
 * <p>The records of a slot that has become large are kept in parts, by the order of their keys that every store knows
 * ({@link KeyHash#ORDER}), so that whoever wants those of a range looks at little else. Which list a record is in, that
 * of its slot or that of a part, follows from its key.
 *
 * <p>{@link #size} may run beside a writer; what it returns is then worth nothing, but it ends and does not throw.
 */
final class SlotRecords {
    /** Where the records keep the place of their reference. */
    interface Places {
        int place(int reference);

        void setPlace(int reference, int place);

        /** Returns where the record's key is in {@link KeyHash#ORDER}. */
        long order(int reference);
    }

    /** Into how many parts a large slot is divided. */
    static final int PARTS = 1 << 10;

    /** From how many records on a slot is large. */
    static final int LARGE = 16 * PARTS;

    private static final int NONE = Links.NONE;
    private static final int MIN_LENGTH = 4;
    private static final int CHUNK = 64;
    private static final int[] EMPTY = {};
    private static final Comparator<Walk> BY_LEFT = Comparator.comparingInt(walk -> walk.left);

    private final Places places;
    private final List<Walk> walks = new ArrayList<>(0);

    // By slot: which list it has, 0 if none. In chunks, since a store may have few of the slots that it could have.
    private final int[][] lists;

    // By list. Those of a slot and those of parts are mixed. List 0 is that of all slots without a record.
    private int[][] references = {EMPTY};
    private int[] sizes = {0};
    private int count = 1;

    // By list: the first of the parts into which the slot has been divided, once one has; 0 if it has not been.
    private int[] firstParts = {};
    private boolean[] divided = {};
    private boolean prepared;

    SlotRecords(Places places, int slots) {
        this.places = places;
        this.lists = new int[(slots + CHUNK - 1) / CHUNK][];
        Arrays.fill(lists, EMPTY);
    }

    private int list(int slotIndex) {
        int[] chunk = lists[slotIndex / CHUNK];
        return chunk.length == 0 ? 0 : chunk[slotIndex % CHUNK];
    }

    int size(int slotIndex) {
        int list = list(slotIndex);
        int[] all = sizes;
        return list < all.length ? all[list] : 0;
    }

    /** Returns whether a slot is kept in parts. */
    boolean isDivided(int slotIndex) {
        int list = list(slotIndex);
        return list < divided.length && divided[list];
    }

    /** Returns one of the records of a slot. */
    int reference(int slotIndex, int index) {
        int list = list(slotIndex);
        if (!isDivided(slotIndex)) {
            return references[list][index];
        }
        list = firstParts[list];
        int place = index;
        while (place >= sizes[list]) {
            place -= sizes[list];
            list++;
        }
        return references[list][place];
    }

    /** Allocates what {@link #add} needs for a record with this key. */
    void prepare(int slotIndex, byte[] key) {
        int list = listWithRoom(slotIndex, 1);
        makeRoom(isDivided(slotIndex) ? part(slotIndex, KeyHash.ORDER.of(key)) : list, 1);
    }

    /** Allocates what {@link #add} needs for a record with each of these keys, and keeps it beside removals. */
    void prepare(int slotIndex, List<byte[]> keys) {
        if (!keys.isEmpty()) {
            int list = listWithRoom(slotIndex, keys.size());
            if (isDivided(slotIndex)) {
                makeRoomInParts(slotIndex, keys);
            } else {
                makeRoom(list, keys.size());
            }
        }
        prepared = true;
    }

    private void makeRoomInParts(int slotIndex, List<byte[]> keys) {
        int first = firstParts[list(slotIndex)];
        int[] coming = new int[PARTS];
        for (byte[] key : keys) {
            coming[part(slotIndex, KeyHash.ORDER.of(key)) - first]++;
        }
        for (int part = 0; part < PARTS; part++) {
            makeRoom(first + part, coming[part]);
        }
    }

    /** Takes note that what was prepared for several records is not needed any more. */
    void forgetPrepared() {
        prepared = false;
    }

    /** Returns the list of a slot, which is divided if it would be too large with so many records more. */
    private int listWithRoom(int slotIndex, int more) {
        int list = list(slotIndex);
        if (list == 0) {
            list = newList(slotIndex);
        }
        if (sizes[list] + more > LARGE && !isDivided(slotIndex) && isUnwatched(slotIndex)) {
            divide(slotIndex);
        }
        return list;
    }

    private void makeRoom(int list, int more) {
        int[] all = references[list];
        if (all.length - sizes[list] < more) {
            int longer = Math.max(MIN_LENGTH, all.length + all.length / 4);
            references[list] = Arrays.copyOf(all, Math.max(longer, sizes[list] + more));
        }
    }

    private int newList(int slotIndex) {
        if (lists[slotIndex / CHUNK].length == 0) {
            lists[slotIndex / CHUNK] = new int[CHUNK];
        }
        growTo(count + 1);
        lists[slotIndex / CHUNK][slotIndex % CHUNK] = count;
        return count++;
    }

    /** Sees to it that there is room for so many lists. */
    private void growTo(int newCount) {
        int before = references.length;
        if (newCount > before) {
            int length = Math.max(newCount, before + before / 4);
            int[][] longer = Arrays.copyOf(references, length);
            Arrays.fill(longer, before, length, EMPTY);
            sizes = Arrays.copyOf(sizes, length);
            references = longer;
        }
    }

    private boolean isUnwatched(int slotIndex) {
        for (Walk walk : walks) {
            if (walk.slotIndex == slotIndex) {
                return false;
            }
        }
        return true;
    }

    /** Returns the list of the part of a slot to which a key belongs. */
    private int part(int slotIndex, long order) {
        return firstParts[list(slotIndex)] + (int) (order >>> (Long.SIZE - Integer.numberOfTrailingZeros(PARTS)));
    }

    private int listOf(int slotIndex, int reference) {
        return isDivided(slotIndex) ? part(slotIndex, places.order(reference)) : list(slotIndex);
    }

    /** Puts the records of a slot into parts. All memory for that is there before the first one moves. */
    private void divide(int slotIndex) {
        int list = list(slotIndex);
        if (list >= divided.length) {
            firstParts = Arrays.copyOf(firstParts, list + 1);
            divided = Arrays.copyOf(divided, list + 1);
        }
        if (firstParts[list] == 0) {
            growTo(count + PARTS);
            firstParts[list] = count;
            count += PARTS;
        }
        int first = firstParts[list];
        int[] all = references[list];
        int shift = Long.SIZE - Integer.numberOfTrailingZeros(PARTS);
        int[] counts = new int[PARTS];
        for (int place = 0; place < sizes[list]; place++) {
            counts[(int) (places.order(all[place]) >>> shift)]++;
        }
        for (int part = 0; part < PARTS; part++) {
            references[first + part] = new int[counts[part] + counts[part] / 4 + 1];
        }
        divided[list] = true;
        for (int place = 0; place < sizes[list]; place++) {
            append(listOf(slotIndex, all[place]), all[place]);
        }
        references[list] = EMPTY;
    }

    /** Gives memory back if the records of a slot need no more than a small part of it. */
    void shrink(int slotIndex) {
        int list = list(slotIndex);
        if (isDivided(slotIndex)) {
            if (sizes[list] < LARGE / 8 && isUnwatched(slotIndex)) {
                unite(list);
            }
            return;
        }
        int[] all = references[list];
        if (all.length > MIN_LENGTH && sizes[list] < all.length / 4) {
            references[list] = Arrays.copyOf(all, all.length / 2);
        }
    }

    /** Puts the records of the parts of a slot into its own list again. */
    private void unite(int list) {
        int[] all = new int[sizes[list]];
        int moved = 0;
        for (int part = firstParts[list]; part < firstParts[list] + PARTS; part++) {
            for (int place = 0; place < sizes[part]; place++) {
                all[moved] = references[part][place];
                places.setPlace(all[moved], moved);
                moved++;
            }
            references[part] = EMPTY;
            sizes[part] = 0;
        }
        divided[list] = false;
        references[list] = all;
    }

    /** Adds a record, for which there is room, and which no walk will meet that has passed its place. */
    void add(int slotIndex, int reference) {
        int list = listOf(slotIndex, reference);
        append(list, reference);
        if (list != list(slotIndex)) {
            sizes[list(slotIndex)]++;
        }
    }

    private void append(int list, int reference) {
        put(list, sizes[list], reference);
        sizes[list]++;
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
        int list = listOf(slotIndex, reference);
        int gap = places.place(reference);
        for (int i = 0; i < walks.size(); i++) {
            Walk walk = walks.get(i);
            if (walk.list == list && gap < walk.left) {
                walk.left--;
                fill(list, gap, walk.left);
                gap = walk.left;
            }
        }
        int last = --sizes[list];
        fill(list, gap, last);
        if (last == 0 && !prepared) {
            references[list] = EMPTY;
        } else {
            references[list][last] = NONE;
        }
        if (list != list(slotIndex)) {
            sizes[list(slotIndex)]--;
        }
    }

    /** Closes a gap by the record at another place, unless that is the gap itself. */
    private void fill(int list, int gap, int from) {
        if (gap != from) {
            put(list, gap, references[list][from]);
        }
    }

    /** Takes note that a record has another reference now. */
    void moved(int slotIndex, int to) {
        references[listOf(slotIndex, to)][places.place(to)] = to;
    }

    private void put(int list, int place, int reference) {
        references[list][place] = reference;
        places.setPlace(reference, place);
    }

    /** Returns how many bytes of memory the references take. */
    long capacity() {
        return Arrays.stream(references)
                .mapToLong(all -> (long) all.length * Integer.BYTES)
                .sum();
    }

    Walk walk(int slotIndex) {
        return walk(slotIndex, 0, -1);
    }

    /** Walks through at least the records whose keys are in a range of the order, both ends among it. */
    Walk walk(int slotIndex, long first, long last) {
        boolean parts = isDivided(slotIndex);
        int list = parts ? part(slotIndex, first) : list(slotIndex);
        Walk walk = new Walk(slotIndex, list, parts ? part(slotIndex, last) : list);
        walks.add(walk);
        return walk;
    }

    /** Throws unless this holds so many records, each of which knows its place. */
    void checkInvariants(int records) {
        int held = 0;
        for (int list = 0; list < references.length; list++) {
            int inList = list < divided.length && divided[list] ? 0 : sizes[list];
            for (int place = 0; place < references[list].length; place++) {
                int reference = references[list][place];
                boolean used = place < inList;
                if (used ? reference == NONE || places.place(reference) != place : reference != NONE) {
                    throw new AssertionError("place " + place + " of list " + list + " holds " + reference);
                }
            }
            held += inList;
        }
        for (int list = 0; list < divided.length; list++) {
            int inParts = 0;
            for (int part = firstParts[list]; divided[list] && part < firstParts[list] + PARTS; part++) {
                inParts += sizes[part];
            }
            if (divided[list] && inParts != sizes[list]) {
                throw new AssertionError("the parts of a slot hold " + inParts + " of " + sizes[list] + " records");
            }
        }
        if (held != records) {
            throw new AssertionError("the slots hold " + held + " records of " + records);
        }
    }

    /** A walk through the records of one slot, from the last to the first, while others come, go and move. */
    final class Walk {
        private final int slotIndex;
        private final int lastList;
        private int list;
        private int left;
        private int current = NONE;

        private Walk(int slotIndex, int list, int lastList) {
            this.slotIndex = slotIndex;
            this.list = list;
            this.lastList = lastList;
            this.left = sizes[list];
        }

        boolean next() {
            while (left == 0) {
                if (list >= lastList) {
                    current = NONE;
                    return false;
                }
                list++;
                left = sizes[list];
            }
            left--;
            current = references[list][left];
            return true;
        }

        /** Returns how many records of its list it will meet, if nothing changes. */
        int left() {
            return left;
        }

        /** Returns the record that it will be at after so many more steps, 1 or more, if nothing changes. */
        int ahead(int steps) {
            return references[list][left - steps];
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
            list = lastList;
            current = NONE;
            walks.remove(this);
        }
    }
}
