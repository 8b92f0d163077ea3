package io.kvorum.core;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A value together with what the store knows about it.
 *
 * <p>The array belongs to whoever receives it. Immutable as long as nobody changes it.
 *
 * @param value the value
 * @param deadline the last moment at which the key exists, in milliseconds since 1970, or
 *     {@link KeyValueStore#NO_DEADLINE}
 * @param readAt the time of the store's clock when the value was read, in milliseconds since 1970
 * @param version a number that has grown whenever the key was changed in this store object since; it may grow without
 *     that, and means nothing to another store, such as the next primary, or to the same one after a restart. Two reads
 *     with one version have found the key unchanged.
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
public record StoredValue(byte[] value, long deadline, long readAt, long version) {
    /** Checks the value. */
    public StoredValue {
        Objects.requireNonNull(value, "value");
    }

    /** {@return for how long the key still existed when it was read, or empty if it has no deadline} */
    public Optional<Duration> remaining() {
        return deadline < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(deadline - readAt));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof StoredValue stored
                && Arrays.equals(value, stored.value)
                && deadline == stored.deadline
                && readAt == stored.readAt
                && version == stored.version;
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(value), deadline, readAt, version);
    }

    /** {@return the size, the deadline and the version, but never the bytes} */
    @Override
    public String toString() {
        return "StoredValue[" + value.length + " bytes, deadline " + deadline + ", version " + version + "]";
    }
}
