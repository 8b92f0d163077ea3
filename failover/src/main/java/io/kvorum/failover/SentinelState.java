package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a sentinel knew when it last changed: a cache. A sentinel that lost it, or reads an old one, learns the same
 * from the nodes and the other sentinels within a few periods; no safety rests on it.
 *
 * <p>Immutable.
 *
 * @param sentinel the sentinel that the state belongs to
 * @param shards what it knew of each shard
 */
public record SentinelState(NodeId sentinel, List<KnownShard> shards) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if a shard occurs twice
     */
    public SentinelState {
        requireNonNull(sentinel, "sentinel");
        shards = List.copyOf(shards);
        Set<ShardId> seen = new LinkedHashSet<>();
        for (KnownShard shard : shards) {
            if (!seen.add(shard.primary().shard())) {
                throw new IllegalArgumentException(
                        "shard must occur once: " + shard.primary().shard());
            }
        }
    }

    /**
     * What a sentinel knew of one shard.
     *
     * @param primary the latest primary
     * @param nodes the nodes that it watched, in ascending order
     */
    public record KnownShard(ShardPrimary primary, List<NodeId> nodes) {
        /** Checks the parts and sorts the nodes. */
        public KnownShard {
            requireNonNull(primary, "primary");
            nodes = nodes.stream().sorted().distinct().toList();
        }
    }
}
