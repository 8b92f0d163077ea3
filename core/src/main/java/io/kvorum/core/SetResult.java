package io.kvorum.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What became of a conditional set, and what was there before.
 *
 * @param applied whether the condition held and the value was set
 * @param previous the value that the key had, or {@code null} if it did not exist
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
public record SetResult(boolean applied, byte @Nullable [] previous) {
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SetResult result
                && applied == result.applied
                && Arrays.equals(previous, result.previous);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(previous) * 31 + Boolean.hashCode(applied);
    }

    /** {@return whether it was applied and whether there was a value, but never the bytes} */
    @Override
    public String toString() {
        return "SetResult[applied " + applied + ", previous " + (previous == null ? "none" : previous.length + " bytes")
                + "]";
    }
}
