package io.kvorum.testkit.simulation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Measures failovers: from the moment at which a primary that took writes is lost until a node is promoted in its
 * place, whatever else goes wrong meanwhile.
 *
 * <p>Confined to one thread.
 */
final class Outages {
    /** What a primary was lost by. */
    enum Cause {
        CRASH,
        PAUSE,
        CUT,
        SWITCHOVER
    }

    /**
     * A failover.
     *
     * @param nanos how long the shard was without a primary
     */
    record Outage(Cause cause, long nanos) {}

    private record Open(int primary, Cause cause, long since) {}

    private final Cluster cluster;
    private final @Nullable Open[] open;
    private final List<Outage> ended = new ArrayList<>();

    Outages(Cluster cluster) {
        this.cluster = cluster;
        this.open = new Open[cluster.plan().shape().shards()];
    }

    /** Notes that something is about to happen to a process: an outage begins if it is a primary that takes writes. */
    void begins(int process, Cause cause) {
        if (process >= 0 && cluster.plan().shape().isNode(process)) {
            int shard = cluster.plan().shape().shardOf(process);
            DataNode node = cluster.nodes().get(process);
            boolean leads = cause == Cause.SWITCHOVER ? node.isPrimary() : node.isWritable(); // it is paused by then
            if (open[shard] == null && leads) {
                open[shard] = new Open(process, cause, cluster.now());
            }
        }
    }

    /** Notes that links were cut: primaries that a majority of the sentinels does not reach are lost. */
    void cut() {
        Shape shape = cluster.plan().shape();
        for (int shard = 0; shard < shape.shards(); shard++) {
            DataNode primary = cluster.primaryOf(shard);
            if (primary != null) {
                int index = primary.process().index();
                if (!isReached(index)) {
                    begins(index, Cause.CUT);
                }
            }
        }
    }

    private boolean isReached(int node) {
        long reached = cluster.sentinels().stream()
                .filter(sentinel ->
                        cluster.network().connects(sentinel.process().index(), node))
                .count();
        return reached >= Shape.majority(cluster.sentinels().size());
    }

    /** Notes that pauses, cuts or switchovers have ended: a primary that is as it was was not lost. */
    void mayHaveEnded() {
        for (int shard = 0; shard < open.length; shard++) {
            Open each = open[shard];
            if (each != null) {
                DataNode primary = cluster.nodes().get(each.primary);
                if (primary.isWritable() && !primary.process().isPaused() && isReached(each.primary)) {
                    open[shard] = null;
                }
            }
        }
    }

    /** Notes that a node was promoted. */
    void promoted(int node) {
        int shard = cluster.plan().shape().shardOf(node);
        Open each = open[shard];
        if (each != null) {
            ended.add(new Outage(each.cause, cluster.now() - each.since));
            open[shard] = null;
        }
    }

    /** {@return the failovers, in the order in which they ended} */
    List<Outage> ended() {
        return List.copyOf(ended);
    }
}
