package io.kvorum.testkit.simulation;

import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Some shards, sentinels and clients, in one thread and in virtual time. First anything may go wrong; then all faults
 * end, and the cluster has to come to itself.
 *
 * <p>Confined to one thread; runs once.
 */
final class Cluster {
    static final long FIRST_EPOCH = Epoch.of(1, 0);
    private static final NodeId OPERATOR = new NodeId("operator");
    private static final long CLIENTS_END = 5 * Plan.SECOND; // after the faults
    private static final long MUST_SETTLE = 30 * Plan.SECOND; // after the faults
    private static final long LAST_SETTLING = 5 * Plan.SECOND;
    private static final long CHECK_PERIOD = 100 * Plan.MILLISECOND;
    private static final int MAX_DRIFT = 10; // of a thousand
    private static final int MOST_ELECTIONS_WITHOUT_FAULTS = 4; // of each shard

    private final Plan plan;
    private final Shape shape;
    private final Keys keys;
    private final Operator operator;
    private final Liveness liveness;
    private final Outages outages;
    private final Mutant mutant;
    private final EventQueue queue = new EventQueue();
    private final Trace trace;
    private final SimulatedNetwork network;
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    private final Coverage coverage = new Coverage();
    private final Auditor auditor;
    private final History history = new History(Keys.CHECKED);
    private final ClusterTopology topology;
    private final List<DataNode> nodes = new ArrayList<>();
    private final Map<NodeId, DataNode> nodesById = new HashMap<>();
    private final List<SentinelHost> sentinels = new ArrayList<>();
    private final Map<NodeId, SentinelHost> sentinelsById = new HashMap<>();
    private final List<NodeId> sentinelIds = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final FaultInjector faults;
    private final EndState end;
    private @Nullable Violation violation;
    /** Whether nothing that follows can be judged. */
    private boolean over;

    private boolean readingAll;

    Cluster(Plan plan, Mutant mutant, boolean readable) {
        this.plan = plan;
        this.shape = plan.shape();
        this.keys = Keys.of(shape.shards());
        this.mutant = mutant;
        this.trace = new Trace(queue, readable);
        this.network = new SimulatedNetwork(
                queue,
                trace,
                Randomness.hash(plan.seed(), Stream.NETWORK, 0),
                shape.processes(),
                plan.inOrder(),
                plan.minDelay(),
                plan.maxDelay(),
                plan.faultsEnd());
        this.topology = firstTopology();
        this.auditor = new Auditor(this);
        this.liveness = new Liveness(this);
        this.outages = new Outages(this);
        this.faults = new FaultInjector(this, queue);
        this.operator = new Operator(this, queue);
        this.end = new EndState(this, clients);
        makeProcesses();
    }

    static ShardId shardId(int shard) {
        return new ShardId("shard-" + (shard + 1));
    }

    private NodeId nodeId(int index) {
        return new NodeId("node-" + (shape.shardOf(index) + 1) + "abcdefg".charAt(index % shape.members()));
    }

    private ClusterTopology firstTopology() {
        ClusterTopology made = ClusterTopology.EMPTY;
        for (int shard = 0; shard < shape.shards(); shard++) {
            int first = shard * shape.members();
            List<NodeId> replicas = new ArrayList<>();
            for (int i = first + 1; i < first + shape.members() - (plan.hasSpares() ? 1 : 0); i++) {
                replicas.add(nodeId(i));
            }
            List<TopologyChange> changes = List.of(
                    new TopologyChange.AddShard(shardId(shard), FIRST_EPOCH, nodeId(first), replicas),
                    new TopologyChange.AssignSlots(keys.slots(shard), shardId(shard)));
            made = made.apply(made.version(), changes);
        }
        return made;
    }

    private int priority(int index) {
        long bits = Randomness.hash(plan.seed(), Stream.PRIORITIES, index);
        boolean zero = index % shape.members() > 0 && Randomness.below(bits >>> 8, 1000) < plan.priorityZero();
        return zero ? 0 : 1 + (int) Randomness.below(bits, 3);
    }

