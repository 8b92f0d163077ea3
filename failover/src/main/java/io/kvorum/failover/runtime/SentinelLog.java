package io.kvorum.failover.runtime;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.DownReason;
import io.kvorum.failover.SentinelFact.Obstacle;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.runtime.ReadableTime;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the events of a sentinel for an operator: a line at INFO for each change of role or availability, a WARNING
 * for a shard without a primary and for lost data, and everything else at DEBUG.
 *
 * <p>Confined to one thread at a time.
 */
final class SentinelLog {
    /** An outage of a shard, from the moment its primary is held down to the next primary. */
    private static final class Outage {
        private final long since;
        /** What was last said to stand in the way. */
        private @Nullable AbortReason reason;

        private Outage(long since) {
            this.since = since;
        }
    }

    private final OperatorLog logger;
    private final Map<ShardId, Outage> outages = new HashMap<>();
    private @Nullable ClusterTopology seen;

    SentinelLog(OperatorLog logger) {
        this.logger = logger;
    }

    /** An operator gave an order by which data may be lost; may be called by any thread. */
    void beginAnewAsked(ShardId shard) {
        logger.log(
                Level.WARNING,
                () -> shard + ": ordered to begin anew; every write that its next primary lacks will be lost");
    }

    /**
     * Writes an event.
     *
     * @param latest the topology after it
     */
    void tell(SentinelEvent event, ClusterTopology latest) {
        if (!latest.equals(seen)) { // which a thousand shards that fail over at once share for a while
            seen = latest;
            outages.keySet().removeIf(shard -> latest.shard(shard) == null);
        }
        SentinelFact fact = event.fact();
        if (fact instanceof SentinelFact.SubjectivelyDown down) {
            logger.log(
                    Level.INFO,
                    () -> down.shard() + ": " + role(down.primary()) + down.node() + " is held down by "
                            + event.sentinel() + ": " + text(down.reason()));
        } else if (fact instanceof SentinelFact.SubjectivelyUp up) {
            logger.log(
                    Level.INFO,
                    () -> up.shard() + ": " + role(up.primary()) + up.node() + " is up again for " + event.sentinel());
        } else if (fact instanceof SentinelFact.ObjectivelyDown down) {
            outages.put(down.shard(), new Outage(event.at()));
            logger.log(
                    Level.WARNING,
                    () -> down.shard() + ": without a primary: " + down.node() + ", the primary of epoch "
                            + Epoch.toString(down.epoch()) + ", is down, as " + down.agreeing() + " sentinels agree");
        } else if (fact instanceof SentinelFact.ObjectivelyUp up && leads(latest, up)) {
            Outage outage = outages.remove(up.shard());
            logger.log(
                    Level.INFO,
                    () -> up.shard() + ": " + up.node() + " is up again as the primary of epoch "
                            + Epoch.toString(up.epoch()) + after(outage, event));
        } else if (fact instanceof SentinelFact.NotBegun not) {
            logger.log(
                    Level.WARNING,
                    () -> not.shard() + ": without a primary: it was never begun, as far as " + event.sentinel()
                            + " has heard" + names("; no answer from ", not.silent()));
        } else if (fact instanceof SentinelFact.NoFailoverPossible impossible) {
            logger.log(
                    Level.WARNING,
                    () -> impossible.shard() + ": without a primary, and no failover is possible: "
                            + text(impossible.obstacle()) + names("; no answer from ", impossible.missing())
                            + names("; without complete data: ", impossible.incomplete()));
        } else if (fact instanceof SentinelFact.FailoverDelayed delayed) {
            logger.log(
                    Level.WARNING,
                    () -> delayed.shard() + ": without a primary; " + event.sentinel()
                            + " begins no failover for another "
                            + ReadableTime.of(delayed.delay().toNanos())
                            + ": leadership has been moving back and forth ("
                            + (delayed.returns() == 1 ? "1 return" : delayed.returns() + " returns")
                            + " to a node that was deposed)");
        } else if (fact instanceof SentinelFact.PrimaryChanged changed) {
            Outage outage = outages.remove(changed.shard());
            logger.log(
                    Level.INFO,
                    () -> changed.shard() + ": " + changed.primary() + " is the primary of epoch "
                            + Epoch.toString(changed.epoch()) + before(changed) + after(outage, event));
        } else if (fact instanceof SentinelFact.ShardBegun begun) {
            outages.remove(begun.shard());
            logger.log(begun.dataLost() ? Level.WARNING : Level.INFO, () -> text(begun));
        } else if (fact instanceof SentinelFact.FailoverAborted aborted && isNews(aborted)) {
            logger.log(
                    Level.WARNING,
                    () -> aborted.shard() + ": still without a primary: " + text(aborted.reason()) + " (epoch "
                            + Epoch.toString(aborted.epoch()) + ")");
        } else if (fact instanceof SentinelFact.NumberConflict conflict) {
            logger.log(
                    Level.WARNING,
                    () -> conflict.shard() + ": " + conflict.node() + " has promised epoch "
                            + Epoch.toString(conflict.epoch()) + " to another sentinel: two sentinels have one number");
        } else {
            logger.log(Level.DEBUG, event::toString);
        }
    }

