package io.kvorum.testkit.simulation;

/**
 * A guard of the protocol that a run switches off, at the seams and without help of the product, to show that the
 * invariants would notice. Each names the profile whose runs need the guard.
 */
enum Mutant {
    /** None: the product as it is. */
    NONE(Profile.CLASSIC),

    // What a sentinel hears.

    /**
     * A sentinel takes a node that it told to fence for fenced, with what the node last said of itself; the node hears
     * nothing of it.
     */
    FENCE_IGNORED(Profile.SPLIT),
    /** A node that refuses a fence is taken for fenced. */
    REFUSAL_TAKEN_FOR_PROMISE(Profile.DISKS, 13),
    /** A node that once promised is taken for fenced in each later epoch. */
    OLD_PROMISE_COUNTS(Profile.PLACED),
    /** All positions that nodes report are the same, so that the priority decides who is promoted. */
    PRIORITY_DECIDES(Profile.SPLIT),
    /** Beside the chosen node, another one that promised is promoted. */
    SECOND_PROMOTION(Profile.SPLIT),
    /** A switchover does not pause the primary. */
    PAUSE_LEFT_OUT(Profile.SWITCHOVERS),

    // What a node keeps.

    /** A node that restarts has forgotten its promise. */
    PROMISES_FORGOTTEN(Profile.SPLIT),
    /** A node tells of a promise that it has not saved. */
    PROMISE_NOT_SAVED(Profile.SPLIT),
    /** A promise that can't be saved is given all the same. */
    FAILED_SAVE_TAKEN(Profile.DISKS),
    /** A node that lost its promise comes back as who it was. */
    INCARNATION_KEPT(Profile.NODE_MEMORY),
    /** A node that restarts without its data says that it is complete. */
    EMPTY_TAKEN_FOR_COMPLETE(Profile.OLD_LIVES),
    /**
     * All lives of a node have the same number, so that a full sync for a former life is taken for one of this life.
     */
    LIVES_ALIKE(Profile.OLD_LIVES),

    // What a replica takes.

    /**
     * A full sync counts once its last part is here, although the primary has given it up and the node has gone on: the
     * node is put back, as if it had restarted without its data and taken this full sync.
     */
    ABANDONED_SYNC_TAKEN(Profile.OLD_LIVES),
    /** A replica takes records although some before them are missing. */
    GAP_TAKEN(Profile.LATE_KINDS),
    /** A replica acknowledges all that the primary has. */
    ACKNOWLEDGED_BEFORE_TAKEN(Profile.SPLIT),
    /** A replica applies a record once more after later ones. */
    RECORD_APPLIED_AGAIN_LATER(Profile.CLASSIC),
    /** A full sync whose data could not be loaded counts as complete. */
    FAILED_RESTORATION_TAKEN(Profile.CALLBACKS, 55),
    /** A message of another shard is taken for one of this shard. */
    STRAY_TAKEN(Profile.STRAYS),

    // What a primary tells its clients.

    /** Reads aren't confirmed by a majority. */
    READS_UNCONFIRMED(Profile.SPLIT),
    /** A write is said to be acknowledged by a majority once the primary has it. */
    WRITES_UNCONFIRMED(Profile.SPLIT);

    private final Profile profile;
    private final long firstSeed;

    Mutant(Profile profile) {
        this(profile, 1);
    }

    Mutant(Profile profile, long firstSeed) {
        this.profile = profile;
        this.firstSeed = firstSeed;
    }

    /** {@return the profile whose runs need the guard} */
    Profile profile() {
        return profile;
    }

    /** {@return the seed that a search for a run that notices it begins with} */
    long firstSeed() {
        return firstSeed;
    }
}
