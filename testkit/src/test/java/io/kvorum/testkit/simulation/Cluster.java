package io.kvorum.testkit.simulation;

import io.kvorum.failover.NodeGateway;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testkit.ShardNodeGateway;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Three shards of three nodes, three sentinels and four clients, in one thread and in virtual time. First anything may
 * go wrong; then all faults end, and the cluster has to come to itself.
 *
 * <p>Confined to one thread; runs once.
 */
final class Cluster {
    static final int SHARDS = 3;
    static final int NODES_PER_SHARD = 3;
    static final int NODES = SHARDS * NODES_PER_SHARD;
    static final int SENTINELS = 3;
    static final int CLIENTS = 4;
    static final int PROCESSES = NODES + SENTINELS + CLIENTS;

    private static final long FIRST_EPOCH = 1;
    private static final long CLIENTS_END = Plan.FAULTS_END + 5 * Plan.SECOND;
    private static final long MUST_SETTLE = Plan.FAULTS_END + 30 * Plan.SECOND;
    private static final long LAST_SETTLING = 5 * Plan.SECOND;
    private static final long CHECK_PERIOD = 100 * Plan.MILLISECOND;
    private static final int MAX_DRIFT = 10; // of a thousand
    private static final int MOST_ELECTIONS_WITHOUT_FAULTS = 4 * SHARDS;

    private final Plan plan;
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
    private final NodeGateway gateway;
    private final FaultInjector faults;
    private @Nullable Violation violation;
    private boolean readingAll;

    Cluster(Plan plan, Mutant mutant, boolean readable) {
        this.plan = plan;
        this.mutant = mutant;
        this.trace = new Trace(queue, readable);
        this.network = new SimulatedNetwork(
                queue,
                trace,
                Randomness.hash(plan.seed(), Stream.NETWORK, 0),
                PROCESSES,
                plan.inOrder(),
                plan.minDelay(),
                plan.maxDelay());
        this.auditor = new Auditor(this);
        this.faults = new FaultInjector(this, queue, nodes);
        this.topology = firstTopology();
        this.gateway = new ShardNodeGateway(id -> node(id).driver());
        makeProcesses();
    }

    static ShardId shardId(int shard) {
        return new ShardId("shard-" + (shard + 1));
    }

    private static NodeId nodeId(int index) {
        return new NodeId("node-" + (index / NODES_PER_SHARD + 1) + "abc".charAt(index % NODES_PER_SHARD));
    }

    private static ClusterTopology firstTopology() {
        ClusterTopology topology = ClusterTopology.EMPTY;
        for (int shard = 0; shard < SHARDS; shard++) {
            int first = shard * NODES_PER_SHARD;
            List<NodeId> replicas = List.of(nodeId(first + 1), nodeId(first + 2));
            List<TopologyChange> changes = List.of(
                    new TopologyChange.AddShard(shardId(shard), FIRST_EPOCH, nodeId(first), replicas),
                    new TopologyChange.AssignSlots(Keys.SLOTS.get(shard), shardId(shard)));
            topology = topology.apply(topology.version(), changes);
        }
        return topology;
    }

