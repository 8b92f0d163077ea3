package io.kvorum.testkit.simulation;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testkit.simulation.Failing.InjectedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Changes the topology as an operator does: at one place, and tells all sentinels, each a little later.
 *
 * <p>Confined to one thread.
 */
final class Operator {
    private static final long LATEST_NEWS = 2 * Plan.SECOND;

    private final Cluster cluster;
    private final EventQueue queue;
    private final Randomness random;
    private ClusterTopology known;
    private final @Nullable Shard[] removed;
    private boolean changed;

    Operator(Cluster cluster, EventQueue queue) {
        this.cluster = cluster;
        this.queue = queue;
        this.random = Randomness.stream(cluster.plan().seed(), Stream.OPERATOR);
        this.known = cluster.topology();
        this.removed = new Shard[cluster.plan().shape().shards()];
    }

    /** Removes a shard; returns whether it was there. */
    boolean remove(int index) {
        learn();
        ShardId id = Cluster.shardId(index);
        if (known.shard(id) == null) {
            return false;
        }
        // the first primary again, unless it has been replaced since
        removed[index] = cluster.plan().hasSpares()
                ? known.shard(id)
                : cluster.topology().shard(id);
        List<TopologyChange> changes = new ArrayList<>();
        changes.add(new TopologyChange.UnassignSlots(cluster.keys().slots(index), id));
        changes.add(new TopologyChange.RemoveShard(id));
        known = known.apply(known.version(), changes);
        tellAll();
        return true;
    }

    /** Adds a shard again that was removed, with the nodes that it had, in the epoch that was known last. */
    void add(int index, long epoch) {
        learn();
        if (known.shard(Cluster.shardId(index)) != null) {
            throw new Violation("a removed shard stays removed", Cluster.shardId(index) + " is back by itself");
        }
        Shard first = Objects.requireNonNull(removed[index]);
        known = known.apply(
                known.version(),
                List.of(
                        new TopologyChange.AddShard(first.id(), epoch, first.primary(), first.replicas()),
                        new TopologyChange.AssignSlots(cluster.keys().slots(index), first.id())));
        tellAll();
    }

    /** {@return the last epoch of a shard that any sentinel knows} */
    long epochOf(int index) {
        learn();
        return Objects.requireNonNull(known.shard(Cluster.shardId(index))).epoch();
    }

    private void learn() {
        for (SentinelHost sentinel : cluster.sentinels()) {
            if (sentinel.driver() != null) {
                known = known.merge(sentinel.topology());
            }
        }
    }

    private void tellAll() {
        changed = true;
        cluster.sentinels().forEach(this::tell);
    }

    /** Tells a sentinel, soon, what was changed. */
    void tell(SentinelHost sentinel) {
        if (changed) {
            ClusterTopology news = known;
            queue.schedule(queue.now() + random.magnitude(Plan.MILLISECOND, LATEST_NEWS), () -> {
                try {
                    sentinel.tell(news);
                } catch (InjectedException e) {
                    tell(sentinel);
                }
            });
        }
    }
}
