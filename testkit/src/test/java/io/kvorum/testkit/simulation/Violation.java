package io.kvorum.testkit.simulation;

/** An invariant that a run broke. */
final class Violation extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final String invariant;

    Violation(String invariant, String message) {
        super(invariant + ": " + message);
        this.invariant = invariant;
    }

    /** {@return the name of the invariant, the same for each run that breaks it} */
    String invariant() {
        return invariant;
    }
}
