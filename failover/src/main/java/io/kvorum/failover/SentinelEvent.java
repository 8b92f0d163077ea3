package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * Something that a sentinel noticed, decided or did. A record that corresponds to an event of Redis Sentinel names it.
 *
 * <p>Immutable.
 */
public sealed interface SentinelEvent {
    /** {@return when it happened, in nanoseconds of the sentinel's clock} */
    long at();

    /** {@return the sentinel that it happened to} */
    NodeId sentinel();

    /** Something about one shard. */
    sealed interface ShardEvent extends SentinelEvent {
        /** {@return the shard} */
        ShardId shard();

        /**
         * {@return the epoch it is about: of the election or failover, else of the configuration; 0 of an unknown
         * shard}
         */
        long epoch();
    }

    /** Why a node is held subjectively down. */
    enum DownReason {
        /** It has been silent for too long. */
        SILENT,
        /** It is the primary by the configuration, but has been saying for too long that it is not. */
        NOT_PRIMARY,
        /** Another node of the shard has promised a later epoch, and so has been lost to this primary for too long. */
        OUTRUN
    }

    /** Why a failover, or the attempt at one, was given up. */
    enum AbortReason {
        /** Not enough sentinels agreed that an election should be held. Nothing has changed. */
        PRE_VOTE_LOST,
        /** Not enough votes came in time. */
        NOT_ELECTED,
        /** A later epoch has come up, by a vote for another sentinel or by a node's promise. */
        SUPERSEDED,
        /** Too few nodes with complete data promised the epoch in time. */
        TOO_FEW_NODES,
        /** No node may be promoted: those with the most complete log have priority 0. */
        NO_ELIGIBLE_NODE,
        /** The chosen node refused to be promoted. */
        PROMOTION_REFUSED,
        /** The chosen node did not confirm its promotion in time. */
        PROMOTION_TIMEOUT,
        /** The primary refused to pause its writes for a switchover. Nothing has changed. */
        PAUSE_REFUSED,
        /** No replica had all of the primary's writes within the limit of the pause. Nothing has changed. */
        REPLICAS_BEHIND,
        /** Another failover of the shard is under way. Nothing has changed. */
        FAILOVER_IN_PROGRESS,
        /** This sentinel started without its state and abstains for a while. Nothing has changed. */
        ABSTAINING,
        /** The sentinel does not know the shard, or the shard has been removed. */
        UNKNOWN_SHARD
    }

