package io.kvorum.testkit.model;

/**
 * The safety rules of the protocols, each of which a run can switch off.
 *
 * <p>The rules of one section guard one step; docs/design.md argues why together they are enough.
 */
enum Rule {
    // Epochs and promises

    /** A node refuses messages, fences and promotions below the epoch that it has promised. */
    REFUSE_LOWER_EPOCHS,
    /** A promise survives a restart without data; otherwise the node comes back under another incarnation. */
    KEEP_PROMISES,
    /** The number of the candidate is part of the epoch. */
    NUMBER_IN_EPOCH,
    /** A promise names the attempt that it was given to; no other attempt is promised the same epoch. */
    ONE_ATTEMPT_PER_PROMISE,
    /** A promise names at least the sentinel; no other sentinel is promised the same epoch. */
    ONE_SENTINEL_PER_PROMISE,
    /** A candidate asks a majority for their promises first, and takes a round above all of them. */
    ASK_A_MAJORITY,
    /** Only the answers of complete members make a majority of those that were asked for their promises. */
    ASK_COMPLETE_MEMBERS,
    /**
     * A bootstrap, a begin anew and a lossy failover rest on no majority: they, and all after a loss, draw their
     * rounds.
     */
    DRAW_ROUNDS,

    // Choosing and promoting

    /** Only the answers of complete members make a majority of a fence. */
    COUNT_COMPLETE_MEMBERS,
    /** Only answers to a fence of this very attempt count. */
    COUNT_OWN_ANSWERS,
    /** A refused fence does not count. */
    REFUSALS_DO_NOT_COUNT,
    /** The newest member list among the answers is the one to count over. */
    NEWEST_LIST,
    /** The promoted node has the greatest position among those that count. */
    GREATEST_POSITION,
    /** While two lists count, the members of both are chosen among. */
    CHOOSE_FROM_BOTH_LISTS,
    /** A candidate promotes one node in an epoch, and starts another attempt if that fails. */
    ONE_PROMOTION,
    /** A node accepts a promotion only while its promise is exactly of that epoch and attempt. */
    PROMOTE_AS_PROMISED,
    /** A node accepts a promotion only if its log ends where the candidate saw it end. */
    PROMOTE_AT_POSITION,
    /** A node refuses a second promotion in an epoch that it leads or follows already. */
    PROMOTE_ONCE,

    // Log and commit

    /** A node appends records only right after the position that they follow. */
    APPEND_IN_ORDER,
    /** An acknowledgement counts up to a position in the primary's own history. */
    ACK_IN_HISTORY,
    /** A primary commits nothing before the record that began its leadership is on a majority. */
    COMMIT_OWN_BEGIN,
    /** A replica learns what is committed only once its log ends in the epoch of the primary that says so. */
    LEARN_IN_EPOCH,

    // Full syncs

    /** A full sync makes only the life complete that it was meant for. */
    SYNC_ONE_LIFE,
    /** Acknowledgements of an earlier life do not count, and those of a later life start anew. */
    ACK_ONE_LIFE,
    /** A full sync never takes a replica back within an epoch. */
    SYNC_NEVER_BACK,
    /** After a full sync a node knows of nothing that is committed until it is told: its history may be another one. */
    SYNC_FORGETS_COMMITTED,

    // Members

    /** A member is a node in one incarnation; another incarnation is not that member. */
    COUNT_INCARNATIONS,
    /** While a list is not known to be committed, a majority of the list before it is needed too. */
    JOINT_MAJORITIES,
    /** A primary changes the list only after the record that began its leadership is committed. */
    CHANGE_AFTER_BEGIN,
    /** A primary changes the list only when the list before is committed. */
    ONE_CHANGE_AT_A_TIME,

    // Beginning a shard

    /** A bootstrap needs the promise of every node of the shard. */
    BOOTSTRAP_FENCES_ALL,
    /** A bootstrap ends if an answer to its fence says that the shard has begun. */
    BOOTSTRAP_ASKS_THE_FENCED,
    /** A node keeps with its promise that it has been part of the shard's history. */
    KEEP_BEGUN,
    /** A node begins only a list that names it in its present incarnation. */
    BEGIN_NAMES_INCARNATION,
    /** A shard that is begun anew has one member; the others are taken in once they have the new history. */
    BEGIN_ANEW_LISTS_ONE,
    /** The record that begins a shard carries the member list, so that nobody has the one without the other. */
    BEGIN_NAMES_MEMBERS,
    /** A node that has begun a shard in an epoch has used its promise up: it neither begins nor leads in it again. */
    BEGIN_USES_PROMISE
}
