package io.kvorum.testkit.history;

import org.jspecify.annotations.Nullable;

/**
 * The object under test as it would behave with one client. States are immutable and have {@code equals} and
 * {@code hashCode}.
 *
 * @param <S> the states of the object
 * @param <O> its operations, each with the result that the client saw
 */
public interface SequentialModel<S, O> {
    /** {@return the state before the first operation} */
    S initial();

    /**
     * Applies one operation.
     *
     * @param state the state before
     * @param operation the operation and what its client saw of it
     * @return the state after, or null if no object in this state could have answered so
     */
    @Nullable
    S next(S state, O operation);
}
