package io.kvorum.resp;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.LocalCluster;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Which parties clients have paused or cut off, so that one of them can go on without the others.
 *
 * <p>Safe for use by any number of threads.
 */
final class Faults {
    private final LocalCluster cluster;
    private final Set<NodeId> isolated = new LinkedHashSet<>();
    private volatile Set<NodeId> paused = Set.of();

    Faults(LocalCluster cluster) {
        this.cluster = cluster;
    }

    boolean isPaused(NodeId party) {
        return paused.contains(party);
    }

    synchronized boolean isIsolated(NodeId party) {
        return isolated.contains(party);
    }

    synchronized void isolate(NodeId party) {
        isolated.add(party);
        cluster.isolate(party);
    }

    synchronized void pause(NodeId party) {
        Set<NodeId> more = new LinkedHashSet<>(paused);
        more.add(party);
        paused = Set.copyOf(more);
        cluster.isolate(party);
    }

    /** Opens the links of one party; those of the others that were cut off here stay cut. */
    synchronized void resume(NodeId party) {
        Set<NodeId> fewer = new LinkedHashSet<>(paused);
        boolean wasPaused = fewer.remove(party);
        boolean wasIsolated = isolated.remove(party);
        paused = Set.copyOf(fewer);
        if (wasPaused || wasIsolated) {
            cluster.heal();
            isolated.forEach(other -> cluster.isolate(other));
            fewer.forEach(other -> cluster.isolate(other));
        }
    }

    synchronized void heal() {
        isolated.clear();
        paused = Set.of();
        cluster.heal();
    }
}