    private void makeProcesses() {
        for (int index = 0; index < NODES; index++) {
            int priority = 1 + (int) Randomness.below(Randomness.hash(plan.seed(), Stream.PRIORITIES, index), 3);
            NodeIdentity identity = new NodeIdentity(shardId(index / NODES_PER_SHARD), nodeId(index), priority);
            int position = index;
            DataNode node = new DataNode(
                    this, process(identity.node(), index, () -> auditor.check(nodes.get(position))), identity);
            nodes.add(node);
            nodesById.put(identity.node(), node);
        }
        for (int i = 0; i < SENTINELS; i++) {
            NodeId id = new NodeId("sentinel-" + (i + 1));
            SentinelHost host = new SentinelHost(this, process(id, NODES + i, () -> {}));
            sentinelIds.add(id);
            sentinels.add(host);
            sentinelsById.put(id, host);
        }
        for (int i = 0; i < CLIENTS; i++) {
            NodeId id = new NodeId("client-" + (i + 1));
            clients.add(new Client(this, process(id, NODES + SENTINELS + i, () -> {}), history));
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

    NodeGateway gateway() {
        return gateway;
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
        coverage.add(Sometimes.MESSAGE_LOST, network.lost());
        coverage.add(Sometimes.MESSAGE_REPEATED, network.repeated());
        coverage.add(Sometimes.LATE_COPY, network.late());
        coverage.add(Sometimes.LATE_COPY_IN_LATER_LIFE, network.lateInLaterLife());
        coverage.add(Sometimes.OPEN_WRITE_SEEN, history.openWritesSeen());
        return new Report(
                plan, found, trace.digest(), queue.now(), queue.eventsRun(), history.operations(), coverage, trace);
    }

    private void runPhases() {
        startAll();
        for (Fault fault : plan.faults()) {
            queue.schedule(fault.at(), () -> faults.begin(fault));
        }
        network.changeLoss(plan.loss());
        network.changeRepeats(plan.repeats());
        runUntil(Plan.FAULTS_END);
        network.changeLoss(-plan.loss());
        network.changeRepeats(-plan.repeats());
        trace.line("cluster", () -> "all faults have ended");
        clients.forEach(Client::resetProgress);
        long elections = coverage.of(Sometimes.ELECTION);
        runUntil(CLIENTS_END);
        while (queue.now() < MUST_SETTLE && !clients.stream().allMatch(Client::hasProgressed)) {
            runUntil(queue.now() + CHECK_PERIOD);
        }
        clients.forEach(Client::stop);
        settle(MUST_SETTLE);
        if (!clients.stream().allMatch(Client::hasProgressed)) {
            throw new Violation("liveness", "clients make no progress");
        }
        elections = coverage.of(Sometimes.ELECTION) - elections;
        if (elections > MOST_ELECTIONS_WITHOUT_FAULTS) {
            throw new Violation("liveness", elections + " elections although all faults have ended");
        }
        readAll();
        settle(queue.now() + LAST_SETTLING);
        checkEnd();
        closeAll();
    }

    private void runUntil(long limit) {
        while (violation == null && queue.runNext(limit)) {}
        if (violation != null) {
            throw violation;
        }
    }

    /** Waits until the cluster is as it has to be without faults and without writes. */
    private void settle(long limit) {
        String unsettled = unsettled();
        while (queue.now() < limit && !unsettled.isEmpty()) {
            runUntil(queue.now() + CHECK_PERIOD);
            unsettled = unsettled();
        }
        if (!unsettled.isEmpty()) {
            throw new Violation("liveness", unsettled);
        }
    }

    private void startAll() {
        nodes.forEach(DataNode::start);
        for (Shard shard : topology.shards()) {
            for (NodeId id : shard.nodes()) {
                NodeDriver driver = Objects.requireNonNull(node(id).driver());
                if (id.equals(shard.primary())) {
                    driver.fence(FIRST_EPOCH);
                    driver.promote(FIRST_EPOCH, LogPosition.START, shard.nodes());
                } else {
                    driver.follow(FIRST_EPOCH, shard.primary());
                }
            }
        }
        sentinels.forEach(SentinelHost::start);
        clients.forEach(Client::start);
    }

    /** {@return what isn't as it has to be in a cluster without faults, or nothing} */
    private String unsettled() {
        for (Client client : clients) {
            if (!client.isIdle()) {
                return client.toString();
            }
        }
        for (Shard shard : topology.shards()) {
            List<NodeStatus> statuses = new ArrayList<>();
            for (NodeId id : shard.nodes()) {
                statuses.add(Objects.requireNonNull(node(id).status()));
            }
            List<NodeStatus> primaries = statuses.stream()
                    .filter(status -> status.role() == NodeRole.PRIMARY)
                    .toList();
            if (primaries.size() != 1 || !primaries.get(0).writable()) {
                return shard.id() + " has not one primary that takes writes: " + statuses;
            }
            NodeStatus primary = primaries.get(0);
            for (NodeStatus status : statuses) {
                if (!status.synced()
                        || !primary.node().equals(status.primary())
                        || !primary.position().equals(status.position())) {
                    return status + " doesn't follow " + primary;
                }
            }
            for (SentinelHost sentinel : sentinels) {
                ClusterTopology known =
                        Objects.requireNonNull(sentinel.driver()).topology();
                Shard told = Objects.requireNonNull(known.shard(shard.id()));
                if (!told.primary().equals(primary.node()) || told.epoch() != primary.epoch()) {
                    return sentinel.process().id() + " holds " + told + ", but the primary is " + primary;
                }
            }
        }
        return "";
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

    private void checkEnd() {
        for (Shard shard : topology.shards()) {
            DataNode first = node(shard.primary());
            for (NodeId id : shard.nodes()) {
                DataNode node = node(id);
                if (!node.log().end().equals(first.log().end()) || node.stateDigest() != first.stateDigest()) {
                    throw new Violation(
                            "equal positions, equal data",
                            id + " at " + node.log().end() + " differs from " + shard.primary() + " at "
                                    + first.log().end());
                }
                LogPosition acknowledged = auditor.lastAcknowledged(shard.id());
                if (!node.log()
                        .history()
                        .contains(acknowledged, node.log().end().offset())) {
                    throw new Violation("acknowledged writes survive", id + " lacks " + acknowledged);
                }
                trace.event(
                        (int) node.stateDigest(),
                        node.process().index(),
                        node.log().end().offset());
            }
        }
        history.check();
    }

    private void closeAll() {
        nodes.forEach(DataNode::close);
        sentinels.forEach(SentinelHost::crash);
        queue.discardAll();
        network.discardKept();
        auditor.close();
        long used = allocator.metric().usedHeapMemory();
        if (used != 0) {
            throw new Violation("all buffers are released", used + " bytes are not");
        }
    }
}
