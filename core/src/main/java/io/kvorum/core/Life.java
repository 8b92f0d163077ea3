package io.kvorum.core;

import java.time.Duration;
import java.util.Objects;

/**
 * How long a key lives once an operation is done with it.
 *
 * <p>Immutable.
 *
 * @param kind what {@code millis} means
 * @param millis milliseconds, at least 0; 0 where it means nothing
 */
public record Life(Kind kind, long millis) {
    private static final Life FOREVER = new Life(Kind.FOREVER, 0);
    private static final Life KEPT = new Life(Kind.KEPT, 0);

    /** What a life is given by. */
    public enum Kind {
        /** The key has no deadline. */
        FOREVER,
        /** The key keeps the deadline that it has, if it exists and has one. */
        KEPT,
        /** The key exists up to and including a moment, in milliseconds since 1970. */
        UNTIL,
        /** As {@link #UNTIL}, so many milliseconds after the operation by the store's clock. */
        LASTING
    }

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code millis} is negative, or given although it means nothing
     */
    public Life {
        Objects.requireNonNull(kind, "kind");
        if (millis < 0) {
            throw new IllegalArgumentException(
                    (kind == Kind.UNTIL ? "deadline" : "duration") + " must be at least 0: " + millis);
        }
        if (millis > 0 && (kind == Kind.FOREVER || kind == Kind.KEPT)) {
            throw new IllegalArgumentException("a life that is " + kind + " has no milliseconds: " + millis);
        }
    }

    /** {@return a life without a deadline} */
    public static Life forever() {
        return FOREVER;
    }

    /** {@return whatever life the key has; for ever if it does not exist yet} */
    public static Life kept() {
        return KEPT;
    }

    /**
     * {@return a life that ends at a deadline} One that is not in the future ends at once: the key is deleted.
     *
     * @param epochMillis the last moment at which the key exists, in milliseconds since 1970; at least 0
     * @throws IllegalArgumentException if {@code epochMillis} is negative
     */
    public static Life until(long epochMillis) {
        return new Life(Kind.UNTIL, epochMillis);
    }

    /**
     * {@return a life of some duration} Parts of a millisecond do not count; a duration that reaches beyond the year
     * 292,278,994 is cut there.
     *
     * @param duration the duration from the operation on, by the store's clock; positive
     * @throws IllegalArgumentException if {@code duration} is below a millisecond
     */
    public static Life lasting(Duration duration) {
        if (duration.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("duration must be at least a millisecond: " + duration);
        }
        boolean representable = duration.compareTo(Duration.ofMillis(Long.MAX_VALUE)) < 0;
        return new Life(Kind.LASTING, representable ? duration.toMillis() : Long.MAX_VALUE);
    }

    /** Returns the deadline, given the time and the deadline that the key has; or {@link KeyValueStore#NO_DEADLINE}. */
    long deadline(long now, long present) {
        return switch (kind) {
            case FOREVER -> KeyValueStore.NO_DEADLINE;
            case KEPT -> present >= 0 ? present : KeyValueStore.NO_DEADLINE;
            case UNTIL -> millis;
            case LASTING -> millis > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + millis;
        };
    }
}
