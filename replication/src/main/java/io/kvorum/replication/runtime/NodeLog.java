package io.kvorum.replication.runtime;

import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.lang.System.Logger.Level;
import java.util.function.Supplier;

/**
 * Writes the events of a node for an operator: a line at INFO for each change of its role or of the members, a WARNING
 * for lost data, and everything else at DEBUG.
 *
 * <p>Safe for use by any number of threads.
 */
final class NodeLog {
    private final OperatorLog logger;
    private final ShardId shard;

    NodeLog(OperatorLog logger, ShardId shard) {
        this.logger = logger;
        this.shard = shard;
    }

    void tell(ReplicationEvent event) {
        if (event instanceof ReplicationEvent.Promoted promoted) {
            info(() -> promoted.node() + " leads epoch " + Epoch.toString(promoted.epoch()) + " and takes writes");
        } else if (event instanceof ReplicationEvent.Deposed deposed) {
            info(() -> deposed.node() + " no longer leads epoch " + Epoch.toString(deposed.epoch())
                    + ": it has promised epoch " + Epoch.toString(deposed.promised()) + "; its log ends at "
                    + deposed.end());
        } else if (event instanceof ReplicationEvent.Following following) {
            info(() -> following.node() + " follows " + following.primary() + " in epoch "
                    + Epoch.toString(following.epoch()));
        } else if (event instanceof ReplicationEvent.ShardBegun begun) {
            logger.log(begun.dataLost() ? Level.WARNING : Level.INFO, () -> shard + ": " + text(begun));
        } else if (event instanceof ReplicationEvent.MembersChanged changed) {
            info(() -> "the members are " + names(changed.members()));
        } else if (event instanceof ReplicationEvent.ReplacementGivenUp given) {
            info(() -> given.incoming() + " does not replace " + given.outgoing() + ": it was not complete in time ("
                    + given.state() + ")");
        } else if (event instanceof ReplicationEvent.FullSyncCompleted completed) {
            info(() -> completed.node() + " has complete data again, up to " + completed.position());
        } else {
            logger.log(Level.DEBUG, () -> shard + ": " + event);
        }
    }

    private void info(Supplier<String> line) {
        logger.log(Level.INFO, () -> shard + ": " + line.get());
    }

    private static String text(ReplicationEvent.ShardBegun begun) {
        String leads = begun.node() + " leads epoch " + Epoch.toString(begun.epoch()) + ", of the members "
                + names(begun.members());
        return begun.dataLost()
                ? "begun anew on the data of " + begun.node() + ", all other data is lost: " + leads
                : "begun: " + leads;
    }

    private static String names(MemberList members) {
        return String.join(", ", members.nodes().stream().map(NodeId::value).toList());
    }
}
