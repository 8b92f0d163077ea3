package io.kvorum.core.typed;

/** Bytes that a {@link Codec} does not understand. Says which rule they break, never what they are. */
public final class MalformedValueException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /**
     * Describes a fault.
     *
     * @param rule the rule that the bytes break, and what breaks it: a length or a position, but none of the bytes
     */
    public MalformedValueException(String rule) {
        super(rule);
    }

    /**
     * Describes a fault that something else found.
     *
     * @param rule the rule that the bytes break, and what breaks it: a length or a position, but none of the bytes
     * @param cause what found it, if its message does not quote the bytes either
     */
    public MalformedValueException(String rule, Throwable cause) {
        super(rule, cause);
    }

    /**
     * Throws unless there are as many bytes as there must be: the first thing that a codec of a fixed length does.
     *
     * @param expected how many there must be
     * @param bytes the bytes
     * @throws MalformedValueException if there are more or fewer
     */
    public static void requireLength(int expected, byte[] bytes) {
        if (bytes.length != expected) {
            throw new MalformedValueException("length must be " + expected + ": " + bytes.length);
        }
    }
}
