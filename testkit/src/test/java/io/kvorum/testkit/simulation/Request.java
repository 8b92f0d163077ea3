package io.kvorum.testkit.simulation;

/**
 * What a client asks of a node.
 *
 * @param action what to do
 * @param key the number of the key
 * @param value the value to set, each only once in a run
 */
record Request(Action action, int key, long value) {
    /** The kinds of requests. */
    enum Action {
        /** A confirmed read. */
        READ,
        /** A write acknowledged by a majority. */
        SET,
        /** A deletion acknowledged by a majority. */
        DELETE,
        /** A write acknowledged by the primary alone, of a value that expires. */
        SET_LOCALLY
    }

    /**
     * What a node answers.
     *
     * @param result whether it was done
     * @param value the value that was read
     */
    record Reply(Result result, long value) {}

    /** What became of a request. */
    enum Result {
        /** It was done. */
        DONE,
        /** It was refused for certain. */
        REFUSED,
        /** The node can't tell. */
        UNKNOWN
    }

    @Override
    public String toString() {
        return action + " key " + key + (action == Action.READ || action == Action.DELETE ? "" : " " + value);
    }
}
