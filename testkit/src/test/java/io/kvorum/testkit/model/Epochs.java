package io.kvorum.testkit.model;

import java.util.random.RandomGenerator;

/** The arithmetic of the model's epochs: a round and the number of a candidate. */
final class Epochs {
    /** No epoch yet. */
    static final long NONE = 0;

    private static final int NUMBERS = 8;

    /** Rounds from here on are drawn and not counted: the shard has been begun anew, or failed over with losses. */
    private static final long FIRST_DRAWN_ROUND = 1L << 32;

    private Epochs() {}

    static long of(long round, int number) {
        return round * NUMBERS + number;
    }

    /** The round after another one. */
    static long nextRound(long round, Rules rules, RandomGenerator random) {
        boolean drawn = round >= FIRST_DRAWN_ROUND && rules.on(Rule.DRAW_ROUNDS);
        return round + 1 + (drawn ? random.nextInt(1 << 24) : 0);
    }

    /** A round to begin a shard in. */
    static long firstRound(long round, Rules rules, RandomGenerator random) {
        return round + 1 + (rules.on(Rule.DRAW_ROUNDS) ? random.nextInt(1 << 24) : 0);
    }

    /** A round for an attempt that gives data up. */
    static long lossyRound(long round, Rules rules, RandomGenerator random) {
        boolean drawn = rules.on(Rule.DRAW_ROUNDS);
        return round + 1 + (drawn ? FIRST_DRAWN_ROUND + random.nextInt(Integer.MAX_VALUE) : 0);
    }

    static long roundOf(long epoch) {
        return epoch / NUMBERS;
    }

    static String toString(long epoch) {
        return epoch < 0 ? "-" : epoch / NUMBERS + "." + epoch % NUMBERS;
    }
}
