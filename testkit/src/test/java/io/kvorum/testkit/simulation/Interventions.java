package io.kvorum.testkit.simulation;

import io.kvorum.failover.Operation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an operator does while something else goes wrong, and what goes wrong while an operator does something.
 *
 * <p>Confined to one thread.
 */
final class Interventions {
    private static final long STEP_LIMIT = 3 * Plan.SECOND;
    private static final long LONGEST_OUTAGE = 5 * Plan.SECOND;
    private static final long LOOK_PERIOD = 100 * Plan.MILLISECOND;
    private static final int MEMBER_BITS = 4; // of a detail

    private final Cluster cluster;
    private final FaultInjector faults;
    private final PlacedFaults placed;
    private final EventQueue queue;
    private final Shape shape;
    private final Coverage coverage;
    private final boolean[] removed;
    private final boolean[] beginning;
    private final int[] begun;

    Interventions(Cluster cluster, FaultInjector faults, PlacedFaults placed, EventQueue queue) {
        this.cluster = cluster;
        this.faults = faults;
        this.placed = placed;
        this.queue = queue;
        this.shape = cluster.plan().shape();
        this.coverage = cluster.coverage();
        this.removed = new boolean[shape.shards()];
        this.beginning = new boolean[shape.shards()];
        this.begun = new int[shape.shards()];
    }

    /** {@return whether a shard is removed at the moment} */
    boolean isRemoved(int shard) {
        return removed[shard];
    }

    /** Notes that a node has begun its shard anew with what it had. */
    void begunAnew(int shard) {
        begun[shard]++;
    }

    /**
     * Has a fault begin now and end in time.
     *
     * @param quietBefore for how long nothing had changed before
     */
    void begin(Fault fault, long quietBefore) {
        int target = (int) fault.target();
        switch (fault.kind()) {
            case SWITCHOVER_CUT -> failOverAndCut(target, fault, quietBefore);
            case SHARD_REMOVED -> removeShard(target, fault);
            case ALL_LOST -> loseAll(target, fault);
            case FORMER_PRIMARY -> keepFormerPrimaryApart(target, fault);
            case TARGET_CRASH -> failOverToOneThatCrashes(target, fault);
            case BEGIN_ANEW -> beginAnew(target, fault);
            case REMOVED_IN_FAILOVER -> removeInFailover(target, fault);
            case REPLACE -> replace(target, fault);
            default -> throw new IllegalArgumentException(fault.toString());
        }
    }

    private void failOverAndCut(int target, Fault fault, long quietBefore) {
        int shard = target / shape.sentinels();
        int old = faults.primaryOf(shard);
        faults.failOver(target, quietBefore);
        if (old >= 0) {
            MessageKind step = MessageKind.of(fault.detail());
            at(step, shard, (from, to) -> {
                coverage.count(Sometimes.SWITCHOVER_CUT);
                cluster.trace().line("FAULT", () -> node(old).process() + " is cut off after " + step);
                faults.cutOff(old, Math.min(fault.length(), LONGEST_OUTAGE));
            });
        }
    }

    private void failOverToOneThatCrashes(int target, Fault fault) {
        int shard = target / shape.sentinels();
        DataNode chosen = faults.members(shard).get(fault.detail() & (1 << MEMBER_BITS) - 1);
        MessageKind step = MessageKind.of(fault.detail() >> MEMBER_BITS);
        sentinel(target)
                .perform(new Operation.FailOver(
                        Cluster.shardId(shard), chosen.identity().node()));
        at(step, shard, (from, to) -> {
            coverage.count(Sometimes.TARGET_CRASHED);
            boolean empty = fault.strength() == 1 && faults.mayLoseData(chosen);
            faults.crash(
                    chosen.process().index(),
                    Math.min(fault.length(), LONGEST_OUTAGE),
                    empty ? Memory.DATA_LOST : Memory.KEPT);
        });
    }

    /** Has the next message of a kind to or from a member of a shard do something, if it comes soon. */
    private void at(MessageKind step, int shard, PlacedFaults.Moment moment) {
        placed.add(step, 1000, queue.now() + STEP_LIMIT, shape.membersOf(shard), 1, moment);
    }

