package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.Operation;
import io.kvorum.replication.LogHistory;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.Promise;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Checks after each step what must hold at every moment, at a cost that doesn't grow with the run. It sees what no node
 * sees: all of them.
 *
 * <ul>
 *   <li>A shard has at most one primary in an epoch.
 *   <li>What a node has promised never goes back, over restarts too.
 *   <li>A node whose data is complete has all that it ever had, or what a later epoch put in its place.
 *   <li>Where two logs of a shard have the same position, everything before it is the same.
 *   <li>What was acknowledged by a majority is in the log of every primary of a later epoch.
 *   <li>An epoch is ordered by one sentinel only.
 *   <li>No two promotions of one epoch are ordered to different nodes.
 *   <li>A promotion names the position that the node had when it promised the epoch.
 *   <li>A promise that a node shows to anybody is on its disk.
 *   <li>A promise that is on a disk never falls, as long as the incarnation is the same.
 *   <li>Before a node leads an epoch, the promises of a majority of its members are on their disks.
 *   <li>A node acknowledges nothing that is not in its log.
 *   <li>A node that lost its data isn't complete, and tells nobody that it is, before it has taken a full sync that was
 *       begun afterwards.
 *   <li>A sentinel that is asked for a switchover orders no promotion before the primary is paused; where a node was
 *       named, it leads, or the switchover has failed.
 * </ul>
 *
 * <p>Confined to one thread.
 */
final class Auditor {
    private static final int HEADER = 8; // of a record: the length of its payload, its kind, its version, its slot
    private static final int BEGIN = 1;
    private static final int AUDIT_BYTES = 1 << 20;

    private final Cluster cluster;
    private final Map<InEpoch, NodeId> primaries = new HashMap<>();
    private final Map<InEpoch, NodeId> promotions = new HashMap<>();
    private final Map<InEpoch, NodeId> candidates = new HashMap<>();
    private final Map<ShardId, Switchover> switchovers = new HashMap<>();
    private final Map<NodeId, NodeAudit> nodes = new HashMap<>();
    private final Map<ShardId, ShardAudit> shards = new HashMap<>();
    private final Map<SyncId, Long> syncs = new HashMap<>();
    private final Map<Member, Long> saved = new HashMap<>();
    private final Map<Member, Promised> promises = new HashMap<>();
    private final ByteBuf records;
    private long majorityWrites;
    private long localWrites;
    private long localLost;

    private record SyncId(NodeId primary, long epoch, long sync, long incarnation, long life) {
        static SyncId of(DataNode primary, SnapshotPart part) {
            return new SyncId(primary.identity().node(), part.epoch(), part.sync(), part.incarnation(), part.life());
        }
    }

    private record InEpoch(ShardId shard, long epoch) {}

    /** Where a node was when it promised an epoch to somebody. */
    private record Promised(long epoch, LogPosition position) {}

    private static final class Switchover {
        final NodeId sentinel;
        boolean paused;

        Switchover(NodeId sentinel) {
            this.sentinel = sentinel;
        }
    }

    private static final class NodeAudit {
        @Nullable
        NodeStatus checked;

        long promised;
        /** The member lists that it knew last. */
        @Nullable
        Membership members;

        boolean lost;
        long lostAt;
        LogPosition had = LogPosition.START;

        @Nullable
        ReplicationLog log;

        LogPosition end = LogPosition.START;
        long digest;
    }

    private static final class ShardAudit {
        final Map<LogPosition, Long> digests = new HashMap<>(Map.of(LogPosition.START, 0L));
        LogPosition acknowledged = LogPosition.START;
        final List<LogPosition> local = new ArrayList<>();
        /** The member lists of the latest primary, as it knew them last. */
        @Nullable
        Membership members;

        long epoch;
        LogHistory history = LogHistory.EMPTY;
        long promotedAt;
        long promised;
        long ordered = Cluster.FIRST_EPOCH;
        final Set<Long> beginnings = new HashSet<>();
    }

    Auditor(Cluster cluster) {
        this.cluster = cluster;
        this.records = cluster.allocator().buffer(AUDIT_BYTES);
    }

    void close() {
        records.release();
    }

