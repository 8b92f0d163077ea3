package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the one sentinel that leads does, step by step, to bring about a primary. A shard has one at a time. */
sealed interface Procedure permits Failover, Beginning {
    /** How a procedure ended. */
    sealed interface End permits Promoted, Ended {}

    /** It has brought about a primary. */
    record Promoted(ShardPrimary primary) implements End, Failover.Step, Beginning.Step {}

    /**
     * It was given up.
     *
     * @param epoch the epoch that it had taken; that of the former primary if it had taken none
     * @param reason why
     * @param nodes the nodes that are the cause; may be empty
     */
    record Ended(long epoch, AbortReason reason, List<NodeId> nodes) implements End, Failover.Step, Beginning.Step {}

    /** Does what is due. */
    void tick(long now);

    /** A node answered some command. */
    void answered(NodeAnswer answer, long now);

    /** A node or a sentinel told of a later primary, which may be the one that this procedure is to bring about. */
    void heardOf(ShardPrimary later, long now);

    /** Gives up, unless it has ended. */
    void abort(AbortReason reason, long now);

    /** {@return how it ended, or null while it has not} */
    @Nullable
    End end();

    /** {@return the earlier of {@code due} and the moment when something is due here} */
    long dueBy(long due, long now);
}