    private boolean removeShard(int shard, Fault fault) {
        if (removed[shard]) {
            return false;
        }
        long epoch = cluster.operator().epochOf(shard);
        if (!cluster.operator().remove(shard)) {
            return false;
        }
        removed[shard] = true;
        coverage.count(Sometimes.SHARD_REMOVED);
        faults.atEnd(fault, () -> {
            removed[shard] = false;
            cluster.operator().add(shard, epoch + 1);
        });
        return true;
    }

    private void removeInFailover(int shard, Fault fault) {
        int primary = faults.primaryOf(shard);
        if (primary < 0 || removed[shard]) {
            return;
        }
        faults.crash(primary, Math.min(fault.length(), LONGEST_OUTAGE), Memory.KEPT);
        at(MessageKind.of(fault.detail()), shard, (from, to) -> {
            if (queue.now() < fault.end() && removeShard(shard, fault)) {
                coverage.count(Sometimes.REMOVED_IN_FAILOVER);
            }
        });
    }

    /** Cuts a primary off from everybody; once another node leads, it is reached by all but the other members. */
    private void keepFormerPrimaryApart(int shard, Fault fault) {
        int primary = faults.primaryOf(shard);
        if (primary < 0) {
            return;
        }
        long self = 1L << primary;
        long members = shape.membersOf(shard) & ~self;
        long others = shape.everybody() & ~shape.membersOf(shard);
        boolean[] alone = {true};
        cutBothWays(self, members, 1);
        cutBothWays(self, others, 1);
        cluster.outages().cut();
        whenAnotherLeads(node(primary), fault.end(), () -> {
            coverage.count(Sometimes.FORMER_PRIMARY);
            faults.changed();
            alone[0] = false;
            cutBothWays(self, others, -1);
        });
        faults.atEnd(fault, () -> {
            cutBothWays(self, members, -1);
            if (alone[0]) {
                cutBothWays(self, others, -1);
            }
        });
    }

    private void cutBothWays(long some, long others, int change) {
        cluster.network().cut(some, others, change);
        cluster.network().cut(others, some, change);
    }

    private void whenAnotherLeads(DataNode former, long end, Runnable then) {
        cluster.after(LOOK_PERIOD, () -> {
            DataNode latest =
                    cluster.latestPrimary(shape.shardOf(former.process().index()));
            if (queue.now() < end - LOOK_PERIOD) {
                if (latest != null && latest != former) {
                    then.run();
                } else {
                    whenAnotherLeads(former, end, then);
                }
            }
        });
    }

    private void loseAll(int shard, Fault fault) {
        List<DataNode> members = faults.members(shard);
        if (members.stream().anyMatch(node -> !node.process().isUp())) {
            return;
        }
        coverage.count(Sometimes.ALL_LOST);
        long outage = Math.min(fault.length() / 4, 2 * Plan.SECOND);
        for (DataNode node : members) {
            faults.crash(node.process().index(), outage, fault.strength() == 0 ? Memory.DATA_LOST : Memory.ALL_LOST);
        }
        cluster.allLost(shard, members);
        repeat(queue.now() + outage + 2 * Plan.SECOND, lastRescue(), 4 * Plan.SECOND, () -> {
            if (faults.primaryOf(shard) < 0 && members.stream().noneMatch(DataNode::isComplete)) {
                sentinel(shard).perform(new Operation.BeginAnew(Cluster.shardId(shard)));
            }
        });
    }

