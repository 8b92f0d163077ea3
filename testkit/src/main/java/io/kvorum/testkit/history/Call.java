package io.kvorum.testkit.history;

/**
 * One operation of a history, and the time between its invocation and its return. It took effect at some moment in
 * between, both ends included; a call precedes another iff it returned strictly before the other was invoked.
 *
 * <p>A call whose result the client never learnt is <em>open</em>: it may have taken effect at any time since its
 * invocation, or never. A call that was refused for certain doesn't belong into a history.
 *
 * <p>Immutable.
 *
 * @param operation what was done, and what the client saw of it
 * @param invoked when it was invoked
 * @param returned when it returned; {@link #NEVER} for an open call
 * @param <O> the kind of operation
 */
public record Call<O>(O operation, long invoked, long returned) {
    /** The return time of an open call. */
    public static final long NEVER = Long.MAX_VALUE;

    /**
     * Checks the times.
     *
     * @throws IllegalArgumentException if the call returned before it was invoked
     */
    public Call {
        if (returned < invoked) {
            throw new IllegalArgumentException("returned must be at least invoked, " + invoked + ": " + returned);
        }
    }

    /** {@return whether the client never learnt what became of the call} */
    public boolean isOpen() {
        return returned == NEVER;
    }
}
