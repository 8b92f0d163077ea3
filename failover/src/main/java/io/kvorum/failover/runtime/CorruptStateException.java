package io.kvorum.failover.runtime;

import java.io.IOException;

/**
 * A saved state of a sentinel that is damaged. The sentinel can start without it: the state is a cache.
 *
 * <p>Safe for use by any number of threads.
 */
public final class CorruptStateException extends IOException {
    private static final long serialVersionUID = 1L;

    CorruptStateException(String message) {
        super(message);
    }

    CorruptStateException(String message, Throwable cause) {
        super(message, cause);
    }
}
