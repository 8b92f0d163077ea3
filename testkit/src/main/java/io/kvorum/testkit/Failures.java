package io.kvorum.testkit;

import org.jspecify.annotations.Nullable;

/**
 * What the listeners, conditions and actors of a test have thrown. It reaches the thread of the test when that waits
 * for the cluster next, or closes it.
 *
 * <p>Safe for use by any number of threads.
 */
final class Failures {
    private @Nullable Throwable first;

    synchronized void add(Throwable failure) {
        if (failure instanceof ClosedCluster) {
            return; // whoever was still at work when the cluster was closed
        }
        if (first == null) {
            first = failure;
        } else if (first != failure) {
            first.addSuppressed(failure);
        }
    }

    synchronized boolean isEmpty() {
        return first == null;
    }

    /** Throws what was thrown first, as it is, with all others suppressed in it; once. */
    void rethrow() {
        Throwable failure;
        synchronized (this) {
            failure = first;
            first = null;
        }
        if (failure != null) {
            Failures.<RuntimeException>sneak(failure);
        }
    }

    /** Throws anything as it is: a checked exception of an actor is no less the test's own. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> void sneak(Throwable failure) throws E {
        throw (E) failure;
    }
}
