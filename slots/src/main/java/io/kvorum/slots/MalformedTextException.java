package io.kvorum.slots;

/** Thrown for a text that cannot be parsed. Carries the position of the fault and the broken rule. */
public final class MalformedTextException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final int position;
    private final String rule;

    /**
     * Creates the exception.
     *
     * @param position the index of the character at fault; the length of the text if it ended too early
     * @param rule the broken rule and the value that breaks it
     */
    public MalformedTextException(int position, String rule) {
        super(rule + ", at position " + position);
        this.position = position;
        this.rule = rule;
    }

    /** {@return the index of the character at fault; the length of the text if it ended too early} */
    public int position() {
        return position;
    }

    /** {@return the broken rule and the value that breaks it} */
    public String rule() {
        return rule;
    }
}
