package io.kvorum.replication;

/** A record is longer than the log takes: the same changes may be taken in several records. Nothing was appended. */
public final class RecordTooLongException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final int length;
    private final int most;

    /**
     * Describes a record.
     *
     * @param length how many bytes its payload has
     * @param most the most bytes that the log takes
     */
    public RecordTooLongException(int length, int most) {
        super("a record may have " + most + " bytes: it has " + length);
        this.length = length;
        this.most = most;
    }

    /** {@return how many bytes the payload has} */
    public int length() {
        return length;
    }

    /** {@return the most bytes that the log takes} */
    public int most() {
        return most;
    }
}
