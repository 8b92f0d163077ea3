package io.kvorum.core.engine;

/**
 * The fixed values of an engine, which has no settings of its own that a user could choose.
 *
 * @param stripes into how many separately locked parts the slots are divided; a power of two
 * @param byEntry whether the limit counts entries instead of bytes
 * @param most the most entries or bytes; {@link Long#MAX_VALUE} for no limit
 * @param evicts whether entries make room for others, instead of a refusal
 * @param maxKeyLength the most bytes of a key
 * @param maxValueLength the most bytes of a value
 */
public record EngineSettings(
        int stripes, boolean byEntry, long most, boolean evicts, int maxKeyLength, int maxValueLength) {
    /** {@return whether there is a limit} */
    public boolean isLimited() {
        return evicts || byEntry || most < Long.MAX_VALUE;
    }
}
