package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Checks that what was begun ends, while nothing changes: each full sync, each failover that can succeed, each
 * operation of an operator, each detection. It looks at the hosts only, never at the product.
 *
 * <ul>
 *   <li>A full sync ends while its two ends stay up and connected, and few are begun; a member without its data is fed.
 *   <li>A shard serves while a majority of its complete members is up and connected, to each other and to enough
 *       sentinels, or to the primary that served when the faults last changed.
 *   <li>No epochs are used up in a loop, not even while a quorum of the sentinels reaches one member and a quorum
 *       another: then leadership moves ever more seldom.
 *   <li>A sentinel holds a node down in time, late steps or not; and never for what it could not have heard itself.
 *   <li>A member that was the primary, and is reached by a sentinel that reaches the present one, stops in time.
 *   <li>Every operation of an operator ends.
 * </ul>
 *
 * <p>Confined to one thread.
 */
final class Liveness {
    /** How often {@link #check} is to be called. */
    static final long PERIOD = 100 * Plan.MILLISECOND;

    private static final long SYNC_LIMIT = 15 * Plan.SECOND;
    /** A failover, which may first have to wait for 8 s where leadership has been moving back and forth. */
    private static final long SERVE_LIMIT = 12 * Plan.SECOND;

    private static final long CALMING = 8 * Plan.SECOND;
    private static final int MOST_SYNCS = 5;
    private static final int MOST_EPOCHS = 8;
    private static final long SETTLED = 3 * Plan.SECOND;
    private static final long STOP_LIMIT = 4 * Plan.SECOND;

    private final Cluster cluster;
    private final Shape shape;
    private final List<Operation> operations = new ArrayList<>();
    private final List<Expected> expected = new ArrayList<>();
    private final Map<NodeId, Sync> syncs = new HashMap<>();
    private final ShardView[] shards;
    private final long[] incompleteSince;
    /** When each node was last seen not to be well, or each sentinel paused or not connected to it. */
    private final long[][] disturbedAt;
    /** When each node was last seen not to be a former primary that has to stop. */
    private final long[] stoppedAt;

    private long quietSince;

    private static final class ShardView {
        long servedAt;
        int server = -1;
        long canServeSince;
        int servedSinceQuiet = -1;
        int epochs;
    }

    private static final class Sync {
        int primary;
        long began;
        boolean over;
        int begun;
    }

    /** An operation that an operator asked a sentinel for. */
    static final class Operation {
        private final SentinelHost sentinel;
        private final String name;
        private final long endsBy;
        private boolean over;

        private Operation(SentinelHost sentinel, String name, long endsBy) {
            this.sentinel = sentinel;
            this.name = name;
            this.endsBy = endsBy;
        }

        /** Notes that it ended, in whatever way. */
        void end() {
            over = true;
        }
    }

    private record Expected(SentinelHost sentinel, NodeId node, long since, long limit) {}

    Liveness(Cluster cluster) {
        this.cluster = cluster;
        this.shape = cluster.plan().shape();
        this.shards = new ShardView[shape.shards()];
        this.incompleteSince = new long[shape.nodes()];
        this.stoppedAt = new long[shape.nodes()];
        this.disturbedAt = new long[shape.sentinels()][shape.nodes()];
        for (int i = 0; i < shards.length; i++) {
            shards[i] = new ShardView();
        }
    }

    /** Notes that a fault began or ended. */
    void changed() {
        look();
        quietSince = cluster.now();
        expected.clear();
        for (Sync sync : syncs.values()) {
            sync.begun = 0;
        }
        for (ShardView shard : shards) {
            shard.epochs = 0;
            shard.servedSinceQuiet = -1;
            shard.canServeSince = quietSince;
        }
    }

    /** {@return for how long nothing has changed} */
    long quiet() {
        return cluster.now() - quietSince;
    }

