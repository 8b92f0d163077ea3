package io.kvorum.core;

import io.kvorum.core.EntryTable.Cell;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The cells that have a deadline, as a binary heap with the earliest on top. Each cell knows its place, so a change
 * costs no search.
 */
final class DeadlineHeap {
    /** The place of a cell that is not in the heap. */
    static final int NOWHERE = -1;

    private static final int INITIAL_CAPACITY = 16;

    private @Nullable Cell[] heap = new @Nullable Cell[0];
    private int size;

    @Nullable
    Cell first() {
        return size == 0 ? null : heap[0];
    }

    /** Puts the cell where its deadline, which may just have changed, wants it. */
    void update(Cell cell) {
        if (cell.deadline == KeyValueStore.NO_DEADLINE) {
            if (cell.heapIndex != NOWHERE) {
                remove(cell.heapIndex);
                cell.heapIndex = NOWHERE;
            }
            return;
        }
        int index = cell.heapIndex;
        if (index == NOWHERE) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, Math.max(INITIAL_CAPACITY, size * 2));
            }
            index = size++;
        }
        settle(cell, index);
    }

    private void remove(int index) {
        Cell last = at(--size);
        heap[size] = null;
        if (index != size) {
            settle(last, index);
        }
    }

    /** Puts the cell at the free place or, along the heap's order, where it belongs instead. */
    private void settle(Cell cell, int free) {
        int index = free;
        while (index > 0) {
            int parent = (index - 1) >>> 1;
            if (at(parent).deadline <= cell.deadline) {
                break;
            }
            place(at(parent), index);
            index = parent;
        }
        while (2 * index + 1 < size) {
            int child = 2 * index + 1;
            if (child + 1 < size && at(child + 1).deadline < at(child).deadline) {
                child++;
            }
            if (at(child).deadline >= cell.deadline) {
                break;
            }
            place(at(child), index);
            index = child;
        }
        place(cell, index);
    }

    private void place(Cell cell, int index) {
        heap[index] = cell;
        cell.heapIndex = index;
    }

    private Cell at(int index) {
        Cell cell = heap[index];
        if (cell == null) {
            throw new AssertionError("no cell at " + index + " of a heap of " + size);
        }
        return cell;
    }
}
