package io.kvorum.failover;

/** Why a failover or an operation was refused or given up. */
public enum AbortReason {
    /** Too few sentinels were willing to vote for the candidate. Nothing has changed. */
    PRE_VOTE_LOST,
    /** Too few votes came in time. Nothing has changed. */
    NOT_ELECTED,
    /** A node has promised a later epoch, or another sentinel has brought about a later primary. */
    SUPERSEDED,
    /** A node has promised the epoch to another sentinel: two sentinels use one number. */
    OTHER_HOLDER,
    /** Too few complete members answered to begin. No epoch was used and nobody was deposed. */
    NO_MAJORITY,
    /** Too few complete members promised the epoch in time. */
    TOO_FEW_PROMISES,
    /** No node may be promoted: those with the most complete log, or the target of a switchover, have priority 0. */
    NO_ELIGIBLE_NODE,
    /** The chosen node refused to be promoted. */
    PROMOTION_REFUSED,
    /** The chosen node did not confirm its promotion in time. */
    PROMOTION_TIMEOUT,
    /** The primary was not heard from, and a switchover needs its consent. Nothing has changed. */
    PRIMARY_SILENT,
    /** The primary is no longer objectively down. Nothing has changed. */
    PRIMARY_UP,
    /** The primary refused to pause its writes for a switchover. Nothing has changed. */
    PAUSE_REFUSED,
    /** No replica had all writes of the primary within the limit of the pause. The primary goes on. */
    REPLICAS_BEHIND,
    /** The primary did not promise the new epoch within the limit of the pause. The primary goes on. */
    PRIMARY_NOT_FENCED,
    /** A failover of the shard is under way. Nothing has changed. */
    FAILOVER_IN_PROGRESS,
    /** Another operation on the shard is under way. Nothing has changed. */
    OPERATION_IN_PROGRESS,
    /** Nodes that had to answer did not, or the target of a switchover is silent. */
    NODES_MISSING,
    /** The shard has been begun before. Nothing has changed. */
    ALREADY_BEGUN,
    /**
     * A majority of complete members answers, and one of them may lead: the shard can be failed over, and beginning it
     * anew would lose data for nothing. No data has changed.
     */
    MAJORITY_LEFT,
    /** The shard has not been begun, unless a node that does not answer knows better. Nothing has changed. */
    NOT_BEGUN,
    /** The node that was to begin the shard refused. */
    BEGIN_REFUSED,
    /**
     * The node to replace, or the target of a switchover, is not a member of the shard, or the node to take in is one.
     * Nothing has changed.
     */
    NOT_A_MEMBER,
    /** The target of a switchover does not have the data of the shard. Nothing has changed. */
    NODE_INCOMPLETE,
    /**
     * A switchover ended with another primary than its target: the target was lost after the old primary had handed
     * over, or a failover came in between.
     */
    TARGET_LOST,
    /** The node to take in belongs to another shard. Nothing has changed. */
    NODE_ELSEWHERE,
    /** The time of the operation is over. A failover that it began may still go on. */
    TIMED_OUT,
    /** The sentinel does not know the shard, or the shard was removed. */
    UNKNOWN_SHARD,
    /** The sentinel has too many requests waiting. Nothing has changed. */
    OVERLOADED,
    /** The sentinel was closed. A failover that the operation began may still go on. */
    CLOSED,
    /** The sentinel stopped after a defect of its own. A failover that the operation began may still go on. */
    SENTINEL_FAILED
}
