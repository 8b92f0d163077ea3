package io.kvorum.core;

import java.util.Objects;

/**
 * How a {@link LocalStore} is, at about one moment.
 *
 * <p>Immutable.
 *
 * @param state what most needs to be looked at
 * @param entries the keys held, those among them that have expired and were not deleted yet
 * @param bytes what they weigh, as {@link MemoryLimit} counts it
 * @param limit what the store may hold
 * @param expiryBehind whether {@link LocalStore#expire} left off before it had been through the whole store, when it
 *     was last called: because of its budget, or because the sink refused
 */
public record StoreHealth(State state, long entries, long bytes, MemoryLimit limit, boolean expiryBehind) {
    /** What needs to be looked at, the worst last. */
    public enum State {
        /** Nothing. */
        OK,
        /** {@link #expiryBehind}: keys may expire faster than they are deleted, and take memory meanwhile. */
        EXPIRY_BEHIND,
        /**
         * The store evicts, and yet holds more than its limit: it is a replica, or the sink refuses the deletions, or
         * writers are about to make room.
         */
        ABOVE_LIMIT,
        /**
         * The store does not evict, and not even an empty entry fits into its limit any more, or a stripe has met its
         * fixed bound: see {@link StoreSettings}.
         */
        FULL,
        /**
         * An error of the JVM has left a change half made, and the stripe of its slot is out of use: see
         * {@link LocalStore}.
         */
        DAMAGED
    }

    /** Checks that nothing is missing. */
    public StoreHealth {
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(limit, "limit");
    }
}
