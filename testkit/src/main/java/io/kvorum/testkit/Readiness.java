package io.kvorum.testkit;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import org.jspecify.annotations.Nullable;

/** Judges whether a cluster is whole: each slot served, each running node in sync, the sentinels in touch. */
final class Readiness {
    private Readiness() {}

    /** {@return what is missing until a cluster is ready, or null if nothing is} */
    static @Nullable String missing(Parties parties, FirstPrimaries firstPrimaries, ClusterTopology topology) {
        for (LocalSentinel sentinel : parties.sentinels()) {
            if (sentinel.isRunning() && !sentinel.driver().quorumCheck().votesReachable()) {
                return sentinel.id() + " reaches too few sentinels";
            }
        }
        for (Shard shard : topology.shards()) {
            LocalNode primary = parties.node(shard.primary());
            if (!primary.isRunning() || !primary.status().writable()) {
                return shard.id() + " has no primary";
            }
            if (!firstPrimaries.haveBegun(shard.id())) {
                return shard.id() + " is still being begun";
            }
            for (NodeId id : shard.nodes()) {
                LocalNode node = parties.node(id);
                if (node.isRunning() && !isInSync(node, primary)) {
                    return node + " has not caught up with " + primary.id();
                }
            }
        }
        return null;
    }

    private static boolean isInSync(LocalNode node, LocalNode primary) {
        return node.status().complete()
                && primary.id().equals(node.status().primary())
                && node.status().position().equals(primary.status().position());
    }
}
