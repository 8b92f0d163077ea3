package io.kvorum.core.snapshot;

import java.util.Objects;

/** Thrown when a snapshot is refused; tells the reason and the position. Nothing was changed. */
public final class SnapshotFormatException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** The reason why a snapshot is refused. */
    public enum Kind {
        /** It does not begin with the header of a snapshot. */
        NOT_A_SNAPSHOT,
        /** It was written in a later version of the format, or with a flag that this version does not know. */
        NEWER,
        /** It ends before its end mark. */
        TRUNCATED,
        /** A checksum or a total differs from what was read. */
        DAMAGED,
        /** Its checksums are right, but no store writes such contents. */
        MALFORMED,
        /** Something follows its end mark. */
        TRAILING_BYTES,
        /** It exceeds a limit of {@link SnapshotLimits}, or of the settings of the store that should load it. */
        LIMIT_EXCEEDED
    }

    private final Kind kind;
    private final long position;

    /**
     * Describes a fault.
     *
     * @param kind the reason
     * @param position how many bytes come before the part of the snapshot that is at fault
     * @param rule the rule that it breaks, then the value that breaks it
     */
    public SnapshotFormatException(Kind kind, long position, String rule) {
        super(rule + ", at byte " + position);
        this.kind = Objects.requireNonNull(kind, "kind");
        this.position = position;
    }

    /** {@return the reason} */
    public Kind kind() {
        return kind;
    }

    /** {@return how many bytes come before the part of the snapshot that is at fault} */
    public long position() {
        return position;
    }
}