    private void makeProcesses() {
        for (int index = 0; index < shape.nodes(); index++) {
            NodeIdentity identity = new NodeIdentity(shardId(shape.shardOf(index)), nodeId(index), priority(index));
            int position = index;
            DataNode node = new DataNode(
                    this, process(identity.node(), index, () -> auditor.check(nodes.get(position))), identity);
            nodes.add(node);
            nodesById.put(identity.node(), node);
        }
        for (int i = 0; i < shape.sentinels(); i++) {
            sentinelIds.add(new NodeId("sentinel-" + (i + 1)));
        }
        for (int i = 0; i < shape.sentinels(); i++) {
            NodeId id = sentinelIds.get(i);
            SentinelHost host = new SentinelHost(this, process(id, shape.nodes() + i, () -> {}));
            sentinels.add(host);
            sentinelsById.put(id, host);
        }
        for (int i = 0; i < shape.clients(); i++) {
            NodeId id = new NodeId("client-" + (i + 1));
            clients.add(new Client(this, process(id, shape.nodes() + shape.sentinels() + i, () -> {}), history));
        }
    }

    private SimulatedProcess process(NodeId id, int index, Runnable afterEach) {
        long clockOrigin = Randomness.hash(plan.seed(), Stream.CLOCKS, index);
        int drift = (int) Randomness.below(Randomness.hash(plan.seed(), Stream.DRIFTS, index), 2 * MAX_DRIFT + 1);
        return new SimulatedProcess(queue, id, index, clockOrigin, drift - MAX_DRIFT, afterEach);
    }

    Plan plan() {
        return plan;
    }

    Keys keys() {
        return keys;
    }

    Operator operator() {
        return operator;
    }

    Liveness liveness() {
        return liveness;
    }

    Outages outages() {
        return outages;
    }

    List<DataNode> nodes() {
        return nodes;
    }

    /** {@return the number of a value that no client writes} */
    long valueNumber(long written) {
        return Long.MAX_VALUE / 2 + written;
    }

    /** {@return the node that takes the writes of a shard, or else one that says it is the primary, or null} */
    @Nullable
    DataNode primaryOf(int shard) {
        DataNode found = null;
        for (int i = shard * shape.members(); i < (shard + 1) * shape.members(); i++) {
            DataNode node = nodes.get(i);
            if (node.isPrimary() && (found == null || node.isWritable())) {
                found = node;
            }
        }
        return found;
    }

    /** {@return the node that leads the latest epoch of a shard, or null} */
    @Nullable
    DataNode latestPrimary(int shard) {
        DataNode found = null;
        long latest = -1;
        for (DataNode node : nodesOf(shard)) {
            NodeStatus status = node.status();
            if (status != null && status.role() == NodeRole.PRIMARY && status.epoch() > latest) {
                found = node;
                latest = status.epoch();
            }
        }
        return found;
    }

    List<DataNode> nodesOf(int shard) {
        return nodes.subList(shard * shape.members(), (shard + 1) * shape.members());
    }

    /** {@return whether a node is a member of its shard, by its primary, if that can be another than at first} */
    boolean isMember(DataNode node) {
        Membership membership = membership(shape.shardOf(node.process().index()));
        return membership == null || membership.knows(node.identity().node());
    }

    /** {@return whether some nodes of a shard are a majority of it, by whatever list of members anybody goes} */
    boolean isMajority(int shard, Predicate<DataNode> has) {
        return auditor.isMajority(nodesOf(shard), has);
    }

    private @Nullable Membership membership(int shard) {
        DataNode primary = plan.profile() == Profile.OPERATIONS ? latestPrimary(shard) : null;
        NodeStatus status = primary == null ? null : primary.status();
        return status == null ? null : status.membership();
    }

    /** {@return whether a shard is in the topology} */
    boolean isPresent(int shard) {
        return !faults.isRemoved(shard);
    }

    boolean hasPriorityZero(int shard) {
        return nodesOf(shard).stream().anyMatch(node -> node.identity().priority() == 0);
    }

    /** {@return whether a shard is served, and a sentinel reaches its primary, and nothing has changed lately} */
    boolean isServedFor(NodeId sentinel, ShardId shard) {
        int index = topology.shards().stream().map(Shard::id).toList().indexOf(shard);
        DataNode primary = primaryOf(index);
        SimulatedProcess asked = sentinel(sentinel).process();
        return primary != null
                && primary.isWritable()
                && !primary.process().isPaused()
                && primary.process().lateness() == 0
                && asked.lateness() == 0
                && !network.isNoisy()
                && network.connects(asked.index(), primary.process().index());
    }

    /** Notes that all nodes of a shard have lost their data. */
    void allLost(int shard, List<DataNode> members) {
        auditor.allLost(members);
        for (int key = shard; key < Keys.CHECKED; key += shape.shards()) {
            history.lose(key, now());
        }
    }

