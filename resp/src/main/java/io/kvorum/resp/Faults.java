package io.kvorum.resp;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pauses parties and cuts them off, and remembers whom, so that one of them can go on without the others.
 *
 * <p>Safe for use by any number of threads.
 */
final class Faults {
    private final LocalCluster cluster;
    private final Map<NodeId, LocalNode> nodes;
    private final Set<NodeId> isolated = new LinkedHashSet<>();

    Faults(LocalCluster cluster) {
        this.cluster = cluster;
        this.nodes = cluster.nodes().stream().collect(Collectors.toUnmodifiableMap(LocalNode::id, Function.identity()));
    }

    /** {@return whether a party is paused, by whomever} */
    boolean isPaused(NodeId party) {
        LocalNode node = node(party);
        return node != null ? node.isPaused() : cluster.sentinel(party).isPaused();
    }

    synchronized boolean isIsolated(NodeId party) {
        return isolated.contains(party);
    }

    synchronized void isolate(NodeId party) {
        isolated.add(party);
        cluster.isolate(party);
    }

    void pause(NodeId party) {
        LocalNode node = node(party);
        if (node != null) {
            node.pause();
        } else {
            cluster.sentinel(party).pause();
        }
    }

    /** Has a party go on, and opens its links if they were cut here; those of others that were cut here stay cut. */
    void resume(NodeId party) {
        synchronized (this) {
            if (isolated.remove(party)) {
                cluster.heal();
                isolated.forEach(other -> cluster.isolate(other));
            }
        }
        LocalNode node = node(party);
        if (node != null) {
            node.resume();
        } else {
            cluster.sentinel(party).resume();
        }
    }

    /** Has everybody go on, and opens all links. */
    void heal() {
        synchronized (this) {
            isolated.clear();
            cluster.heal();
        }
        cluster.nodes().forEach(LocalNode::resume);
        cluster.sentinels().forEach(LocalSentinel::resume);
    }

    private @Nullable LocalNode node(NodeId party) {
        return nodes.get(party);
    }
}
