package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link SentinelEvent} tells. A fact that corresponds to an event of Redis Sentinel names that event.
 *
 * <p>Immutable.
 */
public sealed interface SentinelFact {
    /** A fact about one shard. */
    sealed interface ShardFact extends SentinelFact {
        /** {@return the shard} */
        ShardId shard();

        /** {@return the epoch of the attempt that it is about, else of the latest primary; 0 of an unknown shard} */
        long epoch();
    }

    /** The reason for holding a node subjectively down. */
    enum DownReason {
        /** It has been silent for too long. */
        SILENT,
        /** It is the latest known primary, but has been reporting for too long that it does not lead. */
        NOT_PRIMARY,
        /** Another node of the shard has promised a later epoch, and so has been lost to this primary for too long. */
        OUTRUN
    }

    /** The reason why a shard without a working primary cannot be failed over. */
    enum Obstacle {
        /** No complete member answers that knows the members. */
        NO_MEMBER_LIST,
        /** Fewer than a majority of the members answer and are complete. */
        TOO_FEW_MEMBERS,
        /** All complete members that answer and have the most data have priority 0. */
        NO_ELIGIBLE_MEMBER
    }

    /**
     * This sentinel holds a node down ({@code +sdown}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary whether it is the latest known primary
     * @param reason why
     */
    record SubjectivelyDown(ShardId shard, long epoch, NodeId node, boolean primary, DownReason reason)
            implements ShardFact {
        /** Checks the parts. */
        public SubjectivelyDown {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * This sentinel no longer holds a node down ({@code -sdown}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary whether it is the latest known primary
     */
    record SubjectivelyUp(ShardId shard, long epoch, NodeId node, boolean primary) implements ShardFact {
        /** Checks the parts. */
        public SubjectivelyUp {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
        }
    }

    /**
     * A quorum of sentinels holds the primary down ({@code +odown}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the primary
     * @param agreeing how many sentinels agree
     */
    record ObjectivelyDown(ShardId shard, long epoch, NodeId node, int agreeing) implements ShardFact {
        /** Checks the parts. */
        public ObjectivelyDown {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
        }
    }

    /**
     * No quorum holds the primary down any more ({@code -odown}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the primary
     */
    record ObjectivelyUp(ShardId shard, long epoch, NodeId node) implements ShardFact {
        /** Checks the parts. */
        public ObjectivelyUp {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
        }
    }

    /**
     * This sentinel has not heard within {@code downAfter} that the shard was begun, neither from its nodes nor from
     * other sentinels. No node is held down for that, and no failover is possible: an operator must begin the shard.
     * Told once, unless it is being begun.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param silent the nodes that do not answer, and so might know better
     */
    record NotBegun(ShardId shard, long epoch, List<NodeId> silent) implements ShardFact {
        /** Checks the parts. */
        public NotBegun {
            requireNonNull(shard, "shard");
            silent = List.copyOf(silent);
        }
    }

    /**
     * The primary is objectively down, and by the latest reports a failover cannot succeed: nothing is begun and nobody
     * is deposed. Told once, and again whenever what is missing changes.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param obstacle what stands in the way
     * @param missing the members that do not answer
     * @param incomplete the members that answer but whose data is not complete, or that lost their promise
     */
    record NoFailoverPossible(
            ShardId shard, long epoch, Obstacle obstacle, List<NodeId> missing, List<NodeId> incomplete)
            implements ShardFact {
        /** Checks the parts. */
        public NoFailoverPossible {
            requireNonNull(shard, "shard");
            requireNonNull(obstacle, "obstacle");
            missing = List.copyOf(missing);
            incomplete = List.copyOf(incomplete);
        }
    }

    /**
     * The primary is objectively down, but leadership has been moving back and forth, so this sentinel waits before it
     * begins a failover. Told once for each primary.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param returns how often leadership has returned of late to a node that a failover had deposed
     * @param delay how long this sentinel still waits
     */
    record FailoverDelayed(ShardId shard, long epoch, int returns, Duration delay) implements ShardFact {
        /** Checks the parts. */
        public FailoverDelayed {
            requireNonNull(shard, "shard");
            requireNonNull(delay, "delay");
        }
    }

    /**
     * This sentinel asks for votes ({@code +try-failover}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param attempt the number of the attempt
     * @param manual whether an operator asked for the failover
     */
    record Candidacy(ShardId shard, long epoch, long attempt, boolean manual) implements ShardFact {
        /** Checks the parts. */
        public Candidacy {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * This sentinel gave its vote ({@code +vote-for-leader}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param candidate the sentinel that got it
     * @param attempt the number of the attempt
     */
    record VoteGiven(ShardId shard, long epoch, NodeId candidate, long attempt) implements ShardFact {
        /** Checks the parts. */
        public VoteGiven {
            requireNonNull(shard, "shard");
            requireNonNull(candidate, "candidate");
        }
    }

    /**
     * This sentinel refused its vote.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param candidate the sentinel that asked
     * @param attempt the number of the attempt
     * @param reason why
     */
    record VoteRefused(ShardId shard, long epoch, NodeId candidate, long attempt, SentinelMessage.Refusal reason)
            implements ShardFact {
        /** Checks the parts. */
        public VoteRefused {
            requireNonNull(shard, "shard");
            requireNonNull(candidate, "candidate");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * This sentinel was elected to fail the shard over ({@code +elected-leader}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param attempt the number of the attempt
     * @param votes how many votes it had
     */
    record LeaderElected(ShardId shard, long epoch, long attempt, int votes) implements ShardFact {
        /** Checks the parts. */
        public LeaderElected {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * This sentinel took an epoch above the promises of a majority ({@code +new-epoch}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     */
    record EpochTaken(ShardId shard, long epoch) implements ShardFact {
        /** Checks the parts. */
        public EpochTaken {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * The primary holds back its writes for a switchover.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the primary
     * @param position where its log ends
     */
    record PrimaryPaused(ShardId shard, long epoch, NodeId node, LogPosition position) implements ShardFact {
        /** Checks the parts. */
        public PrimaryPaused {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
            requireNonNull(position, "position");
        }
    }

    /**
     * A node promised the epoch.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param position where its log ends
     * @param complete whether its data is complete, so that its promise counts
     */
    record NodeFenced(ShardId shard, long epoch, NodeId node, LogPosition position, boolean complete)
            implements ShardFact {
        /** Checks the parts. */
        public NodeFenced {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
            requireNonNull(position, "position");
        }
    }

    /**
     * A node has promised the epoch to another sentinel: two sentinels use one number. Correct the list of sentinels.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     */
    record NumberConflict(ShardId shard, long epoch, NodeId node) implements ShardFact {
        /** Checks the parts. */
        public NumberConflict {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
        }
    }

    /**
     * A node was chosen to be promoted ({@code +selected-slave}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param position where its log ends
     */
    record NodeSelected(ShardId shard, long epoch, NodeId node, LogPosition position) implements ShardFact {
        /** Checks the parts. */
        public NodeSelected {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
            requireNonNull(position, "position");
        }
    }

    /**
     * The chosen node leads the epoch ({@code +promoted-slave}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     */
    record NodePromoted(ShardId shard, long epoch, NodeId node) implements ShardFact {
        /** Checks the parts. */
        public NodePromoted {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
        }
    }

    /**
     * A shard was begun.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param primary its first primary
     * @param members its members
     * @param dataLost whether it was begun anew, because its data was lost
     */
    record ShardBegun(ShardId shard, long epoch, NodeId primary, MemberList members, boolean dataLost)
            implements ShardFact {
        /** Checks the parts. */
        public ShardBegun {
            requireNonNull(shard, "shard");
            requireNonNull(primary, "primary");
            requireNonNull(members, "members");
        }
    }

    /**
     * This sentinel learned of a later primary, by its own failover or from others ({@code +config-update-from}, and an
     * observer's {@code +switch-master}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param before the primary until now
     * @param primary the primary of the epoch
     */
    record PrimaryChanged(ShardId shard, long epoch, NodeId before, NodeId primary) implements ShardFact {
        /** Checks the parts. */
        public PrimaryChanged {
            requireNonNull(shard, "shard");
            requireNonNull(before, "before");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * A majority of the sentinels knows the primary that this sentinel brought about (a leader's
     * {@code +switch-master}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param primary the primary of the epoch
     */
    record Switched(ShardId shard, long epoch, NodeId primary) implements ShardFact {
        /** Checks the parts. */
        public Switched {
            requireNonNull(shard, "shard");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * A node was told to follow the primary ({@code +slave-reconf-sent}, {@code +convert-to-slave}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary the primary
     */
    record FollowSent(ShardId shard, long epoch, NodeId node, NodeId primary) implements ShardFact {
        /** Checks the parts. */
        public FollowSent {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * A node that was told so follows the primary and is complete ({@code +slave-reconf-done}).
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param node the node
     * @param primary the primary
     */
    record NodeRepointed(ShardId shard, long epoch, NodeId node, NodeId primary) implements ShardFact {
        /** Checks the parts. */
        public NodeRepointed {
            requireNonNull(shard, "shard");
            requireNonNull(node, "node");
            requireNonNull(primary, "primary");
        }
    }

    /**
     * This sentinel gave up an attempt ({@code -failover-abort-not-elected}, {@code -failover-abort-no-good-slave},
     * {@code -failover-abort-slave-timeout}). Another attempt follows by itself as long as the shard has no working
     * primary.
     *
     * @param shard the shard
     * @param epoch the epoch it is about
     * @param reason why
     */
    record FailoverAborted(ShardId shard, long epoch, AbortReason reason) implements ShardFact {
        /** Checks the parts. */
        public FailoverAborted {
            requireNonNull(shard, "shard");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * An operation ended.
     *
     * @param operation the operation
     * @param outcome its outcome
     */
    record OperationEnded(Operation operation, OperationOutcome outcome) implements SentinelFact {
        /** Checks the parts. */
        public OperationEnded {
            requireNonNull(operation, "operation");
            requireNonNull(outcome, "outcome");
        }
    }

    /**
     * The state could not be saved. The sentinel works on; after a restart it will have to learn anew what it knew.
     *
     * @param message the message of the failure, if it has one
     */
    record StateNotSaved(@Nullable String message) implements SentinelFact {}

    /**
     * A call of the application's code failed: of a transport, a gateway, a listener or an executor. What it should
     * have carried counts as lost.
     *
     * @param call what was called
     * @param message the message of the failure, if it has one
     */
    record CallFailed(String call, @Nullable String message) implements SentinelFact {
        /** Checks the parts. */
        public CallFailed {
            requireNonNull(call, "call");
        }
    }

    /**
     * Events were dropped because a listener was too slow.
     *
     * @param count how many
     */
    record EventsLost(long count) implements SentinelFact {}

    /**
     * The sentinel stopped after a defect of its own.
     *
     * @param message the message of the failure, if it has one
     */
    record DriverFailed(@Nullable String message) implements SentinelFact {}
}