    /** A primary that was replaced is down no more, but is not up again either. */
    private static boolean leads(ClusterTopology latest, SentinelFact.ObjectivelyUp up) {
        Shard shard = latest.shard(up.shard());
        return shard != null && shard.epoch() == up.epoch() && shard.primary().equals(up.node());
    }

    /** During an outage each reason is said once in a row; those that are a part of finding a candidate, never. */
    private boolean isNews(SentinelFact.FailoverAborted aborted) {
        Outage outage = outages.get(aborted.shard());
        AbortReason reason = aborted.reason();
        if (outage == null
                || reason == outage.reason
                || reason == AbortReason.PRE_VOTE_LOST
                || reason == AbortReason.NOT_ELECTED
                || reason == AbortReason.SUPERSEDED) {
            return false;
        }
        outage.reason = reason;
        return true;
    }

    private static String role(boolean primary) {
        return primary ? "primary " : "";
    }

    private static String before(SentinelFact.PrimaryChanged changed) {
        return changed.before().equals(changed.primary()) ? "" : " (was " + changed.before() + ")";
    }

    private static String after(@Nullable Outage outage, SentinelEvent event) {
        return outage == null ? "" : ", " + ReadableTime.of(event.at() - outage.since) + " after it was found down";
    }

    private static String names(String text, List<NodeId> nodes) {
        return nodes.isEmpty()
                ? ""
                : text + String.join(", ", nodes.stream().map(NodeId::value).toList());
    }

    private static String text(SentinelFact.ShardBegun begun) {
        String leads = begun.primary() + " is the primary of epoch " + Epoch.toString(begun.epoch())
                + names(", of the members ", begun.members().nodes());
        return begun.dataLost()
                ? begun.shard() + ": begun anew, and every write that " + begun.primary() + " lacks is lost: " + leads
                : begun.shard() + ": begun: " + leads;
    }

    private static String text(DownReason reason) {
        return switch (reason) {
            case SILENT -> "it has been silent for too long";
            case NOT_PRIMARY -> "it reports that it does not lead";
            case OUTRUN -> "another node has promised a later epoch";
        };
    }

    private static String text(Obstacle obstacle) {
        return switch (obstacle) {
            case NO_MEMBER_LIST -> "no complete member answers";
            case TOO_FEW_MEMBERS -> "fewer than a majority of its members answer with complete data";
            case NO_ELIGIBLE_MEMBER -> "the members with the most complete data have priority 0";
        };
    }

    private static String text(AbortReason reason) {
        return switch (reason) {
            case OTHER_HOLDER -> "a node has promised the epoch to another sentinel, which has the same number";
            case NO_MAJORITY -> "fewer than a majority of the members answered with complete data";
            case TOO_FEW_PROMISES -> "too few members promised the epoch in time";
            case NO_ELIGIBLE_NODE -> "the nodes with the most complete data have priority 0";
            case PROMOTION_REFUSED -> "the chosen node refused its promotion";
            case PROMOTION_TIMEOUT -> "the chosen node did not confirm its promotion in time";
            default -> "the attempt ended with " + reason;
        };
    }
}
