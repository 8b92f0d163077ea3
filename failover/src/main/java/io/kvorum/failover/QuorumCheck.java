package io.kvorum.failover;

/**
 * Whether the sentinels could fail a shard over now, as one of them sees it.
 *
 * <p>Immutable.
 *
 * @param usable how many sentinels were heard from lately, including the one that was asked
 * @param sentinels how many sentinels there are
 * @param quorum how many must hold a primary down
 * @param votes how many votes elect a candidate: a majority, or the quorum if that is more
 */
public record QuorumCheck(int usable, int sentinels, int quorum, int votes) {
    /** {@return whether enough sentinels are usable to hold a primary objectively down} */
    public boolean quorumReachable() {
        return usable >= quorum;
    }

    /** {@return whether enough sentinels are usable to elect a candidate} */
    public boolean votesReachable() {
        return usable >= votes;
    }
}
