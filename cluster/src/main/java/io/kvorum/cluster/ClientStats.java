package io.kvorum.cluster;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import java.util.Map;

/**
 * Counters of a client, such as a {@link ClusterClient} together with those made of it by
 * {@link ClusterClient#withTimeout}, since it was built. Each number only grows. Clearing counts as one operation for
 * each shard; operations that their caller has cancelled, or that an executor has rejected, are not counted.
 *
 * <p>Immutable.
 *
 * @param succeeded operations that succeeded
 * @param refused operations that ended with a refusal, by its kind
 * @param unknown operations whose outcome is unknown, by the reason
 * @param failed operations that ended with anything else, such as what their function threw
 * @param retries tries that followed a refusal, by its kind
 * @param repeatedReads tries that followed a read which its node could not confirm
 */
public record ClientStats(
        long succeeded,
        Map<RefusedException.Kind, Long> refused,
        Map<OutcomeUnknownException.Reason, Long> unknown,
        long failed,
        Map<RefusedException.Kind, Long> retries,
        long repeatedReads) {
    /** A client that counts what it does. Safe for use by any number of threads. */
    public interface Source {
        /** {@return a snapshot of the counters} */
        ClientStats stats();

        /** {@return the number of operations that wait to be retried} */
        int waiting();
    }

    /** Copies the maps. */
    public ClientStats {
        refused = Map.copyOf(refused);
        unknown = Map.copyOf(unknown);
        retries = Map.copyOf(retries);
    }
}
