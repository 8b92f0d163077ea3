package io.kvorum.failover;

/**
 * Whether the sentinels could fail a shard over now, as one of them sees it.
 *
 * <p>Immutable.
 *
 * @param usable how many sentinels have been heard of lately, the asked one among them
 * @param sentinels how many sentinels there are
 * @param quorum how many must hold a primary down
 * @param majority how many must vote for a leader
 */
public record QuorumCheck(int usable, int sentinels, int quorum, int majority) {
    /** {@return whether enough sentinels are usable to hold a primary objectively down} */
    public boolean quorumReachable() {
        return usable >= quorum;
    }

    /** {@return whether enough sentinels are usable to elect a leader} */
    public boolean majorityReachable() {
        return usable >= majority;
    }
}
