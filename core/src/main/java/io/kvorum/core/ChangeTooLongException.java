package io.kvorum.core;

/**
 * A {@link MutationSink} does not take a change because of its length: the same changes may be taken in smaller parts.
 * Nothing was changed.
 */
public final class ChangeTooLongException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final long length;
    private final long most;

    /**
     * Describes a change.
     *
     * @param length how many bytes the change has
     * @param most the most bytes that are taken
     */
    public ChangeTooLongException(long length, long most) {
        super("a change must have at most " + most + " bytes: it has " + length);
        this.length = length;
        this.most = most;
    }

    /** {@return how many bytes the change has} */
    public long length() {
        return length;
    }

    /** {@return the most bytes that are taken} */
    public long most() {
        return most;
    }
}
