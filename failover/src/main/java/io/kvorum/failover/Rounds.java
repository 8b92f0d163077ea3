package io.kvorum.failover;

import io.kvorum.slots.topology.Epoch;
import java.util.random.RandomGenerator;

/**
 * Chooses the rounds of epochs.
 *
 * <p>An attempt that has asked a majority takes the next round: whoever led before it had the promises of a majority,
 * too. A bootstrap, a begin anew and a failover with losses have no majority to ask, so that chance has to keep their
 * epochs from being taken twice: they draw their rounds. After a loss members of the old history may still be at work
 * behind a partition, so all rounds of the shard are drawn from then on; a round from {@value #FIRST_DRAWN} on tells.
 */
final class Rounds {
    /** Rounds from here on are not counted but drawn. */
    static final long FIRST_DRAWN = 1L << 32;

    private static final int STEP = 1 << 24;

    private Rounds() {}

    /** {@return the epoch of an attempt that has asked a majority, above one that was promised} */
    static long next(long promised, int number, RandomGenerator random) {
        long round = Epoch.roundOf(promised);
        return Epoch.of(round + 1 + (round < FIRST_DRAWN ? 0 : random.nextInt(STEP)), number);
    }

    /** {@return the epoch of a bootstrap, above one that was promised} */
    static long first(long promised, int number, RandomGenerator random) {
        return Epoch.of(Epoch.roundOf(promised) + 1 + random.nextInt(STEP), number);
    }

    /** {@return the epoch of an attempt that gives data up, above one that was promised} */
    static long lossy(long promised, int number, RandomGenerator random) {
        return Epoch.of(Epoch.roundOf(promised) + FIRST_DRAWN + random.nextInt(Integer.MAX_VALUE), number);
    }
}
