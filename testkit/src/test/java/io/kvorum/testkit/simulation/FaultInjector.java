package io.kvorum.testkit.simulation;

import io.kvorum.failover.Operation;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent.Fault.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Does to a cluster what its plan says.
 *
 * <p>Confined to one thread.
 */
final class FaultInjector implements SimulatedNetwork.Taps {
    private static final long LONGEST_OUTAGE = 5 * Plan.SECOND;
    private static final long MAX_SLOWNESS = 3 * Plan.SECOND;
    private static final int MOST_PLACED = 4; // of one fault
    private static final long SEEN = 4 * Plan.SECOND; // after which a sentinel sees what there is

    private final Cluster cluster;
    private final Shape shape;
    private final EventQueue queue;
    private final Trace trace;
    private final SimulatedNetwork network;
    private final Coverage coverage;
    private final List<DataNode> nodes;
    private final List<SentinelHost> sentinels;
    private final Randomness placedFaults;
    private final PlacedFaults placed;
    private final Interventions interventions;
    private int strayPerMille;
    private @Nullable ForgottenElection election;

    FaultInjector(Cluster cluster, EventQueue queue) {
        this.cluster = cluster;
        this.shape = cluster.plan().shape();
        this.queue = queue;
        this.trace = cluster.trace();
        this.network = cluster.network();
        this.coverage = cluster.coverage();
        this.nodes = cluster.nodes();
        this.sentinels = cluster.sentinels();
        this.placedFaults = Randomness.stream(cluster.plan().seed(), Stream.PLACED_FAULTS);
        this.placed = new PlacedFaults(queue, placedFaults);
        this.interventions = new Interventions(cluster, this, placed, queue);
        network.tap(this);
    }

