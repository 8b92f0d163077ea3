package io.kvorum.core;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A change of a store, as a {@link KeyspaceListener} hears of it.
 *
 * <p>The array belongs to the listener. Immutable as long as nobody changes it.
 *
 * @param sequence the number of the event in its {@linkplain KeyspaceSubscription subscription}, counted from 1. Where
 *     a number is left out, the event was lost.
 * @param kind what happened
 * @param slot the slot of the key, or -1 if the event is about all of them
 * @param key the key, or {@code null} if the event is about all of them
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
public record KeyspaceEvent(long sequence, Kind kind, int slot, byte @Nullable [] key) {
    /** What happened to a key. */
    public enum Kind {
        /** It was given a value or another deadline, or lost its deadline. */
        SET,
        /**
         * It was deleted: by an operation, by a deadline that was not in the future, by dropping its slot, or, in a
         * store that is a replica, for whatever reason its primary had.
         */
        DELETED,
        /** Its deadline had passed, and it was deleted for that, some time afterwards. */
        EXPIRED,
        /** It was deleted to make room. */
        EVICTED,
        /** A full sync replaced everything: any key may have another value, come or be gone. */
        REPLACED
    }

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if there is a key with {@link Kind#REPLACED}, or none with another kind
     */
    public KeyspaceEvent {
        Objects.requireNonNull(kind, "kind");
        if ((key == null) != (kind == Kind.REPLACED)) {
            throw new IllegalArgumentException("an event has a key unless it is REPLACED: " + kind);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KeyspaceEvent event
                && sequence == event.sequence
                && kind == event.kind
                && slot == event.slot
                && Arrays.equals(key, event.key);
    }

    @Override
    public int hashCode() {
        return Objects.hash(sequence, kind, slot, Arrays.hashCode(key));
    }

    /** {@return all but the bytes of the key} */
    @Override
    public String toString() {
        return "KeyspaceEvent[" + sequence + ", " + kind + ", slot " + slot + "]";
    }
}
