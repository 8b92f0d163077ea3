package io.kvorum.replication;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A promise cannot be read although one may have been given: its file is damaged or too long, or the place where it
 * should be is missing. Starting without it could break the node's word; an operator must look.
 */
public final class PromiseStoreException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Describes the failure.
     *
     * @param message what is wrong, and where
     * @param cause what was caught, if anything
     */
    public PromiseStoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