    /** Checks a node after something happened to it. */
    void check(DataNode node) {
        NodeStatus status = node.status();
        if (status == null) {
            return;
        }
        NodeAudit audit = nodes.computeIfAbsent(status.node(), id -> new NodeAudit());
        audit.members = status.membership();
        LogPosition end = node.log().end();
        if (isAsChecked(status, audit.checked) && node.log() == audit.log && end.equals(audit.end)) {
            noteMembers(status);
            return; // nothing else has changed
        }
        boolean leadsAsChecked = audit.checked != null
                && audit.checked.role() == NodeRole.PRIMARY
                && audit.checked.epoch() == status.epoch();
        audit.checked = status;
        if (status.epoch() < audit.promised) {
            fail("epochs never go back", status.node() + " had promised " + audit.promised + ", now " + status.epoch());
        }
        audit.promised = status.epoch();
        ShardAudit shard = shard(status.shard());
        if (status.role() == NodeRole.PRIMARY && shard.beginnings.remove(status.epoch())) {
            cluster.begunAnew(node);
        }
        noteMembers(status);
        if (status.epoch() > shard.ordered) {
            fail(
                    "an epoch comes from a sentinel",
                    status.node() + " promised " + status.epoch() + ", ordered was " + shard.ordered);
        }
        if (status.epoch() > shard.promised) {
            shard.promised = status.epoch();
            cluster.liveness()
                    .epochUsed(cluster.plan().shape().shardOf(node.process().index()));
        }
        if (status.complete()) {
            if (audit.lost) {
                fail("a node that lost its data is not complete", status.toString());
            }
            if (status.position().compareTo(audit.had) < 0) {
                fail("no complete node goes back", status + " had " + audit.had);
            }
            audit.had = status.position();
        }
        if (status.role() == NodeRole.PRIMARY && !leadsAsChecked) {
            NodeId other = primaries.putIfAbsent(new InEpoch(status.shard(), status.epoch()), status.node());
            if (other == null) {
                promoted(node, status);
            } else if (!other.equals(status.node())) {
                fail(
                        "one primary per epoch",
                        status.shard() + " epoch " + status.epoch() + ": " + other + " and " + status.node());
            }
        }
        if (node.log() != audit.log || !end.equals(audit.end)) {
            readLog(node, audit, end);
        }
    }

    private void noteMembers(NodeStatus status) {
        if (status.role() == NodeRole.PRIMARY) { // each step of each node asks
            ShardAudit shard = shard(status.shard());
            shard.members = status.epoch() >= shard.epoch ? status.membership() : shard.members;
        }
    }

    /** Whether a status has everything that is checked as the one before had it. */
    private static boolean isAsChecked(NodeStatus status, @Nullable NodeStatus before) {
        return before != null
                && status.epoch() == before.epoch()
                && status.role() == before.role()
                && status.complete() == before.complete()
                && status.position().equals(before.position());
    }

    /** Notes that a node crashed: a promise that it could not save has never left it, and may be forgotten. */
    void crashed(DataNode node, long savedPromise) {
        NodeAudit audit = nodes.get(node.identity().node());
        if (audit != null) {
            audit.checked = null;
            audit.promised = savedPromise;
        }
    }

    /** Notes that a node lost its data, and perhaps its promise. */
    void dataLost(DataNode node, boolean promiseToo) {
        NodeAudit audit = nodes.computeIfAbsent(node.identity().node(), id -> new NodeAudit());
        audit.checked = null;
        audit.lost = true;
        audit.lostAt = cluster.now();
        audit.members = null;
        audit.had = LogPosition.START;
        promises.keySet()
                .removeIf(member -> member.node().equals(node.identity().node()));
        if (promiseToo) {
            audit.promised = 0;
        }
    }

    /** Notes that a primary sends the first part of a full sync. */
    void syncBegins(DataNode primary, SnapshotPart part) {
        syncs.putIfAbsent(SyncId.of(primary, part), cluster.now());
    }

    /**
     * Notes that a node is given the last part of a full sync that was meant for this life of it. It counts if it was
     * begun after the node had lost its data.
     */
    void syncCompletes(DataNode node, DataNode primary, SnapshotPart part) {
        NodeAudit audit = nodes.get(node.identity().node());
        Long began = syncs.get(SyncId.of(primary, part));
        if (audit != null && began != null && began >= audit.lostAt) {
            audit.lost = false;
        }
    }

