package io.kvorum.replication.runtime;

import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.Ready;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.runtime.Faults;
import io.kvorum.slots.topology.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Saves the promise of a node, and tries again, at growing intervals, what could not be saved.
 *
 * <p>Confined to the steps of the driver, but for {@link #takeFailure}, which belongs to the deliveries between them.
 */
final class PromiseKeeper {
    static final long FIRST_RETRY_NANOS = 10_000_000;
    static final long LONGEST_RETRY_NANOS = 1_000_000_000;

    private final PromiseStore store;
    private final NodeId node;
    private @Nullable Promise unsaved;
    private int failures;
    private long retryAt = Ready.NEVER;
    private @Nullable Throwable failure;

    PromiseKeeper(PromiseStore store, NodeId node) {
        this.store = store;
        this.node = node;
    }

    /** {@return whether everything that the node has promised is saved} */
    boolean isSaved() {
        return unsaved == null;
    }

    /** {@return when to try again, or {@link Ready#NEVER}} */
    long retryAt() {
        return retryAt;
    }

    /** Tries again, if it is time to. */
    void retry(long now, List<ReplicationEvent> events) {
        if (unsaved != null && now - retryAt >= 0) {
            save(unsaved, now, events);
        }
    }

    /** Saves a promise, if there is one. */
    void save(@Nullable Promise promise, long now, List<ReplicationEvent> events) {
        if (promise == null) {
            return;
        }
        unsaved = promise;
        try {
            store.save(promise);
        } catch (Throwable e) { // a store is user code, and its failures are not the node's
            notSaved(promise, now, e, events);
            return;
        }
        unsaved = null;
        failures = 0;
        retryAt = Ready.NEVER;
    }

    private void notSaved(Promise promise, long now, Throwable cause, List<ReplicationEvent> events) {
        retryAt = now + Math.min(FIRST_RETRY_NANOS << Math.min(failures, 20), LONGEST_RETRY_NANOS);
        if (failures++ == 0) {
            failure = cause;
            events.add(
                    new ReplicationEvent.PromiseNotSaved(node, promise.epoch(), String.valueOf(Faults.message(cause))));
        }
    }

    /** {@return the failure that began a row of failures, once; or null} */
    @Nullable
    Throwable takeFailure() {
        Throwable taken = failure;
        failure = null;
        return taken;
    }
}
