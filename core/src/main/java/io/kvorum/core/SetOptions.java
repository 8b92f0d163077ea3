package io.kvorum.core;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * When a value is set, and how long it lives. Two of them are equal if they say the same, the expected bytes included.
 *
 * <p>Immutable as long as nobody changes the expected bytes.
 *
 * @param condition what must hold for the value to be set
 * @param expected the value that {@link Condition#IF_EQUAL} asks for, with any other condition {@code null}
 * @param life how long the key lives
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
public record SetOptions(Condition condition, byte @Nullable [] expected, Life life) {
    private static final SetOptions DEFAULTS = new SetOptions(Condition.ALWAYS, null, Life.forever());

    /** What must hold for a value to be set. */
    public enum Condition {
        /** Nothing. */
        ALWAYS,
        /** The key does not exist. */
        IF_ABSENT,
        /** The key exists. */
        IF_PRESENT,
        /** The key exists and has the expected value. */
        IF_EQUAL
    }

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if there is an expected value without {@code IF_EQUAL}, or the other way round
     */
    public SetOptions {
        Objects.requireNonNull(condition, "condition");
        Objects.requireNonNull(life, "life");
        if ((expected != null) != (condition == Condition.IF_EQUAL)) {
            throw new IllegalArgumentException("an expected value and IF_EQUAL go together: " + condition);
        }
    }

    /** {@return to set always, for ever} */
    public static SetOptions defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these options with another condition}
     *
     * @param newCondition what must hold for the value to be set; for {@code IF_EQUAL} see {@link #withExpected}
     * @throws IllegalArgumentException if it is {@code IF_EQUAL}
     */
    public SetOptions withCondition(Condition newCondition) {
        return new SetOptions(newCondition, null, life);
    }

    /**
     * {@return these options with the condition that the key exists and has this value}
     *
     * @param value the expected value
     */
    public SetOptions withExpected(byte[] value) {
        return new SetOptions(Condition.IF_EQUAL, Objects.requireNonNull(value, "value"), life);
    }

    /**
     * {@return these options with another life}
     *
     * @param newLife how long the key lives
     */
    public SetOptions withLife(Life newLife) {
        return new SetOptions(condition, expected, newLife);
    }

    /**
     * {@return these options with a deadline: see {@link Life#until}}
     *
     * @param epochMillis the last moment at which the key exists, in milliseconds since 1970
     * @throws IllegalArgumentException if {@code epochMillis} is negative
     */
    public SetOptions withDeadline(long epochMillis) {
        return withLife(Life.until(epochMillis));
    }

    /**
     * {@return these options with a duration: see {@link Life#lasting}}
     *
     * @param duration how long the key lives
     * @throws IllegalArgumentException if {@code duration} is below a millisecond
     */
    public SetOptions withDuration(Duration duration) {
        return withLife(Life.lasting(duration));
    }

    /** {@return these options, but a key that exists keeps its deadline} */
    public SetOptions withDeadlineKept() {
        return withLife(Life.kept());
    }

    /** Returns whether what is set depends on what the key is before. */
    boolean dependsOnKey() {
        return condition != Condition.ALWAYS || life.kind() == Life.Kind.KEPT;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SetOptions options
                && condition == options.condition
                && Arrays.equals(expected, options.expected)
                && life.equals(options.life);
    }

    @Override
    public int hashCode() {
        return (condition.hashCode() * 31 + Arrays.hashCode(expected)) * 31 + life.hashCode();
    }

    /** {@return the condition and the life, but never the expected bytes} */
    @Override
    public String toString() {
        return "SetOptions[" + condition + ", " + life + "]";
    }
}
