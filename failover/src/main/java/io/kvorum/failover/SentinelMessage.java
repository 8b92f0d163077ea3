package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message between sentinels. The receiver learns the sender from the transport. Messages may be lost, repeated,
 * delayed or overtaken without harm.
 *
 * <p>Immutable.
 */
public sealed interface SentinelMessage {
    /**
     * Opinions of the sender: about one shard at once when its opinion changes; once per period about each shard where
     * something happens, and about some of the others. It says that the sender is up, even if it has no opinions.
     *
     * @param shards one opinion per shard
     */
    record Opinions(List<Opinion> shards) implements SentinelMessage {
        /** Copies the list. */
        public Opinions {
            shards = List.copyOf(shards);
        }
    }

    /**
     * The opinion of a sentinel about one shard.
     *
     * @param primary the latest primary that it knows
     * @param subjectivelyDown whether it holds that primary subjectively down
     * @param leadingAttempt the attempt by which it is failing the shard over now; 0 if it is not
     */
    record Opinion(ShardPrimary primary, boolean subjectivelyDown, long leadingAttempt) {
        /** Checks the parts. */
        public Opinion {
            requireNonNull(primary, "primary");
        }
    }

    /**
     * A message of an election. An election is about one attempt of one candidate, which draws a random number for it.
     * Votes only keep two candidates from working against each other; no safety rests on them.
     */
    sealed interface ElectionMessage extends SentinelMessage {
        /** {@return the latest primary of the shard that the sender knows} */
        ShardPrimary primary();

        /** {@return the number of the attempt; not 0} */
        long attempt();
    }

    /**
     * Asks whether the receiver would vote for the sender. Promises nothing and changes nothing.
     *
     * @param primary the latest primary that the sender knows
     * @param attempt the number of the attempt; not 0
     */
    record PreVoteRequest(ShardPrimary primary, long attempt) implements ElectionMessage {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code attempt} is 0
         */
        public PreVoteRequest {
            requireNonNull(primary, "primary");
            requireAttempt(attempt);
        }
    }

    /**
     * Answers a {@link PreVoteRequest}.
     *
     * @param primary the latest primary that the sender knows
     * @param attempt the attempt that was asked about
     * @param refusal why the sender would not vote for it, or null if it would
     */
    record PreVoteAnswer(
            ShardPrimary primary, long attempt, @Nullable Refusal refusal) implements ElectionMessage {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code attempt} is 0
         */
        public PreVoteAnswer {
            requireNonNull(primary, "primary");
            requireAttempt(attempt);
        }
    }

    /**
     * Asks for the receiver's vote.
     *
     * @param primary the latest primary that the sender knows
     * @param attempt the number of the attempt; not 0
     */
    record VoteRequest(ShardPrimary primary, long attempt) implements ElectionMessage {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code attempt} is 0
         */
        public VoteRequest {
            requireNonNull(primary, "primary");
            requireAttempt(attempt);
        }
    }

    /**
     * Answers a {@link VoteRequest}.
     *
     * @param primary the latest primary that the sender knows
     * @param attempt the attempt that was asked about
     * @param refusal why the sender does not vote for it, or null for its vote
     */
    record VoteAnswer(
            ShardPrimary primary, long attempt, @Nullable Refusal refusal) implements ElectionMessage {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code attempt} is 0
         */
        public VoteAnswer {
            requireNonNull(primary, "primary");
            requireAttempt(attempt);
        }
    }

    /** The reason for refusing a vote. */
    enum Refusal {
        /** The voter has given its vote to another attempt, and holds it for a while. */
        ALREADY_VOTED,
        /** The voter knows a later primary. */
        STALE_PRIMARY,
        /** The voter is failing the shard over itself. */
        FAILOVER_IN_PROGRESS
    }

    private static void requireAttempt(long attempt) {
        if (attempt == 0) {
            throw new IllegalArgumentException("attempt must not be 0");
        }
    }
}
