package io.kvorum.testkit.simulation;

import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import java.util.List;

/**
 * Does to a cluster what its plan says.
 *
 * <p>Confined to one thread.
 */
final class FaultInjector {
    private static final long LONGEST_OUTAGE = 5 * Plan.SECOND;
    private static final long MAX_SLOWNESS = 3 * Plan.SECOND;

    private final EventQueue queue;
    private final Trace trace;
    private final SimulatedNetwork network;
    private final Coverage coverage;
    private final List<DataNode> nodes;
    private final List<SentinelHost> sentinels;
    private final Randomness placedFaults;

    FaultInjector(Cluster cluster, EventQueue queue, List<DataNode> nodes) {
        this.queue = queue;
        this.trace = cluster.trace();
        this.network = cluster.network();
        this.coverage = cluster.coverage();
        this.nodes = nodes;
        this.sentinels = cluster.sentinels();
        this.placedFaults = Randomness.stream(cluster.plan().seed(), Stream.PLACED_FAULTS);
    }

    /** Has a fault begin now and end in time. */
    void begin(Fault fault) {
        long everybody = (1L << Cluster.PROCESSES) - 1;
        int target = (int) fault.target();
        trace.line("FAULT", fault::toString);
        switch (fault.kind()) {
            case CRASH -> {
                coverage.count(Sometimes.CRASH);
                crash(target, fault.length(), false);
            }
            case CRASH_EMPTY -> {
                if (mayLoseData(nodes.get(target))) {
                    coverage.count(Sometimes.CRASH_EMPTY);
                    crash(target, fault.length(), true);
                }
            }
            case LAST_COPY_DOWN -> takeLastCopyDown(nodes.get(target), fault.length());
            case PAUSE -> {
                coverage.count(Sometimes.PAUSE);
                SimulatedProcess process = process(target);
                process.pause();
                atEnd(fault, process::resume);
            }
            case CUT -> {
                coverage.count(Sometimes.CUT);
                long others = everybody & ~fault.target();
                network.cut(fault.target(), others, 1);
                network.cut(others, fault.target(), 1);
                atEnd(fault, () -> {
                    network.cut(fault.target(), others, -1);
                    network.cut(others, fault.target(), -1);
                });
            }
            case CUT_ONE_WAY -> {
                coverage.count(Sometimes.CUT_ONE_WAY);
                network.cut(fault.target(), everybody & ~fault.target(), 1);
                atEnd(fault, () -> network.cut(fault.target(), everybody & ~fault.target(), -1));
            }
            case CUT_LINKS -> {
                coverage.count(Sometimes.CUT_LINKS);
                changeLinks(fault, 1);
                atEnd(fault, () -> changeLinks(fault, -1));
            }
            case LOSS -> {
                network.changeLoss(fault.strength());
                atEnd(fault, () -> network.changeLoss(-fault.strength()));
            }
            case REPEAT -> {
                network.changeRepeats(fault.strength());
                atEnd(fault, () -> network.changeRepeats(-fault.strength()));
            }
            case SLOW -> {
                long delay = Math.min(fault.length(), MAX_SLOWNESS);
                network.changeSlowness(fault.strength(), delay);
                atEnd(fault, () -> network.changeSlowness(-fault.strength(), delay));
            }
            case LATE_COPIES -> {
                network.changeLateCopies(fault.target(), fault.strength());
                atEnd(fault, () -> network.changeLateCopies(fault.target(), -fault.strength()));
            }
            case DISK -> {
                changeDisk(target, 1);
                atEnd(fault, () -> changeDisk(target, -1));
            }
            case SWITCHOVER ->
                sentinels.get(target % Cluster.SENTINELS).failOver(Cluster.shardId(target / Cluster.SENTINELS));
        }
    }

    /** Cuts or restores pairs of processes that are chosen by the fault's target. */
    private void changeLinks(Fault fault, int change) {
        Randomness random = Randomness.stream(fault.target(), Stream.CUT_LINKS);
        for (int one = 0; one < Cluster.PROCESSES; one++) {
            for (int other = 0; other < one; other++) {
                if (random.chance(fault.strength())) {
                    network.cut(1L << one, 1L << other, change);
                    network.cut(1L << other, 1L << one, change);
                }
            }
        }
    }

    private void atEnd(Fault fault, Runnable end) {
        queue.schedule(fault.end(), () -> {
            trace.line("FAULT", () -> fault.kind() + " ends");
            end.run();
        });
    }

    private SimulatedProcess process(int index) {
        return index < Cluster.NODES
                ? nodes.get(index).process()
                : sentinels.get(index - Cluster.NODES).process();
    }

    private void changeDisk(int index, int failures) {
        if (index < Cluster.NODES) {
            nodes.get(index).changeDisk(failures);
        } else {
            sentinels.get(index - Cluster.NODES).changeDisk(failures);
        }
    }

    /** Crashes a process if it is up, and restarts it after a while. */
    private void crash(int index, long outage, boolean loseData) {
        if (!process(index).isUp()) {
            return;
        }
        trace.line(process(index), () -> loseData ? "crashes and loses its data" : "crashes");
        if (index < Cluster.NODES) {
            nodes.get(index).crash(loseData);
        } else {
            sentinels.get(index - Cluster.NODES).crash();
        }
        queue.schedule(queue.now() + outage, () -> {
            trace.line(process(index), () -> "restarts");
            if (index < Cluster.NODES) {
                nodes.get(index).start();
            } else {
                sentinels.get(index - Cluster.NODES).start();
            }
        });
    }

    /**
     * Has the last acknowledged writes be left at the primary alone, and the primary be down; see {@link Fault.Kind}.
     */
    private void takeLastCopyDown(DataNode loser, long length) {
        List<DataNode> others = others(loser);
        int first = isPrimary(others.get(0)) ? 0 : 1;
        DataNode primary = others.get(first);
        SimulatedProcess laggard = others.get(1 - first).process();
        if (!isPrimary(primary) || !mayLoseData(loser)) {
            return;
        }
        long step = length / 4;
        laggard.pause();
        queue.schedule(queue.now() + step, () -> {
            if (isPrimary(primary) && mayLoseData(loser)) {
                coverage.count(Sometimes.LAST_COPY_DOWN);
                crash(primary.process().index(), length - step, false);
                crash(loser.process().index(), step, true);
            }
        });
        queue.schedule(queue.now() + 2 * step, laggard::resume);
    }

    private static boolean isPrimary(DataNode node) {
        NodeStatus status = node.status();
        return status != null && status.role() == NodeRole.PRIMARY;
    }

    private List<DataNode> others(DataNode node) {
        return nodes.stream()
                .filter(other -> other != node
                        && other.identity().shard().equals(node.identity().shard()))
                .toList();
    }

    /** A node may lose its data while no other one of its shard has: that's what a majority of three can bear. */
    private boolean mayLoseData(DataNode node) {
        return others(node).stream().map(DataNode::status).allMatch(status -> status != null && status.synced());
    }

    /** Crashes a process right after this step, by chance. */
    void placedCrash(SimulatedProcess process, int perMille, Sometimes what) {
        boolean inTime = queue.now() >= Plan.FAULTS_BEGIN && queue.now() < Plan.FAULTS_END - LONGEST_OUTAGE;
        if (inTime && placedFaults.chance(perMille)) {
            coverage.count(what);
            long outage = placedFaults.magnitude(50 * Plan.MILLISECOND, LONGEST_OUTAGE);
            queue.schedule(queue.now(), () -> crash(process.index(), outage, false));
        }
    }
}
