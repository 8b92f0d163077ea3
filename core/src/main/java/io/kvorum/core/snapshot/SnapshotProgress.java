package io.kvorum.core.snapshot;

/** Is told how far a snapshot has been written or loaded. Called by the thread that does so, under no lock. */
@FunctionalInterface
public interface SnapshotProgress {
    /** {@return a progress that nobody listens to} */
    static SnapshotProgress none() {
        return (slotsDone, slots, bytes) -> {};
    }

    /**
     * A slot is done. What it throws ends the writing or loading.
     *
     * @param slotsDone how many slots are done
     * @param slots how many slots there are
     * @param bytes how many bytes have been written by now; 0 when a snapshot is loaded
     */
    void at(int slotsDone, int slots, long bytes);
}
