package io.kvorum.core.replicated;

/** What a read at a node promises. */
public enum ReadLevel {
    /**
     * The node answers at once from what it has. At a replica the answer may be old; at a primary too, if it has been
     * replaced and does not know it yet.
     */
    LOCAL,
    /**
     * The primary answers once a majority has confirmed, after the read, that it still is the primary and has
     * everything that the read may have seen. Together with writes acknowledged by a majority such reads are
     * linearizable.
     */
    CONFIRMED
}