    /** Notes that all data of a shard is lost, so that nothing of it can be demanded any more. */
    void allLost(List<DataNode> members) {
        ShardAudit shard = shard(members.get(0).identity().shard());
        shard.acknowledged = LogPosition.START;
        shard.local.clear();
        shard.members = null;
        shard.epoch = 0; // who forgets all epochs may well draw a lower one
        shard.history = LogHistory.EMPTY;
        shard.promotedAt = 0;
        shard.digests.clear();
        shard.digests.put(LogPosition.START, 0L);
        members.forEach(node -> nodes.computeIfAbsent(node.identity().node(), id -> new NodeAudit()).lost = false);
    }

    /**
     * {@return whether some nodes of a shard are a majority, whoever of its nodes decides: by the lists of the latest
     * primary, and by those that each of them knew last} A node without a memory of its promises is another member.
     *
     * @param nodesOfShard all its nodes
     * @param has whether a node is one of them
     */
    boolean isMajority(List<DataNode> nodesOfShard, Predicate<DataNode> has) {
        Membership latest = shard(nodesOfShard.get(0).identity().shard()).members;
        return latest != null
                && isMajority(latest, has)
                && nodesOfShard.stream().allMatch(node -> {
                    NodeAudit audit = nodes.get(node.identity().node());
                    return audit == null || audit.members == null || isMajority(audit.members, has);
                });
    }

    private boolean isMajority(Membership members, Predicate<DataNode> has) {
        return members.isMajority(member -> {
            DataNode node = cluster.node(member.node());
            return node.incarnation() == member.incarnation() && has.test(node);
        });
    }

    /**
     * Notes that a node has begun its shard anew: what others have, and it lacks, is given up.
     *
     * @return whether it stays so; otherwise a majority of the members before has its data and has promised nothing,
     *     and may go on with the old history, which the operator should have seen to
     */
    boolean begunAnew(DataNode node) {
        ShardAudit shard = shard(node.identity().shard());
        long epoch = requireNonNull(node.status()).epoch();
        boolean forked = shard.members != null
                && isMajority(shard.members, other -> other.isComplete() && other.savedPromise() < epoch);
        shard.acknowledged = LogPosition.START;
        shard.local.clear();
        shard.history = LogHistory.EMPTY;
        shard.promotedAt = 0;
        shard.digests.put(new LogPosition(0, node.log().firstOffset()), 0L);
        NodeAudit audit = nodes.computeIfAbsent(node.identity().node(), id -> new NodeAudit());
        audit.lost = false;
        audit.had = LogPosition.START;
        return !forked;
    }

    /** Notes that a node showed its promise to somebody. */
    void promiseShown(DataNode node, long shown, long saved) {
        if (shown > saved) {
            fail("a promise is saved first", node.identity().node() + " shows " + shown + ", saved is " + saved);
        }
    }

    /** Notes that a node tells a primary where it is. */
    void positionShown(DataNode node, ReplicationMessage.Ack ack) {
        if (ack.position().compareTo(node.log().end()) > 0) {
            fail(
                    "what is acknowledged is in the log",
                    node.identity().node() + " acknowledges " + ack.position() + " at "
                            + node.log().end());
        }
        if (ack.complete()) {
            saysComplete(node);
        }
    }

    /** Notes that a node tells somebody that its data is complete. */
    void saysComplete(DataNode node) {
        check(node); // which may have begun its shard anew in this very step
        NodeAudit audit = nodes.get(node.identity().node());
        if (audit != null && audit.lost) {
            fail("a node that lost its data says so", node.identity().node() + " says that it is complete");
        }
    }

    /** Notes that a node begins a life with a promise. */
    void started(DataNode node, Promise promise) {
        saved(node, promise);
    }

    /** Notes that a promise is on a disk. */
    void saved(DataNode node, Promise promise) {
        Member member = new Member(node.identity().node(), promise.incarnation());
        long before = saved.getOrDefault(member, 0L);
        if (promise.epoch() < before) {
            fail("a saved promise never falls", member + " had promised " + before + ", now " + promise.epoch());
        }
        saved.put(member, promise.epoch());
        if (promise.epoch() > before && promise.holder() != null) {
            promises.put(member, new Promised(promise.epoch(), node.log().end()));
        }
    }

    /** Notes that a sentinel ordered a node of a shard to promise an epoch. */
    void epochOrdered(ShardId id, long epoch) {
        ShardAudit shard = shard(id);
        shard.ordered = Math.max(shard.ordered, epoch);
    }

