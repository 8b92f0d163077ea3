package io.kvorum.core.snapshot;

/** Receives the progress of writing or loading a snapshot, in the thread that does so and with no lock held. */
@FunctionalInterface
public interface SnapshotProgress {
    /** {@return a progress that ignores every call} */
    static SnapshotProgress none() {
        return (slotsDone, slots, bytes) -> {};
    }

    /**
     * Called after each slot. An exception thrown here ends the writing or loading.
     *
     * @param slotsDone how many slots are done
     * @param slots how many slots there are
     * @param bytes how many bytes have been written by now; 0 when a snapshot is loaded
     */
    void at(int slotsDone, int slots, long bytes);
}
