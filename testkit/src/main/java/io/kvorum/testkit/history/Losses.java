package io.kvorum.testkit.history;

import java.time.Duration;
import java.util.List;

/**
 * The acknowledged writes that a store lost.
 *
 * <p>Immutable.
 *
 * @param acknowledged how many writes were acknowledged
 * @param lost how many of them are certain to be lost: in the end the store held an older value, or none
 * @param oldest how long before the end the oldest lost write was acknowledged; zero if none is lost
 * @param details a line for each key that lost writes
 */
public record Losses(long acknowledged, long lost, Duration oldest, List<String> details) {
    /** Copies the list. */
    public Losses {
        details = List.copyOf(details);
    }
}