    /** Notes that a sentinel ordered a node of a shard to promise an epoch that it has taken. */
    void fenceSent(NodeId sentinel, ShardId shard, long epoch) {
        epochOrdered(shard, epoch);
        NodeId other = candidates.putIfAbsent(new InEpoch(shard, epoch), sentinel);
        if (other != null && !other.equals(sentinel)) {
            fail("an epoch is one sentinel's", shard + " epoch " + epoch + ": " + other + " and " + sentinel);
        }
    }

    /** Notes that a sentinel ordered a node to begin its shard anew in an epoch. */
    void beginSent(ShardId shard, long epoch) {
        shard(shard).beginnings.add(epoch);
    }

    /** Notes that a sentinel ordered a node to lead. */
    void promoteSent(NodeId sentinel, NodeId node, NodeCommand.Promote promote) {
        ShardId shard = promote.shard();
        long epoch = promote.epoch();
        Promised promised = promises.get(new Member(node, promote.incarnation()));
        if (promised != null && promised.epoch == epoch && !promised.position.equals(promote.expected())) {
            fail(
                    "a promotion rests on a promise",
                    sentinel + " promotes " + node + " at " + promote.expected() + ", which promised " + epoch + " at "
                            + promised.position);
        }
        NodeId other = promotions.putIfAbsent(new InEpoch(shard, epoch), node);
        if (other != null && !other.equals(node)) {
            fail(
                    "one promotion per epoch",
                    shard + " epoch " + epoch + ": " + other + " and, by " + sentinel + ", " + node);
        }
        Switchover switchover = switchovers.get(shard);
        if (switchover != null && switchover.sentinel.equals(sentinel) && !switchover.paused) {
            fail("a switchover pauses first", sentinel + " promotes " + node + " in epoch " + epoch + " of " + shard);
        }
    }

    /** Notes that an operator asked a sentinel to give a shard whose primary is well another one. */
    void switchoverAsked(NodeId sentinel, ShardId shard) {
        if (cluster.isServedFor(sentinel, shard)) {
            switchovers.put(shard, new Switchover(sentinel));
        }
    }

    /** Notes that the primary told a sentinel that it is paused. */
    void switchoverPaused(NodeId sentinel, ShardId shard) {
        Switchover switchover = switchovers.get(shard);
        if (switchover != null && switchover.sentinel.equals(sentinel)) {
            switchover.paused = true;
        }
    }

    /** Notes that what an operator asked a sentinel for is over; without a primary it was refused, or has failed. */
    void performed(NodeId sentinel, Operation operation, @Nullable NodeId primary) {
        if (operation instanceof Operation.FailOver failOver) {
            switchoverOver(sentinel, operation.shard());
            if (primary != null && failOver.target() != null && !primary.equals(failOver.target())) {
                fail("who is asked for leads", operation + " at " + sentinel + " has brought about " + primary);
            }
        } else if (operation instanceof Operation.Replace && primary != null) {
            cluster.coverage().count(Sometimes.REPLACED);
        }
    }

    private void switchoverOver(NodeId sentinel, ShardId shard) {
        Switchover switchover = switchovers.get(shard);
        if (switchover != null && switchover.sentinel.equals(sentinel)) {
            switchovers.remove(shard);
        }
    }

    /** Forgets all switchovers: something went wrong that may make failovers of them. */
    void switchoversDisturbed() {
        switchovers.clear();
    }

