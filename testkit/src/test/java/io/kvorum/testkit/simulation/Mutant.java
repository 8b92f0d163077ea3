package io.kvorum.testkit.simulation;

import io.kvorum.testkit.simulation.Fault.Kind;
import java.util.EnumSet;
import java.util.Set;

/**
 * A guard of the protocol that a run switches off, at the seams and without help of the product, to show that the
 * invariants would notice.
 */
enum Mutant {
    /** None: the product as it is. */
    NONE,
    /**
     * The gateway answers for a node that is told to fence, with what the node last said of itself if that is recent,
     * and the node hears nothing of it: a failover as Redis Sentinel does it.
     */
    FENCE_IGNORED,
    /** All positions that nodes report are the same, so that the priority decides who is promoted. */
    PRIORITY_DECIDES,
    /** A node that restarts has forgotten its promise. */
    PROMISES_FORGOTTEN,
    /** A node that restarts without its data says that it is complete. */
    EMPTY_TAKEN_FOR_COMPLETE,
    /**
     * All lives of a node have the same number, so that a full sync for a former life is taken for one of this life.
     */
    LIVES_ALIKE,
    /**
     * A full sync counts once its last part is here, although the primary has given it up and the node has gone on: the
     * node is put back, as if it had restarted without its data and taken this full sync.
     */
    ABANDONED_SYNC_TAKEN,
    /** Reads aren't confirmed by a majority. */
    READS_UNCONFIRMED;

    /** {@return the faults under which the guard is needed most} */
    Set<Kind> faults() {
        return switch (this) {
            case NONE -> EnumSet.allOf(Kind.class);
            case FENCE_IGNORED -> EnumSet.of(Kind.PAUSE, Kind.SLOW, Kind.SWITCHOVER);
            case PRIORITY_DECIDES -> EnumSet.of(Kind.CRASH, Kind.CUT, Kind.PAUSE);
            case PROMISES_FORGOTTEN -> EnumSet.of(Kind.CRASH);
            case EMPTY_TAKEN_FOR_COMPLETE -> EnumSet.of(Kind.LAST_COPY_DOWN, Kind.CRASH);
            case LIVES_ALIKE -> EnumSet.of(Kind.LATE_COPIES, Kind.CRASH_EMPTY);
            case ABANDONED_SYNC_TAKEN -> EnumSet.of(Kind.LATE_COPIES, Kind.SLOW);
            case READS_UNCONFIRMED -> EnumSet.of(Kind.CUT, Kind.CUT_LINKS);
        };
    }
}
