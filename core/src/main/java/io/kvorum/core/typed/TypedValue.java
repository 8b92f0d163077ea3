package io.kvorum.core.typed;

import io.kvorum.core.StoredValue;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * A decoded value together with what the store knows about it: {@link StoredValue} for a {@link TypedStore}.
 *
 * @param value the value
 * @param deadline as in {@link StoredValue}
 * @param readAt as in {@link StoredValue}
 * @param version as in {@link StoredValue}
 * @param <V> the type of the value
 */
public record TypedValue<V>(V value, long deadline, long readAt, long version) {
    /** Checks the value. */
    public TypedValue {
        Objects.requireNonNull(value, "value");
    }

    /** {@return for how long the key still existed when it was read, or empty if it has no deadline} */
    public Optional<Duration> remaining() {
        return deadline < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(deadline - readAt));
    }

    /** {@return the deadline and the version, but never the value} */
    @Override
    public String toString() {
        return "TypedValue[deadline " + deadline + ", version " + version + "]";
    }
}