    /** Notes that a node has begun its shard anew with what it had, and that all else is given up. */
    void begunAnew(DataNode node) {
        coverage.count(Sometimes.BEGUN_ANEW);
        int shard = shape.shardOf(node.process().index());
        faults.begunAnew(shard);
        over |= !auditor.begunAnew(node);
        for (int key = shard; key < Keys.CHECKED; key += shape.shards()) {
            history.giveUp(key, node.held(key), now());
        }
    }

    Mutant mutant() {
        return mutant;
    }

    Trace trace() {
        return trace;
    }

    SimulatedNetwork network() {
        return network;
    }

    UnpooledByteBufAllocator allocator() {
        return allocator;
    }

    Coverage coverage() {
        return coverage;
    }

    Auditor auditor() {
        return auditor;
    }

    /** {@return the topology at the start} */
    ClusterTopology topology() {
        return topology;
    }

    FaultInjector faults() {
        return faults;
    }

    DataNode node(NodeId id) {
        return Objects.requireNonNull(nodesById.get(id), id::value);
    }

    SentinelHost sentinel(NodeId id) {
        return Objects.requireNonNull(sentinelsById.get(id), id::value);
    }

    List<SentinelHost> sentinels() {
        return sentinels;
    }

    List<NodeId> sentinelIds() {
        return sentinelIds;
    }

    long now() {
        return queue.now();
    }

    /** Has something happen after a while, to nobody in particular. */
    void after(long delay, Task task) {
        queue.schedule(queue.now() + delay, task);
    }

    boolean isReadingAll() {
        return readingAll;
    }

    /** Notes that an invariant is broken; the run ends after this step. */
    void fail(Violation found) {
        if (violation == null) {
            violation = found;
        }
    }

    /** Runs to the end, or to the first violation. */
    Report run() {
        return run(0);
    }

    /**
     * Runs to the end, or to the first violation.
     *
     * @param more for how long it goes on after a violation, until something throws, so that a reader sees what it led
     *     to; that is no part of the digest
     */
    Report run(long more) {
        try {
            runPhases();
        } catch (Violation e) {
            fail(e);
        } catch (RuntimeException | AssertionError e) {
            Violation defect = new Violation("defect", e.toString());
            defect.initCause(e);
            fail(defect);
        }
        Violation found = violation;
        if (found != null) {
            trace.line("VIOLATION", found::getMessage);
        }
        long digest = trace.digest();
        goOn(found == null ? 0 : more);
        coverage.add(Sometimes.MESSAGE_LOST, network.lost());
        coverage.add(Sometimes.MESSAGE_REPEATED, network.repeated());
        coverage.add(Sometimes.CALLBACK_THROWN, thrown());
        coverage.add(Sometimes.LATE_COPY, network.late());
        coverage.add(Sometimes.LATE_COPY_IN_LATER_LIFE, network.lateInLaterLife());
        coverage.add(Sometimes.OPEN_WRITE_SEEN, history.openWritesSeen());
        return new Report(
                plan,
                found,
                digest,
                queue.now(),
                queue.eventsRun(),
                history.operations(),
                coverage,
                new Report.Measured(
                        outages.ended(), auditor.majorityWrites(), auditor.localWrites(), auditor.localLost()),
                topology,
                sentinelIds,
                trace);
    }

    /** Ends the phases of a run of which the rest cannot be judged. */
    private static final class Over extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private void goOn(long more) {
        long limit = queue.now() + more;
        try {
            while (more > 0 && queue.runNext(limit)) {}
        } catch (RuntimeException | AssertionError e) {
            trace.line("cluster", () -> "ends by " + e);
        }
    }

    /** {@return how often something that a user gave to a process threw} */
    private long thrown() {
        return java.util.stream.Stream.concat(
                        nodes.stream().map(DataNode::process),
                        sentinels.stream().map(SentinelHost::process))
                .mapToLong(process -> process.failing().thrown())
                .sum();
    }

    private void runPhases() {
        try {
            runJudgedPhases();
        } catch (Over e) {
            trace.line("cluster", () -> "two histories may go on, so that nothing is judged any more");
            closeAll();
        }
    }