    /** Notes that a node crashed although all was well: each sentinel has to notice. */
    void crashed(DataNode node, long quietBefore) {
        if (quietBefore < SETTLED
                || cluster.network().isNoisy()
                || cluster.plan().loss() > 0) {
            return;
        }
        for (SentinelHost sentinel : cluster.sentinels()) {
            if (isWell(sentinel.process()) && connects(sentinel.process(), node.process())) {
                // it heard the node late, forgives twice the longest delay, and notices late
                long limit = SentinelHost.DETECTION
                        + 2 * cluster.plan().maxDelay()
                        + 4 * sentinel.process().lateness()
                        + 2 * node.process().lateness();
                expected.add(new Expected(sentinel, node.identity().node(), cluster.now(), cluster.now() + limit));
            }
        }
    }

    /** Notes that a process hears from another what that has said long ago: a node that is down seems to live. */
    void heardLate(SimulatedProcess from, SimulatedProcess to) {
        expected.removeIf(
                each -> each.sentinel.process() == to && cluster.node(each.node).process() == from);
    }

    /** Notes that a sentinel holds a node down, since it is silent or for what it says. */
    void heldDown(SentinelHost sentinel, DataNode node, boolean silent) {
        expected.removeIf(each ->
                each.sentinel == sentinel && each.node.equals(node.identity().node()));
        look();
        long disturbed = disturbedAt[sentinel.process().index() - shape.nodes()][
                node.process().index()];
        if (silent && cluster.now() - disturbed > SETTLED) {
            fail(
                    "a node that is well is not held down",
                    node.process().id() + " is, by " + sentinel.process().id());
        }
    }

    /** Notes that an operator asked a sentinel for something that ends within a time. */
    Operation began(SentinelHost sentinel, String name, long limit) {
        Operation operation = new Operation(sentinel, name, cluster.now() + limit);
        operations.add(operation);
        return operation;
    }

    /** Notes that a primary began a full sync of a replica. */
    void syncBegan(DataNode primary, NodeId replica) {
        Sync sync = syncs.computeIfAbsent(replica, id -> new Sync());
        sync.primary = primary.process().index();
        sync.began = sync.begun == 0 || sync.over ? cluster.now() : sync.began; // one after the other is no progress
        sync.over = false;
        sync.begun++;
        if (sync.begun > MOST_SYNCS && quiet() > CALMING && !cluster.network().losesLarge(node(replica))) {
            fail("full syncs are few", sync.begun + " of " + replica + " were begun while nothing changed");
        }
    }

    /** Notes that a full sync of a replica was completed. */
    void syncCompleted(NodeId replica) {
        Sync sync = syncs.get(replica);
        if (sync != null) {
            sync.over = true;
        }
    }

    /** Notes that a node of a shard promised an epoch above all that any node had promised. */
    void epochUsed(int shard) {
        ShardView view = shards[shard];
        view.epochs += quiet() > CALMING ? 1 : 0;
        if (view.epochs > MOST_EPOCHS) {
            fail(
                    "no epochs are used up in a loop",
                    view.epochs + " of " + Cluster.shardId(shard) + " while nothing changed");
        }
    }

    /** Notes which nodes are not well, or out of reach of a sentinel, now. */
    private void look() {
        long now = cluster.now();
        boolean noisy = cluster.network().isNoisy() || cluster.network().losesSome();
        for (DataNode node : cluster.nodes()) {
            int index = node.process().index();
            boolean well = !noisy && isWell(node.process()) && !node.hasDiskFull();
            for (int s = 0; s < shape.sentinels(); s++) {
                if (!well
                        || cluster.sentinels().get(s).process().isPaused()
                        || !cluster.network().connects(shape.nodes() + s, index)) {
                    disturbedAt[s][index] = now;
                }
            }
        }
    }

