package io.kvorum.core;

import java.time.Duration;
import java.util.Objects;

/**
 * An operation of a {@link LocalStore} that took long, the waiting for locks included. It says nothing of keys and
 * values.
 *
 * <p>Immutable.
 *
 * @param operation what was done
 * @param slot the slot of its keys, or -1 if it was about several slots
 * @param took how long it took
 * @param failed whether it ended with an exception
 */
public record SlowOperation(Kind operation, int slot, Duration took, boolean failed) {
    /** What can take long. */
    public enum Kind {
        /** The value of one key was read, by {@code get}, {@code lend} and the like. */
        GET,
        /** One key was set, on no condition but those of its life. */
        SET,
        /** A function read keys of a slot: {@link KeyValueStore#read} and every other operation that only reads. */
        READ,
        /**
         * A function changed keys of a slot: {@link KeyValueStore#transact(int, java.util.function.Function)} and every
         * other write.
         */
        TRANSACT,
        /** A page of a scan was put together. */
        SCAN,
        /** A slot was dropped. */
        DROP_SLOT,
        /** Keys past their deadline were deleted. */
        EXPIRE,
        /** A record of the replication log was applied. */
        APPLY
    }

    /** Checks that nothing is missing. */
    public SlowOperation {
        Objects.requireNonNull(operation, "operation");
        Objects.requireNonNull(took, "took");
    }
}
