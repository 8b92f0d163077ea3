package io.kvorum.testkit.history;

/**
 * What a checker says about a history.
 *
 * <p>Immutable.
 *
 * @param result the answer
 * @param reason why, for a reader; empty when the history is linearizable
 */
public record Verdict(Result result, String reason) {
    /** The possible answers. */
    public enum Result {
        /** An order exists. */
        LINEARIZABLE,
        /** No order exists: the system under test is at fault. */
        NOT_LINEARIZABLE,
        /** The checker gave up. Never to be taken for a success. */
        UNKNOWN
    }

    /** An order exists. */
    public static final Verdict LINEARIZABLE = new Verdict(Result.LINEARIZABLE, "");

    static Verdict refuted(String reason) {
        return new Verdict(Result.NOT_LINEARIZABLE, reason);
    }

    static Verdict unknown(String reason) {
        return new Verdict(Result.UNKNOWN, reason);
    }
}
