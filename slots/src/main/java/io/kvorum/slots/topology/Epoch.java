package io.kvorum.slots.topology;

import io.kvorum.slots.MalformedTextException;

/**
 * The arithmetic of epochs, the numbers of a shard's leaderships.
 *
 * <p>An epoch is a pair of a round and the number of the candidate that began it, packed in a {@code long} so that
 * epochs compare as plain numbers: by round first, then by candidate. Two candidates with different numbers can
 * therefore never take the same epoch, and a candidate that takes a round above every promise of a majority never takes
 * an epoch twice.
 *
 * <p>Candidate numbers are declared with the list of sentinels, 1 to {@link #MAX_CANDIDATE}; 0 marks an epoch that was
 * begun by hand, without a sentinel. Epoch 0 means that there has been no epoch yet.
 */
public final class Epoch {
    /** The highest number that a candidate can have. */
    public static final int MAX_CANDIDATE = 1023;

    /** The highest round: 2^52. */
    public static final long MAX_ROUND = 1L << 52;

    private static final int CANDIDATE_BITS = 10;

    private Epoch() {}

    /**
     * Packs a round and a candidate.
     *
     * @param round the round, 0 to {@link #MAX_ROUND}
     * @param candidate the number of the candidate, 0 to {@link #MAX_CANDIDATE}
     * @return the epoch
     * @throws IllegalArgumentException if either is out of range
     */
    public static long of(long round, int candidate) {
        if (round < 0 || round > MAX_ROUND) {
            throw new IllegalArgumentException("round must be between 0 and " + MAX_ROUND + ": " + round);
        }
        if (candidate < 0 || candidate > MAX_CANDIDATE) {
            throw new IllegalArgumentException("candidate must be between 0 and " + MAX_CANDIDATE + ": " + candidate);
        }
        return round << CANDIDATE_BITS | candidate;
    }

    /**
     * Returns the round of an epoch.
     *
     * @param epoch the epoch
     * @return its round
     * @throws IllegalArgumentException if {@code epoch} is negative or its round is above {@link #MAX_ROUND}
     */
    public static long roundOf(long epoch) {
        return check(epoch) >>> CANDIDATE_BITS;
    }

    /**
     * Returns the candidate of an epoch.
     *
     * @param epoch the epoch
     * @return the number of the candidate that began it; 0 if it was begun by hand
     * @throws IllegalArgumentException if {@code epoch} is negative or its round is above {@link #MAX_ROUND}
     */
    public static int candidateOf(long epoch) {
        return (int) check(epoch) & MAX_CANDIDATE;
    }

    /**
     * Returns the epoch that a candidate takes next.
     *
     * @param aboveAll the highest epoch that must lie below
     * @param candidate the number of the candidate
     * @return the epoch of the candidate in the round after that of {@code aboveAll}
     * @throws IllegalArgumentException if either is out of range, or {@code aboveAll} is of the last round
     */
    public static long next(long aboveAll, int candidate) {
        return of(roundOf(aboveAll) + 1, candidate);
    }

    /**
     * Checks that a number can be an epoch.
     *
     * @param epoch the number
     * @return the number
     * @throws IllegalArgumentException if it is negative or its round is above {@link #MAX_ROUND}
     */
    public static long check(long epoch) {
        if (epoch < 0) {
            throw new IllegalArgumentException("epoch must be at least 0: " + epoch);
        }
        if (epoch >>> CANDIDATE_BITS > MAX_ROUND) {
            throw new IllegalArgumentException("round must be at most " + MAX_ROUND + ": " + toString(epoch));
        }
        return epoch;
    }

    /**
     * Formats an epoch for people.
     *
     * @param epoch the epoch
     * @return its round and its candidate, as in {@code 7.2}
     */
    public static String toString(long epoch) {
        return (epoch >>> CANDIDATE_BITS) + "." + (epoch & MAX_CANDIDATE);
    }

    /**
     * Parses the form that {@link #toString(long)} writes.
     *
     * @param text the text
     * @return the epoch
     * @throws MalformedTextException if the text has another form, or a number in it is out of range
     */
    public static long parse(String text) {
        int dot = text.indexOf('.');
        if (dot < 0) {
            throw new MalformedTextException(text.length(), "epoch must have the form round.candidate: " + text);
        }
        long round = number(text, 0, dot, "round", MAX_ROUND);
        long candidate = number(text, dot + 1, text.length(), "candidate", MAX_CANDIDATE);
        return of(round, (int) candidate);
    }

    /** Reads a decimal number that is part of a text. */
    static long number(String text, int from, int to, String what, long max) {
        long value = 0;
        for (int i = from; i < to; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                throw new MalformedTextException(i, what + " must have only decimal digits");
            }
            if (value > (max - digit) / 10) {
                throw new MalformedTextException(from, what + " must be at most " + max);
            }
            value = value * 10 + digit;
        }
        if (from == to) {
            throw new MalformedTextException(from, what + " must have at least one digit");
        }
        return value;
    }
}