    /**
     * This sentinel holds a node down; of a primary it says so to the others ({@code +sdown}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary whether it is the primary of the configuration
     * @param reason why
     */
    record SubjectivelyDown(
            long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, boolean primary, DownReason reason)
            implements ShardEvent {
        /** Checks the parts. */
        public SubjectivelyDown {
            requireNonNull(node, "node");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * This sentinel no longer holds a node down ({@code -sdown}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary whether it is the primary of the configuration
     */
    record SubjectivelyUp(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, boolean primary)
            implements ShardEvent {
        /** Checks the parts. */
        public SubjectivelyUp {
            requireNonNull(node, "node");
        }
    }

    /**
     * A quorum of sentinels holds the primary down ({@code +odown}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the primary
     * @param agreeing how many sentinels do
     */
    record ObjectivelyDown(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, int agreeing)
            implements ShardEvent {
        /** Checks the parts. */
        public ObjectivelyDown {
            requireNonNull(node, "node");
        }
    }

    /**
     * No quorum holds the primary down any more ({@code -odown}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the primary
     */
    record ObjectivelyUp(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node) implements ShardEvent {
        /** Checks the parts. */
        public ObjectivelyUp {
            requireNonNull(node, "node");
        }
    }

    /**
     * This sentinel asks for the votes of an epoch ({@code +new-epoch}, {@code +try-failover}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param manual whether an operator asked for the failover
     */
    record Candidacy(long at, NodeId sentinel, ShardId shard, long epoch, boolean manual) implements ShardEvent {}

    /**
     * This sentinel gave its vote in an epoch ({@code +vote-for-leader}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param candidate the sentinel that got it
     */
    record VoteGiven(long at, NodeId sentinel, ShardId shard, long epoch, NodeId candidate) implements ShardEvent {
        /** Checks the parts. */
        public VoteGiven {
            requireNonNull(candidate, "candidate");
        }
    }

    /**
     * This sentinel was asked for its vote in an epoch and did not give it.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param candidate the sentinel that asked
     * @param reason why not
     */
    record VoteRefused(
            long at, NodeId sentinel, ShardId shard, long epoch, NodeId candidate, SentinelMessage.Refusal reason)
            implements ShardEvent {
        /** Checks the parts. */
        public VoteRefused {
            requireNonNull(candidate, "candidate");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * This sentinel leads the failover of an epoch ({@code +elected-leader}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param votes how many votes it had
     */
    record LeaderElected(long at, NodeId sentinel, ShardId shard, long epoch, int votes) implements ShardEvent {}

    /**
     * The primary holds its writes back for a switchover.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the primary
     * @param position where its log ends
     */
    record PrimaryPaused(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, LogPosition position)
            implements ShardEvent {
        /** Checks the parts. */
        public PrimaryPaused {
            requireNonNull(node, "node");
            requireNonNull(position, "position");
        }
    }

    /**
     * A node promised the epoch.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param position where its log ends, for good
     * @param synced whether its data is complete, so that its promise counts
     */
    record NodeFenced(
            long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, LogPosition position, boolean synced)
            implements ShardEvent {
        /** Checks the parts. */
        public NodeFenced {
            requireNonNull(node, "node");
            requireNonNull(position, "position");
        }
    }

    /**
     * A node was chosen to be promoted ({@code +selected-slave}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param position where its log ends
     */
    record NodeSelected(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, LogPosition position)
            implements ShardEvent {
        /** Checks the parts. */
        public NodeSelected {
            requireNonNull(node, "node");
            requireNonNull(position, "position");
        }
    }

    /**
     * The chosen node is the primary of the epoch ({@code +promoted-slave}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     */
    record NodePromoted(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node) implements ShardEvent {
        /** Checks the parts. */
        public NodePromoted {
            requireNonNull(node, "node");
        }
    }

    /**
     * This sentinel learned of a later configuration, by its own failover or from another ({@code +config-update-from},
     * and an observer's {@code +switch-master}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param before the primary until now
     * @param primary the primary of the epoch
     */
    record ConfigurationAdopted(long at, NodeId sentinel, ShardId shard, long epoch, NodeId before, NodeId primary)
            implements ShardEvent {
        /** Checks the parts. */
        public ConfigurationAdopted {
            requireNonNull(before, "before");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * The leader's failover is complete: a majority of the sentinels has stored the configuration (a leader's
     * {@code +switch-master}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param primary the primary of the epoch
     */
    record Switched(long at, NodeId sentinel, ShardId shard, long epoch, NodeId primary) implements ShardEvent {
        /** Checks the parts. */
        public Switched {
            requireNonNull(primary, "primary");
        }
    }

    /**
     * A node is told to follow the primary of the configuration ({@code +slave-reconf-sent}, {@code +convert-to-slave},
     * {@code +fix-slave-config}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary the primary
     */
    record FollowSent(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, NodeId primary)
            implements ShardEvent {
        /** Checks the parts. */
        public FollowSent {
            requireNonNull(node, "node");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * A node that was told so follows the primary of the configuration ({@code +slave-reconf-done}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary the primary
     */
    record NodeRepointed(long at, NodeId sentinel, ShardId shard, long epoch, NodeId node, NodeId primary)
            implements ShardEvent {
        /** Checks the parts. */
        public NodeRepointed {
            requireNonNull(node, "node");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * This sentinel gave up an attempt ({@code -failover-abort-not-elected}, {@code -failover-abort-no-good-slave},
     * {@code -failover-abort-slave-timeout}). Unless it says that nothing has changed, another attempt follows by
     * itself for as long as the shard has no working primary.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param reason why
     */
    record FailoverAborted(long at, NodeId sentinel, ShardId shard, long epoch, AbortReason reason)
            implements ShardEvent {
        /** Checks the parts. */
        public FailoverAborted {
            requireNonNull(reason, "reason");
        }
    }

    /**
     * A manual failover was not even begun ({@code INPROG}).
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param reason why
     */
    record FailoverRefused(long at, NodeId sentinel, ShardId shard, long epoch, AbortReason reason)
            implements ShardEvent {
        /** Checks the parts. */
        public FailoverRefused {
            requireNonNull(reason, "reason");
        }
    }

    /**
     * A changed topology that this sentinel was told of was refused, as a whole, because it would change the nodes of a
     * shard; see {@link Sentinel#merge}.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param shard the shard whose nodes would change
     * @param epoch the epoch it is about
     */
    record MergeRefused(long at, NodeId sentinel, ShardId shard, long epoch) implements ShardEvent {}

    /**
     * The state could not be saved, so that nothing that follows from it was sent; another attempt is made with each
     * step.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param message what went wrong
     */
    record StateNotSaved(long at, NodeId sentinel, @Nullable String message) implements SentinelEvent {}

    /**
     * Events were thrown away, because the listener was too slow or the state could not be saved for too long.
     *
     * @param at when it happened, in nanoseconds of the sentinel's clock
     * @param sentinel the sentinel that it happened to
     * @param count how many
     */
    record EventsLost(long at, NodeId sentinel, long count) implements SentinelEvent {}
}
