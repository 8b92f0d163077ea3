package io.kvorum.slots;

/** A text that is not in the form it should have. Says where it went wrong, and why. */
public final class MalformedTextException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final int position;
    private final String rule;

    /**
     * Describes a fault.
     *
     * @param position the index of the character at which the fault was seen; the length of the text if it ended too
     *     early
     * @param rule the rule that the text breaks, and the value that breaks it
     */
    public MalformedTextException(int position, String rule) {
        super(rule + ", at position " + position);
        this.position = position;
        this.rule = rule;
    }

    /**
     * {@return the index of the character at which the fault was seen; the length of the text if it ended too early}
     */
    public int position() {
        return position;
    }

    /** {@return the rule that the text breaks, and the value that breaks it} */
    public String rule() {
        return rule;
    }
}
