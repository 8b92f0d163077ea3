package io.kvorum.core;

import java.util.Objects;

/**
 * When a value is set, and how long it lives.
 *
 * <p>Immutable.
 *
 * @param condition what must hold for the value to be set
 * @param keepDeadline whether a key that exists keeps its deadline; then {@code deadline} must be
 *     {@link KeyValueStore#NO_DEADLINE}
 * @param deadline the last moment at which the key exists, in milliseconds since 1970, or
 *     {@link KeyValueStore#NO_DEADLINE}
 */
public record SetOptions(Condition condition, boolean keepDeadline, long deadline) {
    private static final SetOptions DEFAULTS = new SetOptions(Condition.ALWAYS, false, KeyValueStore.NO_DEADLINE);

    /** What must hold for a value to be set. */
    public enum Condition {
        /** Nothing. */
        ALWAYS,
        /** The key does not exist. */
        IF_ABSENT,
        /** The key exists. */
        IF_PRESENT
    }

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if the deadline is negative, or given although it is to be kept
     */
    public SetOptions {
        Objects.requireNonNull(condition, "condition");
        if (deadline < KeyValueStore.NO_DEADLINE) {
            throw new IllegalArgumentException("deadline must be at least 0: " + deadline);
        }
        if (keepDeadline && deadline != KeyValueStore.NO_DEADLINE) {
            throw new IllegalArgumentException("a deadline is either kept or given, not both: " + deadline);
        }
    }

    /** {@return to set always, for ever} */
    public static SetOptions defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these options with another condition}
     *
     * @param newCondition what must hold for the value to be set
     */
    public SetOptions withCondition(Condition newCondition) {
        return new SetOptions(newCondition, keepDeadline, deadline);
    }

    /**
     * {@return these options with a deadline}
     *
     * @param epochMillis the last moment at which the key exists, in milliseconds since 1970; a time that is not in the
     *     future deletes the key
     * @throws IllegalArgumentException if {@code epochMillis} is negative
     */
    public SetOptions withDeadline(long epochMillis) {
        if (epochMillis < 0) {
            throw new IllegalArgumentException("deadline must be at least 0: " + epochMillis);
        }
        return new SetOptions(condition, false, epochMillis);
    }

    /** {@return these options, but a key that exists keeps its deadline} */
    public SetOptions withDeadlineKept() {
        return new SetOptions(condition, true, KeyValueStore.NO_DEADLINE);
    }

    /** Returns whether these are the defaults, for which the key need not be looked at. */
    boolean isPlain() {
        return condition == Condition.ALWAYS && !keepDeadline && deadline == KeyValueStore.NO_DEADLINE;
    }
}
