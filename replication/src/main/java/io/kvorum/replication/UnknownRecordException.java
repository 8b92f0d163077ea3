package io.kvorum.replication;

/**
 * Records were refused because one of them has a kind or a version that this version of the software does not know.
 * Nothing was changed. The data is not damaged: a newer node wrote it.
 */
public final class UnknownRecordException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int kind;
    private final int version;

    /**
     * Describes the record.
     *
     * @param kind its kind, 0 to 255
     * @param version the version of its kind, 0 to 255
     */
    public UnknownRecordException(int kind, int version) {
        super("record must be of a known kind and version: kind " + kind + ", version " + version);
        this.kind = kind;
        this.version = version;
    }

    /** {@return the kind of the record, 0 to 255} */
    public int kind() {
        return kind;
    }

    /** {@return the version of the record's kind, 0 to 255} */
    public int version() {
        return version;
    }
}
