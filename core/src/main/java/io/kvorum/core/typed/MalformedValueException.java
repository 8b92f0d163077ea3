package io.kvorum.core.typed;

/** Thrown when a {@link Codec} cannot decode bytes. The message names the broken rule and never quotes the bytes. */
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
     * Describes a fault that was found by other code.
     *
     * @param rule the rule that the bytes break, and what breaks it: a length or a position, but none of the bytes
     * @param cause the exception of that code, whose message must not quote the bytes either
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
