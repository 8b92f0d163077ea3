package io.kvorum.testkit.model;

import org.jspecify.annotations.Nullable;

/** What travels between candidates and nodes, and between nodes. Any of it may be late, lost, repeated or overtaken. */
sealed interface Message {
    // From candidates to nodes

    record Describe(int candidate, int node, long attempt) implements Message {}

    record Fence(int candidate, int node, long epoch, Holder holder) implements Message {}

    record Promote(int node, long epoch, Holder holder, int incarnation, Entry expected, boolean lossy)
            implements Message {}

    record Begin(int node, long epoch, Holder holder, Members members, boolean dataLost) implements Message {}

    // From nodes to candidates

    record Described(int candidate, long attempt, State state) implements Message {}

    record Fenced(int candidate, long epoch, Holder holder, boolean refused, State state) implements Message {}

    // From primaries to replicas

    /** Records after {@code previous} up to {@code last}; none if they are the same. */
    record Append(int from, int to, long epoch, Entry previous, Entry last, int committed) implements Message {}

    /** One of two parts of a full sync, or the only one. */
    record SyncPart(
            int from,
            int to,
            long epoch,
            int incarnation,
            int life,
            int sync,
            boolean first,
            @Nullable Entry end) implements Message {}

    // From replicas to primaries

    record Ack(int from, int to, long epoch, int incarnation, int life, Entry position, boolean complete, int sync)
            implements Message {}

    /** What a node says of itself to a candidate. */
    record State(
            int node,
            int incarnation,
            long promised,
            long leading,
            boolean begun,
            boolean complete,
            Entry log,
            int committed,
            boolean electable) {}
}
