package io.kvorum.testkit.simulation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Has what a user gives to the product throw once.
 *
 * <p>Confined to one thread.
 */
final class Failing {
    /** Where something of the user is called. */
    enum Site {
        LISTENER,
        TRANSPORT,
        GATEWAY,
        EXECUTOR,
        RESTORATION,
        APPLY,
        SAVE_BEFORE,
        SAVE_AFTER
    }

    /** What is thrown where an exception is. */
    static final class InjectedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        InjectedException(Site site) {
            super("thrown on purpose: " + site);
        }
    }

    /** What is thrown where an error is. */
    static final class InjectedError extends Error {
        private static final long serialVersionUID = 1L;

        InjectedError(Site site) {
            super("thrown on purpose: " + site);
        }
    }

    /** All sites. */
    static final List<Site> SITES = List.of(Site.values());

    private @Nullable Site armed;
    private boolean asError;
    private int thrown;

    /** Has the next call at a site throw. */
    void arm(Site site, boolean error) {
        armed = site;
        asError = error;
    }

    void disarm() {
        armed = null;
    }

    /** Is called at a site; throws if it is armed. */
    void reach(Site site) {
        if (armed == site) {
            armed = null;
            thrown++;
            if (asError) {
                throw new InjectedError(site);
            }
            throw new InjectedException(site);
        }
    }

    /** {@return how often something was thrown} */
    int thrown() {
        return thrown;
    }

    static boolean isInjected(@Nullable Throwable failure) {
        return failure instanceof InjectedException || failure instanceof InjectedError;
    }
}
