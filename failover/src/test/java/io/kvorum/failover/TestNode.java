package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.Promise;
import io.kvorum.replication.Ready;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A real {@link ShardNode} with what a driver would keep for it: its log, its state and its promise. */
final class TestNode {
    private static final ReplicationSettings SETTINGS = ReplicationSettings.defaults();
    private static final int LOG_BYTES = 1 << 14;
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false, true);

    final NodeId id;
    final ShardId shard;
    boolean up = true;
    /** Whether it can save its promise. */
    boolean disk = true;

    int priority = NodeIdentity.DEFAULT_PRIORITY;
    /** Counts the starts, so that what one of them had planned is not done in the next. */
    int start;
    /** The number of the wake-up that is due next; an earlier one is void. */
    long wake;

    private ReplicationLog log = ReplicationLog.inMemory(LOG_BYTES);
    private Numbers numbers = new Numbers();
    private ShardNode node;
    private @Nullable Promise saved;
    /** A promise that could not be saved yet. */
    private @Nullable Promise unsaved;
    /** What was written here in the present leadership, by the offset after it, until it is committed. */
    private final NavigableMap<Long, Long> uncommitted = new TreeMap<>();

    TestNode(NodeId id, ShardId shard, long incarnation, long now) {
        this.id = id;
        this.shard = shard;
        node = machine(new Promise(incarnation, 1, 0, null, false), false, now);
    }

    private ShardNode machine(Promise promise, boolean complete, long now) {
        return new ShardNode(SETTINGS, new NodeIdentity(shard, id), log, numbers, ALLOCATOR, promise, complete, now);
    }

    /** Ends this life and begins the next one; without its promise the node is another member. */
    void restart(boolean withData, boolean withPromise, long newIncarnation, long now) {
        boolean complete = withData && withPromise && status().complete();
        node.close();
        ready().messages().forEach(envelope -> envelope.message().release());
        if (!withData || !withPromise) {
            log = ReplicationLog.inMemory(LOG_BYTES);
            numbers = new Numbers();
        }
        Promise promise =
                withPromise ? requireNonNull(saved).nextLife() : new Promise(newIncarnation, 1, 0, null, false);
        node = machine(promise, complete, now);
        uncommitted.clear();
        unsaved = null;
        up = true;
        start++;
    }

    // What is known of it.

    NodeStatus status() {
        return node.status();
    }

    boolean isPrimary() {
        return status().role() == NodeRole.PRIMARY;
    }

    /** {@return the epoch that it leads, 0 if none} */
    long leading() {
        NodeStatus status = status();
        return status.role() == NodeRole.PRIMARY ? status.epoch() : 0;
    }

    boolean has(long number) {
        return numbers.has(number);
    }

    Member member() {
        return new Member(id, status().incarnation());
    }

    boolean isCompleteMember(NodeStatus primary) {
        return status().complete()
                && primary.membership() != null
                && primary.membership().previous() == null
                && primary.membership().current().contains(member());
    }

    NodeReport report() {
        return report(status());
    }

    private NodeReport report(NodeStatus status) {
        boolean leads = status.role() == NodeRole.PRIMARY;
        return new NodeReport(
                status.node(),
                status.shard(),
                status.incarnation(),
                leads,
                status.epoch(),
                leads ? null : status.primary(),
                status.position(),
                status.committed(),
                status.complete(),
                status.begun(),
                status.membership(),
                status.membersAt(),
                status.joining(),
                priority);
    }

    // Inputs. What comes of them is in ready().

    NodeAnswer handle(NodeCommand command, long now) {
        if (!command.shard().equals(shard)) {
            return new NodeAnswer(command, Outcome.WRONG_SHARD, report());
        } else if (unsaved != null) {
            return new NodeAnswer(command, Outcome.NOT_SAVED, report());
        } else if (command instanceof NodeCommand.Describe) {
            return new NodeAnswer(command, Outcome.DONE, report());
        }
        ControlAnswer answer = carryOut(command, now);
        Outcome outcome = node.hasNewPromise() && !disk
                ? Outcome.NOT_SAVED
                : Outcome.valueOf(answer.outcome().name());
        return new NodeAnswer(command, outcome, report(answer.status()));
    }

    private ControlAnswer carryOut(NodeCommand command, long now) {
        if (command instanceof NodeCommand.Fence fence) {
            return node.fence(fence.epoch(), fence.holder());
        } else if (command instanceof NodeCommand.Promote promote) {
            return node.promote(
                    promote.epoch(),
                    promote.holder(),
                    promote.incarnation(),
                    promote.expected(),
                    promote.committed(),
                    now);
        } else if (command instanceof NodeCommand.Begin begin) {
            return node.begin(begin.epoch(), begin.holder(), begin.members(), begin.joining(), begin.dataLost(), now);
        } else if (command instanceof NodeCommand.Follow follow) {
            return node.follow(follow.epoch(), follow.primary(), now);
        } else if (command instanceof NodeCommand.Pause pause) {
            return node.pause(pause.epoch(), now + pause.limit().toNanos());
        } else if (command instanceof NodeCommand.Resume resume) {
            return node.resume(resume.epoch(), now);
        } else if (command instanceof NodeCommand.Replace replace) {
            return node.replace(replace.epoch(), replace.outgoing(), replace.incoming());
        }
        throw new AssertionError(command);
    }

    void tick(long now) {
        node.tick(now);
    }

    void receive(NodeId from, ReplicationMessage message, long now) {
        if (unsaved == null) {
            node.receive(from, message, now);
        } else {
            message.release();
        }
    }

    /** {@return whether the number was written here} */
    boolean write(long number, long now) {
        try {
            long offset = log.append((int) (number % 16_384), Unpooled.copyLong(number));
            numbers.add(number);
            uncommitted.put(offset, number);
        } catch (RefusedException e) {
            return false;
        }
        node.tick(now);
        return true;
    }

    /** Saves what is to be saved, and returns what else is to be done. */
    Ready ready() {
        Ready ready = node.ready();
        unsaved = ready.toSave() == null ? unsaved : ready.toSave();
        if (unsaved != null && disk) {
            saved = unsaved;
            unsaved = null;
        }
        if (unsaved == null) {
            node.promiseSaved();
        } else { // nothing leaves before
            ready.messages().forEach(envelope -> envelope.message().release());
            ready = new Ready(null, 0, List.of(), ready.events(), ready.completions(), ready.wakeAt());
        }
        if (!isPrimary()) {
            uncommitted.clear();
        }
        node.checkInvariants();
        return ready;
    }

    /** {@return the numbers that were committed here since this was last asked} */
    Iterable<Long> takeCommitted() {
        NavigableMap<Long, Long> committed = uncommitted.headMap(status().committed(), true);
        Iterable<Long> taken = List.copyOf(committed.values());
        committed.clear();
        return taken;
    }

    @Override
    public String toString() {
        NodeStatus status = status();
        String role = isPrimary() ? "primary" : status.primary() == null ? "alone" : "follows " + status.primary();
        return id + (up ? "" : " (down)") + " " + role + ", promised " + Epoch.toString(status.epoch())
                + (status.complete() ? "" : ", incomplete")
                + (status.begun() ? "" : ", never begun")
                + (status.membership() == null
                        ? ""
                        : ", members " + status.membership().current());
    }
}