    /** Looks at everything once. */
    void check() {
        look();
        long now = cluster.now();
        if (now < Plan.FAULTS_BEGIN || cluster.network().isNoisy()) {
            changed();
        }
        expected.removeIf(each -> !isWell(each.sentinel.process()) || !cluster.isMember(cluster.node(each.node)));
        for (Expected each : expected) {
            if (now > each.limit) {
                fail(
                        "a node that is down is held down in time",
                        each.sentinel.process().id() + " has not noticed the end of " + each.node + " after "
                                + (now - each.since) / Plan.MILLISECOND + " ms");
            }
        }
        operations.removeIf(each -> each.over || !isWell(each.sentinel.process()));
        for (Operation each : operations) {
            if (now > each.endsBy) {
                fail(
                        "every operation ends",
                        each.name + " at " + each.sentinel.process().id() + " has no outcome");
            }
        }
        for (int shard = 0; shard < shape.shards(); shard++) {
            checkShard(shard);
            checkFormerPrimaries(shard);
        }
        syncs.forEach((id, sync) -> checkSync(node(id), sync));
    }

    private void checkSync(int replica, Sync sync) {
        long now = cluster.now();
        DataNode primary = cluster.nodes().get(sync.primary);
        if (sync.over
                || !primary.isPrimary()
                || hasGivenUp(primary, replica)
                || cluster.network().losesLarge(replica)
                || !isWell(primary.process())
                || !isWell(cluster.nodes().get(replica).process())
                || !cluster.network().connects(sync.primary, replica)) {
            sync.over = true;
        } else if (quiet() > SYNC_LIMIT && now - sync.began > SYNC_LIMIT) {
            fail(
                    "a full sync that was begun ends",
                    primary.process().id() + " has been feeding "
                            + cluster.nodes().get(replica).process().id() + " for "
                            + (now - sync.began) / Plan.MILLISECOND + " ms");
        }
    }

    /**
     * Whether a primary has given up a full sync, if it had begun one, by what it says itself: it sends the replica
     * records, or lets it wait for its next try.
     */
    private boolean hasGivenUp(DataNode primary, int replica) {
        NodeStatus status = primary.status();
        NodeId id = cluster.nodes().get(replica).identity().node();
        return status != null
                && status.replicas().stream()
                        .filter(each -> each.node().equals(id))
                        .anyMatch(each ->
                                each.state().equals("STREAMING") || each.state().equals("SUSPENDED"));
    }

    private void checkShard(int shard) {
        ShardView view = shards[shard];
        long now = cluster.now();
        int first = shard * shape.members();
        for (int i = first; i < first + shape.members(); i++) {
            DataNode node = cluster.nodes().get(i);
            if (node.isPrimary() && node.isWritable() && isWell(node.process()) && peers(i, first, false) != 0) {
                view.servedAt = now;
                view.server = i;
                if (view.servedSinceQuiet < 0 && now - quietSince < 2 * PERIOD) {
                    view.servedSinceQuiet = i;
                }
            }
            boolean fed = view.servedAt == now
                    && view.server != i
                    && !node.isComplete()
                    && isWell(node.process())
                    && view.server >= 0
                    && cluster.network().connects(view.server, i)
                    && !cluster.network().losesLarge(i)
                    && cluster.isMember(node);
            if (!fed || quiet() == 0) {
                incompleteSince[i] = now;
            } else if (now - incompleteSince[i] > SYNC_LIMIT + Plan.SECOND && quiet() > SYNC_LIMIT) {
                fail(
                        "a member without its data is fed",
                        node.process().id() + " is not, by "
                                + cluster.nodes().get(view.server).process().id());
            }
        }
        boolean can =
                (view.servedSinceQuiet >= 0 && peers(view.servedSinceQuiet, first, true) != 0) || canFailOver(shard);
        if (!can || !cluster.isPresent(shard)) {
            view.canServeSince = now;
        }
        if (now - view.canServeSince > SERVE_LIMIT && now - view.servedAt > SERVE_LIMIT && quiet() > SERVE_LIMIT) {
            fail(
                    "a shard that can serve serves",
                    Cluster.shardId(shard) + " has not for " + (now - view.servedAt) / Plan.MILLISECOND + " ms");
        }
    }

