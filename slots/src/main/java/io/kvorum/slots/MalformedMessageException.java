package io.kvorum.slots;

import static java.util.Objects.requireNonNull;

/**
 * A refusal by a codec to read bytes as a message. Nothing was changed and nothing was allocated for it. A transport
 * treats the message as lost, and closes the connection if it cannot tell where the next message begins.
 *
 * <p>No stack trace is recorded, since damaged input may arrive by the thousand.
 */
public final class MalformedMessageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why the bytes were refused. */
    public enum Reason {
        /** They end before the message does. */
        CUT_OFF,
        /** They announce more than the codec's limit; nothing was allocated for them. */
        TOO_LONG,
        /** They do not begin as a message does. */
        NOT_A_MESSAGE,
        /** They are of a version that this release does not know. */
        UNKNOWN_VERSION,
        /** They are of a kind of message that this release does not know. */
        UNKNOWN_TYPE,
        /** Their checksum does not match. */
        BAD_CHECKSUM,
        /** The checksum matches, but a field has a value that no sender writes. */
        BAD_FIELD
    }

    private final Reason reason;

    /**
     * Describes the refusal.
     *
     * @param reason why the bytes were refused
     * @param message the rule that was broken, then the value
     */
    public MalformedMessageException(Reason reason, String message) {
        super(message, null, false, false);
        this.reason = requireNonNull(reason, "reason");
    }

    /** {@return why the bytes were refused} */
    public Reason reason() {
        return reason;
    }
}
