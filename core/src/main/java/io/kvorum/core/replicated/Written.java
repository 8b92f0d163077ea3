package io.kvorum.core.replicated;

import io.kvorum.slots.topology.LogPosition;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a write returned, and where it is in the shard's log.
 *
 * <p>Immutable if the result is.
 *
 * @param <T> the type of the result
 * @param result what the operation returned
 * @param position a position after the write: a node that has reached it in the shard's history has the write; later
 *     writes have greater ones
 */
public record Written<T extends @Nullable Object>(T result, LogPosition position) {
    /** Checks the position. */
    public Written {
        Objects.requireNonNull(position, "position");
    }
}