    /** Leaves a shard with one replica that has its data; see {@link Fault.Kind}. */
    private void beginAnew(int shard, Fault fault) {
        int primary = faults.primaryOf(shard);
        List<DataNode> members =
                faults.members(shard).stream().filter(cluster::isMember).toList();
        if (primary < 0
                || beginning[shard]
                || members.size() < 2
                || !members.contains(node(primary))
                || members.stream().anyMatch(node -> node.status() == null || !node.isComplete())) {
            return;
        }
        List<DataNode> replicas = members.stream()
                .filter(node -> node.process().index() != primary)
                .toList();
        DataNode survivor = replicas.get(fault.detail() % replicas.size());
        beginning[shard] = true;
        begun[shard] = 0;
        faults.isolate(fault, 1L << primary, shape.everybody() & ~(1L << primary));
        for (DataNode replica : replicas) {
            if (replica != survivor) {
                faults.crash(replica.process().index(), fault.length() / 3, Memory.DATA_LOST);
            }
        }
        boolean diskFull = fault.strength() == 1;
        if (diskFull) {
            survivor.changeDisk(1);
            queue.schedule(queue.now() + fault.length() / 3, () -> {
                faults.changed();
                survivor.changeDisk(-1);
            });
        }
        repeat(queue.now() + 2 * Plan.SECOND, fault.end(), 2 * Plan.SECOND, () -> askToBeginAnew(shard, survivor));
        repeat(fault.end() + 2 * Plan.SECOND, lastRescue(), 4 * Plan.SECOND, () -> {
            if (!cluster.isMajority(shard, DataNode::isComplete)) { // the shard was not there, for example
                askToBeginAnew(shard, survivor);
            }
        });
        faults.atEnd(fault, () -> {
            beginning[shard] = false;
            if (begun[shard] > 0) {
                coverage.count(Sometimes.MEMBER_BACK_AFTER_NEW_BEGINNING);
            }
        });
    }

    /** {@return until when an operator helps a shard that cannot help itself, so that it serves in time} */
    private long lastRescue() {
        return cluster.plan().faultsEnd() + 15 * Plan.SECOND;
    }

    private void repeat(long first, long end, long period, Task task) {
        for (long at = first; at < end; at += period) {
            queue.schedule(at, task);
        }
    }

    private void askToBeginAnew(int shard, DataNode survivor) {
        if (begun[shard] > 0) {
            return;
        }
        if (survivor.hasDiskFull()) {
            coverage.count(Sometimes.DISK_FULL_IN_NEW_BEGINNING);
        }
        cluster.sentinels().stream()
                .filter(each -> each.driver() != null
                        && cluster.network()
                                .connects(
                                        each.process().index(),
                                        survivor.process().index()))
                .findFirst()
                .ifPresent(each -> each.perform(new Operation.BeginAnew(Cluster.shardId(shard))));
    }

    private void replace(int target, Fault fault) {
        int shard = target / shape.sentinels();
        DataNode primary = cluster.latestPrimary(shard);
        List<DataNode> nodes = faults.members(shard);
        List<DataNode> replicas = nodes.stream()
                .filter(node -> node != primary && cluster.isMember(node))
                .toList();
        @Nullable
        DataNode spare = nodes.stream()
                .filter(node -> !cluster.isMember(node) && node.status() != null)
                .findFirst()
                .orElse(null);
        if (primary == null || spare == null || replicas.isEmpty()) {
            return;
        }
        DataNode outgoing = replicas.get((fault.detail() >> 2) % replicas.size());
        if ((fault.detail() & 1) == 1) {
            coverage.count(Sometimes.REPLACED_WHILE_CUT);
            long self = 1L << outgoing.process().index();
            faults.isolate(fault, self, shape.everybody() & ~self);
        }
        if ((fault.detail() >> 1 & 1) == 1) {
            at(MessageKind.LAST_SYNC_PART, shard, (from, to) -> {
                coverage.count(Sometimes.PRIMARY_CUT_IN_REPLACEMENT);
                faults.cutOff(primary.process().index(), Math.min(fault.length(), LONGEST_OUTAGE));
            });
        }
        sentinel(target)
                .perform(new Operation.Replace(
                        Cluster.shardId(shard),
                        outgoing.identity().node(),
                        spare.identity().node()));
    }

    private DataNode node(int index) {
        return cluster.nodes().get(index);
    }

    private SentinelHost sentinel(int target) {
        return cluster.sentinels().get(target % shape.sentinels());
    }
}
