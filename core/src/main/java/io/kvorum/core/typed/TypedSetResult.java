package io.kvorum.core.typed;

import io.kvorum.core.SetResult;
import org.jspecify.annotations.Nullable;

/**
 * The result of a conditional set and the value before it: {@link SetResult} for a {@link TypedStore}.
 *
 * @param applied whether the condition held and the value was set
 * @param previous the value that the key had, or {@code null} if it did not exist
 * @param <V> the type of the value
 */
public record TypedSetResult<V>(boolean applied, @Nullable V previous) {
    /** {@return whether it was applied and whether there was a value, but never the value} */
    @Override
    public String toString() {
        return "TypedSetResult[applied " + applied + ", previous " + (previous == null ? "none" : "some") + "]";
    }
}
