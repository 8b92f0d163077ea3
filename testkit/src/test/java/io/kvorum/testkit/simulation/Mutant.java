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
    REFUSAL_TAKEN_FOR_PROMISE(Profile.DISKS, 14),
    /** A node that once promised is taken for fenced in each later epoch. */
    OLD_PROMISE_COUNTS(Profile.PLACED, 3),
    /** All positions that nodes report are the same, so that the priority decides who is promoted. */
    PRIORITY_DECIDES(Profile.SPLIT),
    /** Beside the chosen node, another one that promised is promoted. */
    SECOND_PROMOTION(Profile.SPLIT),
    /** After a refused promotion, another node that promised is promoted in the same epoch. */
    SECOND_CHOICE(Profile.PLACED, 20),
    /** A switchover does not pause the primary. */
    PAUSE_LEFT_OUT(Profile.SWITCHOVERS, 2),
    /** A primary is taken for fenced as soon as it is told to promise; it hears nothing of it. */
    PRIMARY_TAKEN_FOR_FENCED(Profile.SWITCHOVERS, 4),
    /** A node that lost its data counts among those that promised as if it had everything. */
    INCOMPLETE_PROMISE_COUNTS(Profile.CLASSIC, 2),
    /** A node that lost its promise counts as the member that it was. */
    FORMER_INCARNATION_COUNTS(Profile.NODE_MEMORY, 2),
    /** A sentinel bears twice the silence that it may. */
    SILENCE_BORNE_TWICE(Profile.SLOW_STEPS),
    /** A sentinel that was late itself holds the silence that it could not have heard against the nodes. */
    OWN_LATENESS_COUNTS(Profile.OPERATIONS),
    /** All sentinels take their epochs under the same number. */
    ONE_NUMBER(Profile.SWITCHOVERS),
    /** Of a node that promised, a sentinel goes by the position that it had when it was pinged last. */
    OLD_POSITION_COUNTS(Profile.CLASSIC, 33),
    /** No sentinel tells a node whom to follow. */
    FOLLOW_LEFT_OUT(Profile.OPERATIONS),

    // What a node keeps.

    /** A node that restarts has forgotten its promise. */
    PROMISES_FORGOTTEN(Profile.SPLIT),
    /** A node tells of a promise that it has not saved. */
    PROMISE_NOT_SAVED(Profile.SPLIT),
    /** A promise that can't be saved is given all the same. */
    FAILED_SAVE_TAKEN(Profile.DISKS, 3),
    /** A node that lost its promise comes back as who it was. */
    INCARNATION_KEPT(Profile.NODE_MEMORY, 2),
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
    /** A replica without its data says that it is complete. */
    INCOMPLETENESS_HIDDEN(Profile.CLASSIC),
    /** A replica acknowledges all that the primary has. */
    ACKNOWLEDGED_BEFORE_TAKEN(Profile.SPLIT),
    /** A replica applies a record once more after later ones. */
    RECORD_APPLIED_AGAIN_LATER(Profile.CLASSIC),
    /** A full sync whose data could not be loaded counts as complete. */
    FAILED_RESTORATION_TAKEN(Profile.CALLBACKS, 61),
    /** A message of another shard is taken for one of this shard. */
    STRAY_TAKEN(Profile.STRAYS, 9),
    /** A node takes and acknowledges records of an earlier epoch than the one it has promised. */
    DEPOSED_PRIMARY_TAKEN(Profile.PLACED, 3),
    /**
     * A primary feeds a replica from where its log ends, and the replica goes along, whether they have the same before.
     */
    DIVERGENCE_TAKEN(Profile.SPLIT),
    /** A replica leaves a record out and counts it all the same. */
    RECORD_LEFT_OUT(Profile.CLASSIC),
    /** A full sync counts although its data never replaced what the node had. */
    SYNC_THROWN_AWAY(Profile.OLD_LIVES, 2),

    // What a primary tells its clients.

    /** Reads aren't confirmed by a majority. */
    READS_UNCONFIRMED(Profile.SPLIT, 2),
    /** A write is said to be acknowledged by a majority once the primary has it. */
    WRITES_UNCONFIRMED(Profile.SPLIT, 2),
    /** Clients are told the first topology for ever. */
    OLD_TOPOLOGY_TOLD(Profile.SPLIT),
    /** A write of which nobody knows what became of it is said to be refused. */
    UNKNOWN_TAKEN_FOR_REFUSED(Profile.SPLIT, 3);

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

    /** {@return the seed that a search for a run that notices it begins with: the one that found it last} */
    long firstSeed() {
        return firstSeed;
    }
}
