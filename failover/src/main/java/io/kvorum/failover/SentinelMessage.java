package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What sentinels say to each other. The receiver learns the sender from the transport. Every message may be lost,
 * repeated, delayed or overtaken without harm.
 *
 * <p>Immutable.
 */
public sealed interface SentinelMessage {
    /**
     * What the sender holds about shards: sent for all of them in every period, and for one at once when it changes. It
     * spreads configurations, says that the sender lives, and tells a leader that a configuration has been stored: a
     * sentinel saves what it says before it says it.
     *
     * @param shards an opinion for each shard
     */
    record Opinions(List<Opinion> shards) implements SentinelMessage {
        /** Copies the list. */
        public Opinions {
            shards = List.copyOf(shards);
        }
    }

    /**
     * What a sentinel holds about one shard.
     *
     * @param configuration the latest configuration it knows
     * @param subjectivelyDown whether it holds the primary of that configuration subjectively down
     * @param leading the epoch in which it is failing the shard over as elected leader, or 0
     */
    record Opinion(Configuration configuration, boolean subjectivelyDown, long leading) {
        /** Checks the parts. */
        public Opinion {
            requireNonNull(configuration, "configuration");
        }
    }

    /** A message of an election, about one shard. */
    sealed interface ElectionMessage extends SentinelMessage {
        /** {@return the latest configuration of the shard that the sender knows} */
        Configuration configuration();

        /** {@return the epoch that the election is about} */
        long epoch();
    }

    /**
     * Asks whether the receiver would vote for the sender. Promises nothing and changes nothing, so that a candidate
     * who cannot win uses up no epoch.
     *
     * @param configuration the latest configuration that the sender knows
     * @param epoch the epoch it would ask the vote for
     * @param manual whether an operator asked for this failover, so that the primary need not be down
     */
    record PreVoteRequest(Configuration configuration, long epoch, boolean manual) implements ElectionMessage {
        /** Checks the parts. */
        public PreVoteRequest {
            requireNonNull(configuration, "configuration");
        }
    }

    /**
     * Answers a {@link PreVoteRequest}.
     *
     * @param configuration the latest configuration that the sender knows
     * @param epoch the epoch that was asked for
     * @param refusal why not, or null for yes
     * @param highest the highest epoch of the shard that the sender has heard of
     */
    record PreVoteAnswer(
            Configuration configuration,
            long epoch,
            @Nullable Refusal refusal,
            long highest) implements ElectionMessage {
        /** Checks the parts. */
        public PreVoteAnswer {
            requireNonNull(configuration, "configuration");
        }
    }

    /**
     * Asks for the receiver's only vote in a shard and epoch.
     *
     * @param configuration the latest configuration that the sender knows
     * @param epoch the epoch to vote in
     */
    record VoteRequest(Configuration configuration, long epoch) implements ElectionMessage {
        /** Checks the parts. */
        public VoteRequest {
            requireNonNull(configuration, "configuration");
        }
    }

    /**
     * Answers a {@link VoteRequest}. A vote is saved before it is sent.
     *
     * @param configuration the latest configuration that the sender knows
     * @param epoch the epoch that was asked for
     * @param refusal why not, or null for yes
     * @param highest the highest epoch of the shard that the sender has heard of
     */
    record VoteAnswer(
            Configuration configuration,
            long epoch,
            @Nullable Refusal refusal,
            long highest) implements ElectionMessage {
        /** Checks the parts. */
        public VoteAnswer {
            requireNonNull(configuration, "configuration");
        }
    }

    /** Why a vote is refused. */
    enum Refusal {
        /** The epoch is not above all that the voter knows of; a higher one may succeed. */
        STALE_EPOCH,
        /** The voter gave its vote in this epoch to another. */
        ALREADY_VOTED,
        /** The voter knows a later configuration. */
        STALE_CONFIGURATION,
        /** The voter does not hold the primary down. */
        PRIMARY_UP,
        /** The voter waits for another sentinel that is failing the shard over, or is about to. */
        FAILOVER_IN_PROGRESS,
        /** The voter started without its state and abstains until older votes of its own can do no harm. */
        ABSTAINING
    }
}
