package io.kvorum.failover.runtime;

import java.io.IOException;

/**
 * A saved state that cannot be trusted. The sentinel must not start with it; if the operator removes the file, it
 * starts without a state and abstains from voting for a while.
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