    /** A former primary is told at once by whoever hears it, even while it is out of reach of the present one. */
    private void checkFormerPrimaries(int shard) {
        long now = cluster.now();
        DataNode primary = cluster.latestPrimary(shard);
        for (int i = shard * shape.members(); i < (shard + 1) * shape.members(); i++) {
            DataNode node = cluster.nodes().get(i);
            if (primary == null || !mustStop(node, primary)) {
                stoppedAt[i] = now;
            } else if (now - stoppedAt[i] > STOP_LIMIT) {
                fail(
                        "a former primary stops",
                        node.process().id() + " still leads epoch "
                                + requireNonNull(node.status()).epoch() + ", although "
                                + primary.process().id() + " leads a later one");
            }
        }
    }

    /** Whether a node leads an earlier epoch than another, and a sentinel that knows that reaches both. */
    private boolean mustStop(DataNode node, DataNode primary) {
        if (node == primary
                || !node.isPrimary()
                || !cluster.isMember(node)
                || !isWell(node.process())
                || !isWell(primary.process())) {
            return false;
        }
        ShardId shard = node.identity().shard();
        long epoch = requireNonNull(primary.status()).epoch();
        for (SentinelHost sentinel : cluster.sentinels()) {
            if (isWell(sentinel.process())
                    && connects(sentinel.process(), node.process())
                    && connects(sentinel.process(), primary.process())) {
                Shard known = sentinel.topology().shard(shard);
                if (known != null && known.epoch() == epoch) {
                    return !cluster.network().isNoisy() && cluster.plan().loss() == 0;
                }
            }
        }
        return false;
    }

    /** {@return the complete members that are well and connected to one and to each other, if they are a majority} */
    private long peers(int one, int first, boolean mutually) {
        long found = 0;
        for (int i = first; i < first + shape.members(); i++) {
            DataNode node = cluster.nodes().get(i);
            boolean joins = node.isComplete()
                    && isWell(node.process())
                    && (i == one || cluster.network().connects(one, i))
                    && !cluster.network().losesLarge(i);
            for (int j = first; mutually && joins && j < i; j++) {
                joins = (found >> j & 1) == 0 || cluster.network().connects(i, j);
            }
            if (joins) {
                found |= 1L << i;
            }
        }
        long joined = found;
        return (found >> one & 1) == 1
                        && cluster.isMajority(
                                shape.shardOf(one),
                                node -> (joined >> node.process().index() & 1) == 1)
                ? found
                : 0;
    }

    /** Whether a majority of members, all connected, is seen by enough sentinels, all connected, that see no other. */
    private boolean canFailOver(int shard) {
        int first = shard * shape.members();
        for (int one = first; one < first + shape.members(); one++) {
            long members = peers(one, first, true);
            if (members != 0 && !cluster.hasPriorityZero(shard) && sentinelsSee(members, first)) {
                return true;
            }
        }
        return false;
    }

    private boolean sentinelsSee(long members, int first) {
        int enough = Math.max(Shape.majority(shape.sentinels()), shape.quorum());
        int all = 0;
        for (int s = shape.nodes(); s < shape.nodes() + shape.sentinels(); s++) {
            SentinelHost sentinel = cluster.sentinels().get(s - shape.nodes());
            boolean sees = isWell(sentinel.process()) && !sentinel.hasDiskFull();
            for (int m = first; sees && m < first + shape.members(); m++) {
                boolean reached = cluster.network().connects(s, m)
                        && isWell(cluster.nodes().get(m).process());
                sees = (members >> m & 1) == 1
                        ? reached && !cluster.nodes().get(m).hasDiskFull()
                        : !cluster.nodes().get(m).isComplete() || !reached;
            }
            for (int other = shape.nodes(); sees && other < s; other++) {
                sees = cluster.network().connects(s, other);
            }
            if (!sees) {
                return false; // whoever sees another picture may hold others up
            }
            all++;
        }
        return all >= enough;
    }

    private boolean connects(SimulatedProcess one, SimulatedProcess other) {
        return cluster.network().connects(one.index(), other.index());
    }

    private static boolean isWell(SimulatedProcess process) {
        return process.isUp() && !process.isPaused();
    }

    private int node(NodeId id) {
        return cluster.node(id).process().index();
    }

    private void fail(String invariant, String message) {
        cluster.fail(new Violation(invariant, message));
    }
}
