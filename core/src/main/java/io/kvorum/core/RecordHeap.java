package io.kvorum.core;

import java.util.Arrays;

/**
 * References to records that have a deadline, as a binary heap with the earliest deadline on top. Each record is told
 * its place, so a change costs no search.
 */
final class RecordHeap {
    private static final int INITIAL_CAPACITY = 16;

    /** Tells a record its place. */
    interface Places {
        void placed(int reference, int place);
    }

    private final Places places;
    private long[] deadlines = new long[0];
    private int[] references = new int[0];
    private int size;

    RecordHeap(Places places) {
        this.places = places;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** Returns whether a record is at a place, and no child of the place is to come before it. */
    boolean isAt(int place, int reference, long deadline) {
        int child = 2 * place + 1;
        return place < size
                && references[place] == reference
                && deadlines[place] == deadline
                && (child >= size || deadlines[child] >= deadline)
                && (child + 1 >= size || deadlines[child + 1] >= deadline);
    }

    long firstDeadline() {
        return deadlines[0];
    }

    int firstReference() {
        return references[0];
    }

    void add(int reference, long deadline) {
        if (size == references.length) {
            int capacity = Math.max(INITIAL_CAPACITY, size * 2);
            deadlines = Arrays.copyOf(deadlines, capacity);
            references = Arrays.copyOf(references, capacity);
        }
        settle(reference, deadline, size++);
    }

    void remove(int place) {
        size--;
        if (place != size) {
            settle(references[size], deadlines[size], place);
        }
    }

    void update(int place, long deadline) {
        settle(references[place], deadline, place);
    }

    /** Takes note that the record at a place has another reference now. The record knows its place already. */
    void moved(int place, int reference) {
        references[place] = reference;
    }

    /** Puts a record at the free place or, along the heap's order, where it belongs instead. */
    private void settle(int reference, long deadline, int free) {
        int place = free;
        while (place > 0) {
            int parent = (place - 1) >>> 1;
            if (deadlines[parent] <= deadline) {
                break;
            }
            put(references[parent], deadlines[parent], place);
            place = parent;
        }
        while (2 * place + 1 < size) {
            int child = 2 * place + 1;
            if (child + 1 < size && deadlines[child + 1] < deadlines[child]) {
                child++;
            }
            if (deadlines[child] >= deadline) {
                break;
            }
            put(references[child], deadlines[child], place);
            place = child;
        }
        put(reference, deadline, place);
    }

    private void put(int reference, long deadline, int place) {
        references[place] = reference;
        deadlines[place] = deadline;
        places.placed(reference, place);
    }
}
