package io.kvorum.core.snapshot;

import java.util.Objects;

/** A snapshot that is not read. Says why, and where; nothing was changed. */
public final class SnapshotFormatException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** Why a snapshot is not read. */
    public enum Kind {
        /** It does not begin as a snapshot does. */
        NOT_A_SNAPSHOT,
        /** It was written in a later version of the format, or with a flag that this version does not know. */
        NEWER,
        /** It ends before its end mark. */
        TRUNCATED,
        /** A checksum or a total differs from what was read. */
        DAMAGED,
        /** Its checksums are right, and yet it holds what no store writes. */
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