    /** Has a fault begin now and end in time. */
    void begin(Fault fault) {
        long everybody = shape.everybody();
        int target = (int) fault.target();
        trace.line("FAULT", fault::toString);
        long quiet = changed();
        switch (fault.kind()) {
            case CRASH -> {
                coverage.count(Sometimes.CRASH);
                int index = target >= 0 ? target : primaryOf(-1 - target);
                if (index >= 0) {
                    boolean wasUp = process(index).isUp() && !process(index).isPaused();
                    crash(index, fault.length(), Memory.KEPT);
                    if (shape.isNode(index) && wasUp) {
                        cluster.liveness().crashed(nodes.get(index), quiet);
                    }
                }
            }
            case CRASH_EMPTY -> {
                if (mayLoseData(nodes.get(target))) {
                    coverage.count(Sometimes.CRASH_EMPTY);
                    crash(target, fault.length(), Memory.DATA_LOST);
                }
            }
            case PROMISE_LOST -> {
                if (mayLoseData(nodes.get(target))) {
                    coverage.count(Sometimes.PROMISE_LOST);
                    crash(target, fault.length(), Memory.ALL_LOST);
                }
            }
            case LAST_COPY_DOWN -> takeLastCopyDown(nodes.get(target), fault.length(), Memory.DATA_LOST);
            case PROMISE_LOST_CUT -> takeLastCopyDown(nodes.get(target), fault.length(), Memory.ALL_LOST);
            case SENTINEL_LOST -> {
                coverage.count(Sometimes.SENTINEL_LOST);
                crash(target, Math.min(fault.length(), LONGEST_OUTAGE), Memory.ALL_LOST);
            }
            case SENTINEL_OLD -> {
                coverage.count(Sometimes.SENTINEL_OLD);
                crash(target, Math.min(fault.length(), LONGEST_OUTAGE), Memory.OLD);
            }
            case PAUSE -> {
                coverage.count(Sometimes.PAUSE);
                cluster.outages().begins(target, Outages.Cause.PAUSE);
                pause(target);
                atEnd(fault, () -> resume(target));
            }
            case CUT -> {
                coverage.count(Sometimes.CUT);
                isolate(fault, fault.target(), everybody & ~fault.target());
            }
            case CUT_MEMBER -> {
                coverage.count(Sometimes.CUT_MEMBER);
                isolate(fault, 1L << target, shape.membersOf(shape.shardOf(target)) & ~(1L << target));
            }
            case PARTIAL_SIGHT -> {
                coverage.count(Sometimes.PARTIAL_SIGHT);
                isolate(fault, fault.target() & shape.allSentinels(), fault.target() & ~shape.allSentinels());
            }
            case CUT_ONE_WAY -> {
                coverage.count(Sometimes.CUT_ONE_WAY);
                network.cut(fault.target(), everybody & ~fault.target(), 1);
                cluster.outages().cut();
                atEnd(fault, () -> network.cut(fault.target(), everybody & ~fault.target(), -1));
            }
            case CUT_LINKS -> {
                coverage.count(Sometimes.CUT_LINKS);
                changeLinks(fault, 1);
                cluster.outages().cut();
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
            case LATE_KIND -> {
                coverage.count(Sometimes.LATE_KIND);
                long delay = Math.max(Plan.SECOND, fault.length() / 2);
                SimulatedNetwork.Rule rule = new SimulatedNetwork.Rule(
                        MessageKind.of(fault.detail()),
                        everybody,
                        fault.target(),
                        fault.strength(),
                        delay / 4,
                        delay * 5 / 4);
                network.add(rule);
                atEnd(fault, () -> network.remove(rule));
            }
            case LARGE_LOST -> {
                coverage.count(Sometimes.LARGE_LOST);
                network.loseLarge(target, fault.strength());
                atEnd(fault, () -> network.loseLarge(target, Integer.MAX_VALUE));
            }
            case SLOW_STEPS -> {
                coverage.count(Sometimes.SLOW_STEPS);
                changeLateness(fault.target(), fault.detail() * Plan.MILLISECOND);
                atEnd(fault, () -> changeLateness(fault.target(), -fault.detail() * Plan.MILLISECOND));
            }
            case LOAD -> new Load(cluster, queue, target, fault.end(), fault.strength()).run();
            case DISK -> {
                changeDisk(target, 1);
                atEnd(fault, () -> changeDisk(target, -1));
            }
            case FORGOTTEN_ELECTION -> forgetElection(target, fault);
            case LASTING_UNSYNCED -> keepUnsynced(target, fault);
            case SWITCHOVER -> {
                SentinelHost asked = sentinels.get(target % shape.sentinels());
                if (fault.detail() == 0
                        && asked.process().isUp()
                        && !asked.process().isPaused()) {
                    asked.crash(Memory.KEPT);
                    asked.start();
                    cluster.operator().tell(asked);
                }
                failOver(target, quiet);
            }
            case STRAYS -> {
                coverage.count(Sometimes.STRAYS);
                strayPerMille += fault.strength();
                atEnd(fault, () -> strayPerMille -= fault.strength());
            }
            case SWITCHOVER_CUT,
                    SHARD_REMOVED,
                    ALL_LOST,
                    FORMER_PRIMARY,
                    TARGET_CRASH,
                    BEGIN_ANEW,
                    REMOVED_IN_FAILOVER,
                    REPLACE -> interventions.begin(fault, quiet);
            case CLOCK_JUMP -> {
                coverage.count(Sometimes.CLOCK_JUMP);
                process(target).jump(fault.strength() * Plan.MILLISECOND, fault.detail());
            }
            case CALLBACK_THROWS -> {
                SimulatedProcess process = process(target);
                Failing.Site site = Failing.SITES.get(fault.detail());
                boolean mayLose = shape.isNode(target) && mayLoseData(nodes.get(target));
                if (site != Failing.Site.APPLY || mayLose) { // a node that can't apply a record is incomplete
                    process.failing().arm(site, fault.strength() == 1);
                    atEnd(fault, process.failing()::disarm);
                }
                if (site == Failing.Site.RESTORATION && mayLose) {
                    crash(target, 50 * Plan.MILLISECOND, Memory.DATA_LOST); // so that there is something to restore
                }
            }
            case PLACED_CRASH, PLACED_CUT -> place(fault);
            case PLACED_FORGET -> placeForget(fault);
            case PLACED_EMPTY -> placeEmpty(fault);
            case SPLIT -> split(target, fault);
            case SHARD_DISKS -> fillDisks(target, fault);
        }
    }

    /** Notes a change; returns for how long there was none. */
    long changed() {
        long quiet = cluster.liveness().quiet();
        cluster.liveness().changed();
        cluster.auditor().switchoversDisturbed();
        return quiet;
    }

    void isolate(Fault fault, long some, long others) {
        network.cut(some, others, 1);
        network.cut(others, some, 1);
        cluster.outages().cut();
        trace.done(Kind.CUT, all(some), "");
        atEnd(fault, () -> {
            network.cut(some, others, -1);
            network.cut(others, some, -1);
            trace.done(Kind.HEAL, List.of(), "");
        });
    }

    private void changeLateness(long set, long change) {
        for (int i = 0; i < shape.nodes() + shape.sentinels(); i++) {
            if ((set >> i & 1) == 1) {
                process(i).changeLateness(change);
            }
        }
    }

    /** Cuts or restores pairs of processes that are chosen by the fault's target. */
    private void changeLinks(Fault fault, int change) {
        Randomness random = Randomness.stream(fault.target(), Stream.CUT_LINKS);
        int perMille = 50 + (int) Randomness.below(fault.target(), 600);
        for (int one = 0; one < shape.processes(); one++) {
            for (int other = 0; other < one; other++) {
                if (random.chance(perMille)) {
                    network.cut(1L << one, 1L << other, change);
                    network.cut(1L << other, 1L << one, change);
                }
            }
        }
    }

    /** Has something happen at the end of a fault. */
    void atEnd(Fault fault, Runnable end) {
        queue.schedule(fault.end(), () -> {
            trace.line("FAULT", () -> fault.kind() + " ends");
            changed();
            end.run();
            cluster.outages().mayHaveEnded();
        });
    }

    private void pause(int index) {
        trace.done(Kind.PAUSE, ids(index), "");
        process(index).pause();
    }

    private void resume(int index) {
        process(index).resume();
        trace.done(Kind.RESUME, process(index).isPaused() ? List.of() : ids(index), "");
    }

    private List<NodeId> all(long set) {
        return IntStream.range(0, shape.nodes() + shape.sentinels())
                .filter(index -> (set >> index & 1) == 1)
                .mapToObj(index -> process(index).id())
                .toList();
    }

    private List<NodeId> ids(int index) {
        return List.of(process(index).id());
    }

    private SimulatedProcess process(int index) {
        return shape.isNode(index)
                ? nodes.get(index).process()
                : sentinels.get(index - shape.nodes()).process();
    }

    private void changeDisk(int index, int failures) {
        if (shape.isNode(index)) {
            nodes.get(index).changeDisk(failures);
        } else {
            sentinels.get(index - shape.nodes()).changeDisk(failures);
        }
    }

    /** Crashes a process if it is up, and restarts it after a while. */
    void crash(int index, long outage, Memory memory) {
        if (index >= shape.nodes() + shape.sentinels() || !process(index).isUp()) {
            return;
        }
        trace.line(process(index), () -> "crashes, memory " + memory);
        trace.done(Kind.CRASH, ids(index), "memory " + memory);
        changed();
        cluster.outages().begins(index, Outages.Cause.CRASH);
        if (shape.isNode(index)) {
            nodes.get(index).crash(memory);
        } else {
            sentinels.get(index - shape.nodes()).crash(memory);
        }
        queue.schedule(inTime(outage), () -> {
            trace.line(process(index), () -> "restarts");
            trace.done(Kind.RESTART, ids(index), "");
            changed();
            if (shape.isNode(index)) {
                nodes.get(index).start();
            } else {
                SentinelHost sentinel = sentinels.get(index - shape.nodes());
                sentinel.start();
                cluster.operator().tell(sentinel);
            }
        });
    }

    /**
     * Has the last acknowledged writes be left at the primary alone, and the primary be down; see {@link Fault.Kind}.
     */
    private void takeLastCopyDown(DataNode loser, long length, Memory memory) {
        int shard = shape.shardOf(loser.process().index());
        int primary = primaryOf(shard);
        if (primary < 0 || nodes.get(primary) == loser || !mayLoseData(loser)) {
            return;
        }
        long step = length / 4;
        List<Integer> laggards = new ArrayList<>();
        for (DataNode other : members(shard)) {
            if (other != loser && other != nodes.get(primary) && laggards.size() < shape.spareMembers()) {
                laggards.add(other.process().index());
            }
        }
        laggards.forEach(this::pause);
        queue.schedule(queue.now() + step, () -> {
            if (nodes.get(primary).isPrimary() && mayLoseData(loser)) {
                coverage.count(memory == Memory.ALL_LOST ? Sometimes.PROMISE_LOST : Sometimes.LAST_COPY_DOWN);
                crash(loser.process().index(), step, memory);
                if (memory == Memory.ALL_LOST) {
                    cutOff(primary, length - step);
                } else {
                    crash(primary, length - step, Memory.KEPT);
                }
            }
        });
        queue.schedule(queue.now() + 2 * step, () -> {
            changed();
            laggards.forEach(this::resume);
        });
    }

    /** {@return the end of what begins now, which is before all faults have ended} */
    private long inTime(long length) {
        return Math.max(
                queue.now(), Math.min(queue.now() + length, cluster.plan().faultsEnd()));
    }

    /** Cuts a process off from everybody, for a while. */
    void cutOff(int index, long length) {
        changed();
        network.cut(1L << index, shape.everybody() & ~(1L << index), 1);
        network.cut(shape.everybody() & ~(1L << index), 1L << index, 1);
        cluster.outages().cut();
        queue.schedule(inTime(length), () -> {
            trace.line(process(index), () -> "is reached again");
            changed();
            network.cut(1L << index, shape.everybody() & ~(1L << index), -1);
            network.cut(shape.everybody() & ~(1L << index), 1L << index, -1);
            cluster.outages().mayHaveEnded();
        });
    }

    /** Notes that a node has begun its shard anew with what it had. */
    void begunAnew(int shard) {
        interventions.begunAnew(shard);
    }

    private void forgetElection(int shard, Fault fault) {
        int primary = primaryOf(shard);
        if (primary >= 0 && shape.sentinels() > 2 && shape.members() > 2 && election == null) {
            Randomness random = Randomness.stream(fault.at(), Stream.PLACED_FAULTS);
            ForgottenElection begun = new ForgottenElection(cluster, this, primary, random);
            election = begun;
            atEnd(fault, () -> {
                begun.end();
                election = null;
            });
        }
    }

    private void keepUnsynced(int target, Fault fault) {
        int shard = shape.shardOf(target);
        if (!mayLoseData(nodes.get(target)) || primaryOf(shard) == target) {
            return;
        }
        coverage.count(Sometimes.LASTING_UNSYNCED);
        network.loseLarge(target, 0);
        crash(target, 50 * Plan.MILLISECOND, Memory.DATA_LOST);
        queue.schedule(queue.now() + Plan.SECOND, () -> {
            int primary = primaryOf(shard);
            if (primary < 0) {
                return;
            }
            changed();
            isolate(fault, 1L << primary, shape.allSentinels());
        });
        atEnd(fault, () -> network.loseLarge(target, Integer.MAX_VALUE));
    }

    /** An operator asks a sentinel to fail a shard over. */
    void failOver(int target, long quietBefore) {
        ShardId shard = Cluster.shardId(target / shape.sentinels());
        SentinelHost sentinel = sentinels.get(target % shape.sentinels());
        if (quietBefore > SEEN) {
            cluster.auditor().switchoverAsked(sentinel.process().id(), shard);
        }
        sentinel.perform(new Operation.FailOver(shard));
    }

    /** {@return a node that gets a message to one of another shard too, or null} */
    @Nullable
    DataNode stray(int receiver) {
        if (strayPerMille == 0 || shape.shards() == 1 || !placedFaults.chance(strayPerMille)) {
            return null;
        }
        int other = placedFaults.nextInt(shape.nodes());
        return shape.shardOf(other) == shape.shardOf(receiver) ? null : nodes.get(other);
    }

    /** {@return whether a shard is not in the topology} */
    boolean isRemoved(int shard) {
        return interventions.isRemoved(shard);
    }

    private void place(Fault fault) {
        boolean cut = fault.kind() == Fault.Kind.PLACED_CUT;
        MessageKind kind = MessageKind.of(fault.detail() >> 1);
        boolean sender = (fault.detail() & 1) == 1;
        placed.add(kind, fault.strength(), fault.end(), shape.everybody(), MOST_PLACED, (from, to) -> {
            SimulatedProcess struck = sender ? from : to;
            long outage = placedFaults.magnitude(50 * Plan.MILLISECOND, LONGEST_OUTAGE);
            coverage.count(Sometimes.PLACED);
            trace.line("FAULT", () -> struck + (cut ? " is cut off at " : " crashes at ") + kind);
            if (cut) {
                cutOff(struck.index(), outage);
            } else {
                crash(struck.index(), outage, Memory.KEPT);
            }
        });
    }

    private void placeForget(Fault fault) {
        MessageKind kind = MessageKind.of(fault.detail() >> 1);
        Memory memory = (fault.detail() & 1) == 1 ? Memory.OLD : Memory.ALL_LOST;
        placed.add(kind, fault.strength(), fault.end(), shape.everybody(), MOST_PLACED, (from, to) -> {
            SimulatedProcess struck = shape.isSentinel(from.index()) ? from : to;
            if (shape.isSentinel(struck.index())) {
                coverage.count(memory == Memory.OLD ? Sometimes.SENTINEL_OLD : Sometimes.SENTINEL_LOST);
                crash(struck.index(), placedFaults.magnitude(20 * Plan.MILLISECOND, Plan.SECOND), memory);
            }
        });
    }

    private void placeEmpty(Fault fault) {
        MessageKind kind = MessageKind.of(fault.detail());
        placed.add(kind, fault.strength(), fault.end(), shape.everybody(), MOST_PLACED, (from, to) -> {
            if (shape.isNode(to.index()) && mayLoseData(nodes.get(to.index()))) {
                coverage.count(Sometimes.PLACED_EMPTY);
                trace.line("FAULT", () -> to + " loses its data at " + kind);
                crash(to.index(), placedFaults.magnitude(20 * Plan.MILLISECOND, Plan.SECOND), Memory.DATA_LOST);
            }
        });
    }

    /** Fills the disks of some replicas, at most of all but one, from the one that the fault names on. */
    private void fillDisks(int shard, Fault fault) {
        int primary = primaryOf(shard);
        int most = shape.members() - 2;
        if (primary < 0 || most < 1) {
            return;
        }
        int replicas = 1 + fault.detail() / shape.members() % most;
        coverage.count(Sometimes.SHARD_DISKS);
        List<DataNode> full = new ArrayList<>();
        for (int i = 0; full.size() < replicas; i++) {
            DataNode node = members(shard).get((fault.detail() + i) % shape.members());
            if (node.process().index() != primary) {
                full.add(node);
            }
        }
        full.forEach(node -> node.changeDisk(1));
        atEnd(fault, () -> full.forEach(node -> node.changeDisk(-1)));
        queue.schedule(queue.now() + Plan.SECOND, () -> crash(primary, LONGEST_OUTAGE, Memory.KEPT));
    }

    /** Cuts the primary of a shard, and whom the fault names, off from all others; see {@link Fault.Kind}. */
    private void split(int shard, Fault fault) {
        int primary = primaryOf(shard);
        if (primary < 0) {
            return;
        }
        coverage.count(Sometimes.SPLIT);
        long replicas = Shape.range(0, shape.members()) & fault.detail();
        long clients = Shape.range(0, shape.clients()) & fault.detail() >> shape.members();
        long side =
                1L << primary | replicas << (shard * shape.members()) | clients << (shape.nodes() + shape.sentinels());
        isolate(fault, side, shape.everybody() & ~side);
        long others = shape.membersOf(shard) & side & ~(1L << primary);
        if (others != 0) {
            int restarting = Long.numberOfTrailingZeros(others);
            queue.schedule(queue.now() + fault.length() / 2, () -> crash(restarting, fault.length() / 4, Memory.KEPT));
        }
        if ((fault.detail() >> (shape.members() + shape.clients()) & 1) == 1) {
            queue.schedule(fault.end(), () -> crash(primary, fault.length() / 2, Memory.KEPT));
        }
    }

    @Override
    public void sent(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {
        if (election != null) {
            election.sent(kind, from, to);
        }
    }

    @Override
    public void delivered(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {
        placed.moment(kind, from, to);
    }

    @Override
    public void deliveredLate(SimulatedProcess from, SimulatedProcess to) {
        cluster.liveness().heardLate(from, to);
    }

    /** Is called when a moment has come at which a fault may be placed. */
    void moment(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {
        placed.moment(kind, from, to);
    }

    /** {@return the index of the node that takes the writes of a shard, or else of one that leads it, or -1} */
    int primaryOf(int shard) {
        DataNode primary = cluster.primaryOf(shard);
        return primary == null ? -1 : primary.process().index();
    }

    /** {@return the nodes of a shard} */
    List<DataNode> members(int shard) {
        return nodes.subList(shard * shape.members(), (shard + 1) * shape.members());
    }

    /**
     * A node may lose its data while enough others of its shard have theirs, and one of them may be promoted: that's
     * what majorities can bear. A member that may never lead has to have nothing that all who may lead lack.
     */
    boolean mayLoseData(DataNode node) {
        int shard = shape.shardOf(node.process().index());
        boolean ranked = cluster.hasPriorityZero(shard);
        return cluster.isMajority(shard, other -> other != node && other.isComplete())
                && members(shard).stream()
                        .anyMatch(other -> other != node
                                && other.isComplete()
                                && other.identity().priority() > 0
                                && (!ranked || hasAll(other, shard)));
    }

    /** Whether no node of a shard has more than one of them. */
    private boolean hasAll(DataNode node, int shard) {
        LogPosition end = node.log().end();
        return members(shard).stream().allMatch(other -> other.log().end().compareTo(end) <= 0);
    }

    /** Crashes a process right after this step, by chance. */
    void placedCrash(SimulatedProcess process, int perMille, Sometimes what) {
        boolean inTime =
                queue.now() >= Plan.FAULTS_BEGIN && queue.now() < cluster.plan().faultsEnd() - LONGEST_OUTAGE;
        if (inTime && placedFaults.chance(perMille)) {
            coverage.count(what);
            long outage = placedFaults.magnitude(50 * Plan.MILLISECOND, LONGEST_OUTAGE);
            queue.schedule(queue.now(), () -> crash(process.index(), outage, Memory.KEPT));
        }
    }
}
