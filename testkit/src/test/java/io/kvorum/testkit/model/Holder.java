package io.kvorum.testkit.model;

/**
 * To whom a promise was given.
 *
 * @param sentinel the identity of the sentinel
 * @param attempt a number that the sentinel drew for this attempt alone
 */
record Holder(int sentinel, long attempt) {
    boolean isSameAs(Holder other, Rules rules) {
        return rules.on(Rule.ONE_ATTEMPT_PER_PROMISE)
                ? attempt == other.attempt
                : sentinel == other.sentinel || !rules.on(Rule.ONE_SENTINEL_PER_PROMISE);
    }
}