    private void runJudgedPhases() {
        startAll();
        lookOften();
        for (Fault fault : plan.faults()) {
            queue.schedule(fault.at(), () -> faults.begin(fault));
        }
        network.changeLoss(plan.loss());
        network.changeRepeats(plan.repeats());
        runUntil(plan.faultsEnd());
        network.changeLoss(-plan.loss());
        network.changeRepeats(-plan.repeats());
        trace.line("cluster", () -> "all faults have ended");
        clients.forEach(Client::resetProgress);
        long elections = coverage.of(Sometimes.ELECTION);
        runUntil(plan.faultsEnd() + CLIENTS_END);
        long mustSettle = plan.faultsEnd() + MUST_SETTLE;
        while (queue.now() < mustSettle && !clients.stream().allMatch(Client::hasProgressed)) {
            runUntil(queue.now() + CHECK_PERIOD);
        }
        if (!clients.stream().allMatch(Client::hasProgressed)) {
            throw new Violation("liveness", "clients make no progress; " + end.unsettled());
        }
        clients.forEach(Client::stop);
        settle(mustSettle);
        elections = coverage.of(Sometimes.ELECTION) - elections;
        if (elections > (long) MOST_ELECTIONS_WITHOUT_FAULTS * shape.shards()) {
            throw new Violation("liveness", elections + " elections although all faults have ended");
        }
        readAll();
        settle(queue.now() + LAST_SETTLING);
        end.checkData();
        history.check();
        checkRunning();
        closeAll();
    }

    private void lookOften() {
        queue.schedule(queue.now() + Liveness.PERIOD, () -> {
            if (queue.now() < plan.faultsEnd()) {
                liveness.check();
                lookOften();
            }
        });
    }

    /** Checks that each driver still runs: nothing that a user's code threw may have ended one. */
    private void checkRunning() {
        boolean[] answered = new boolean[nodes.size()];
        for (int i = 0; i < answered.length; i++) {
            int index = i;
            nodes.get(i).probe(() -> answered[index] = true);
        }
        runUntil(queue.now() + Plan.SECOND);
        for (int i = 0; i < answered.length; i++) {
            if (!answered[i]) {
                throw new Violation(
                        "nobody ends by what a user throws",
                        nodes.get(i).identity().node() + " has");
            }
        }
        for (SentinelHost sentinel : sentinels) {
            if (!sentinel.isRunning()) {
                throw new Violation(
                        "nobody ends by what a user throws", sentinel.process().id() + " has");
            }
        }
    }

    private void runUntil(long limit) {
        while (violation == null && !over && queue.runNext(limit)) {}
        if (violation != null) {
            throw violation;
        }
        if (over) {
            throw new Over();
        }
    }

    /** Waits until the cluster is as it has to be without faults and without writes. */
    private void settle(long limit) {
        String unsettled = end.unsettled();
        while (queue.now() < limit && !unsettled.isEmpty()) {
            runUntil(queue.now() + CHECK_PERIOD);
            unsettled = end.unsettled();
        }
        if (!unsettled.isEmpty()) {
            throw new Violation("liveness", unsettled);
        }
    }

    private void startAll() {
        nodes.forEach(DataNode::start);
        for (Shard shard : topology.shards()) {
            List<Member> members = new ArrayList<>();
            for (NodeId id : shard.nodes()) {
                NodeDriver driver = Objects.requireNonNull(node(id).driver());
                members.add(new Member(id, driver.status().incarnation()));
                driver.fence(FIRST_EPOCH, OPERATOR);
            }
            Objects.requireNonNull(node(shard.primary()).driver())
                    .begin(FIRST_EPOCH, OPERATOR, new MemberList(members), List.of(), false);
        }
        sentinels.forEach(SentinelHost::start);
        clients.forEach(Client::start);
    }

    private void readAll() {
        readingAll = true;
        Client reader = clients.get(0);
        reader.readAll();
        long limit = queue.now() + 10 * Plan.SECOND;
        while (queue.now() < limit && !reader.isIdle()) {
            runUntil(queue.now() + CHECK_PERIOD);
        }
        if (!reader.isIdle()) {
            throw new Violation("liveness", "not all keys can be read: " + reader);
        }
    }

    private void closeAll() {
        nodes.forEach(DataNode::close);
        sentinels.forEach(sentinel -> sentinel.crash(Memory.KEPT));
        queue.discardAll();
        network.discardKept();
        auditor.close();
        long used = allocator.metric().usedHeapMemory();
        if (used != 0) {
            throw new Violation("all buffers are released", used + " bytes are not");
        }
    }
}
