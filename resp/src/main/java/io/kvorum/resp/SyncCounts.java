package io.kvorum.resp;

import io.kvorum.replication.ReplicationEvent;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How often a node has brought replicas up to date since it was started, or since its ports were opened if that was
 * later.
 *
 * <p>Safe for use by any number of threads.
 */
final class SyncCounts {
    private final AtomicLong full = new AtomicLong();
    private final AtomicLong partial = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();

    /** Takes an event of the node. */
    void happened(ReplicationEvent event) {
        if (event instanceof ReplicationEvent.PartialSync) {
            partial.incrementAndGet();
        } else if (event instanceof ReplicationEvent.FullSyncStarted started) {
            full.incrementAndGet();
            if (started.reason() != ReplicationEvent.Reason.NOT_COMPLETE) { // it had data to continue from
                refused.incrementAndGet();
            }
        }
    }

    long full() {
        return full.get();
    }

    long partial() {
        return partial.get();
    }

    /** {@return how many replicas with complete data could not continue from it} */
    long refused() {
        return refused.get();
    }

    void reset() {
        full.set(0);
        partial.set(0);
        refused.set(0);
    }
}