    /** Follows a node's log from where it was last read, or from where it begins now. */
    private void readLog(DataNode node, NodeAudit audit, LogPosition end) {
        ReplicationLog log = node.log();
        ShardAudit shard = shard(node.identity().shard());
        LogHistory history = log.history();
        if (log != audit.log || audit.end.offset() < log.firstOffset() || !history.contains(audit.end, end.offset())) {
            audit.log = log;
            audit.end = positionAt(history, log.firstOffset());
            Long known = shard.digests.get(audit.end);
            if (known == null) {
                fail("log prefixes are equal", node.identity() + " begins at " + audit.end + ", where no log was");
                return;
            }
            audit.digest = known;
        }
        records.clear();
        log.read(audit.end.offset(), records, AUDIT_BYTES);
        long epoch = audit.end.epoch();
        long offset = audit.end.offset();
        int size;
        for (int at = 0; at < records.writerIndex(); at += size) {
            size = HEADER + records.getInt(at);
            epoch = records.getByte(at + Integer.BYTES) == BEGIN ? records.getLong(at + HEADER) : epoch;
            offset += size;
            audit.digest = digest(audit.digest, at, size);
            LogPosition position = new LogPosition(epoch, offset);
            Long known = shard.digests.putIfAbsent(position, audit.digest);
            if (known != null && known != audit.digest) {
                fail("log prefixes are equal", node.identity().node() + " differs from another log at " + position);
                return;
            }
        }
        audit.end = end;
        if (offset != end.offset() || epoch != end.epoch()) {
            fail(
                    "log prefixes are equal",
                    node.identity().node() + " ends at " + end + ", its records at " + epoch + ":" + offset);
        }
    }

    private long digest(long before, int at, int size) {
        long digest = before;
        int i = at;
        for (; i + Long.BYTES <= at + size; i += Long.BYTES) {
            digest = Randomness.mix(digest ^ records.getLong(i)) + size;
        }
        for (; i < at + size; i++) {
            digest = Randomness.mix(digest ^ records.getByte(i));
        }
        return digest;
    }

    static LogPosition positionAt(LogHistory history, long offset) {
        long epoch = 0;
        for (LogHistory.Leadership leadership : history.leaderships()) {
            if (leadership.firstOffset() < offset) {
                epoch = leadership.epoch();
            }
        }
        return new LogPosition(epoch, offset);
    }

    /** Notes that a node became the primary, and checks that it has all that was acknowledged. */
    private void promoted(DataNode node, NodeStatus status) {
        long epoch = status.epoch();
        Membership members = status.membership();
        boolean promised = members != null && members.isMajority(member -> saved.getOrDefault(member, 0L) >= epoch);
        if (!promised && epoch != Cluster.FIRST_EPOCH) { // the shard begins at once, its members are fenced meanwhile
            fail("a majority has promised before", status.node() + " leads epoch " + epoch + " of " + members);
        }
        ShardAudit shard = shard(node.identity().shard());
        LogHistory history = node.log().history();
        long end = node.log().end().offset();
        if (shard.acknowledged.epoch() < epoch && !history.contains(shard.acknowledged, end)) {
            fail(
                    "acknowledged writes survive",
                    node.identity().node() + " leads epoch " + epoch + " with " + history + " and lacks "
                            + shard.acknowledged);
        }
        if (epoch > shard.epoch) {
            shard.epoch = epoch;
            shard.history = history;
            shard.promotedAt = end;
            localLost += shard.local.size();
            shard.local.removeIf(position -> !history.contains(position, end));
            localLost -= shard.local.size();
        }
    }

    /** Notes that a primary acknowledged a write, and checks that later primaries have it. */
    void acknowledged(DataNode node, LogPosition position) {
        majorityWrites++;
        ShardAudit shard = shard(node.identity().shard());
        if (position.epoch() < shard.epoch && !shard.history.contains(position, shard.promotedAt)) {
            fail(
                    "acknowledged writes survive",
                    node.identity().node() + " acknowledged " + position + ", which the primary of epoch " + shard.epoch
                            + " lacks");
        }
        if (position.compareTo(shard.acknowledged) > 0) {
            shard.acknowledged = position;
        }
    }

    /** Notes that a primary alone acknowledged a write, which a later primary may lack. */
    void acknowledgedLocally(DataNode node, LogPosition position) {
        localWrites++;
        ShardAudit shard = shard(node.identity().shard());
        if (position.epoch() < shard.epoch && !shard.history.contains(position, shard.promotedAt)) {
            localLost++;
        } else {
            shard.local.add(position);
        }
    }

    long majorityWrites() {
        return majorityWrites;
    }

    long localWrites() {
        return localWrites;
    }

    long localLost() {
        return localLost;
    }

    /** {@return the last position that was acknowledged in a shard} */
    LogPosition lastAcknowledged(ShardId shard) {
        return shard(shard).acknowledged;
    }

    private ShardAudit shard(ShardId id) {
        return shards.computeIfAbsent(id, shard -> new ShardAudit());
    }

    private void fail(String invariant, String message) {
        cluster.fail(new Violation(invariant, message));
    }
}
