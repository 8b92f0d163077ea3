package io.kvorum.testkit.simulation;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.LogPosition;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.RefusedException;
import io.kvorum.testkit.simulation.Request.Reply;
import io.kvorum.testkit.simulation.Request.Result;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A node of a shard and what outlives its crashes: its promise, and usually its log and state.
 *
 * <p>Confined to one thread.
 */
final class DataNode {
    private static final Duration HEARTBEAT = Duration.ofMillis(200);
    private static final Duration TIMEOUT = Duration.ofMillis(700);
    private static final ReplicationSettings SETTINGS = ReplicationSettings.defaults()
            .withHeartbeatInterval(HEARTBEAT)
            .withBatchBytes(2 << 10)
            .withWindowBytes(8 << 10);
    private static final int MAX_PADDING = 200;

    private final Cluster cluster;
    private final SimulatedProcess process;
    private final NodeIdentity identity;
    private final Promises promises = new Promises();
    private ReplicationLog log;
    private MapState state = new MapState();
    private boolean synced = true;
    private @Nullable NodeDriver driver;

    DataNode(Cluster cluster, SimulatedProcess process, NodeIdentity identity) {
        this.cluster = cluster;
        this.process = process;
        this.identity = identity;
        this.log = newLog();
    }

    private ReplicationLog newLog() {
        return new ReplicationLog(cluster.allocator(), cluster.plan().logCapacity());
    }

    NodeIdentity identity() {
        return identity;
    }

    SimulatedProcess process() {
        return process;
    }

    ReplicationLog log() {
        return log;
    }

    /** {@return the driver of this life, or null if the node is down} */
    @Nullable
    NodeDriver driver() {
        return driver;
    }

    /** {@return where the node stands, or null if it is down} */
    @Nullable
    NodeStatus status() {
        return driver == null ? null : driver.status();
    }

    long stateDigest() {
        return state.digest();
    }

    /** Has saving fail or work again. */
    void changeDisk(int failures) {
        promises.failures += failures;
    }

    void start() {
        long promised = cluster.mutant() == Mutant.PROMISES_FORGOTTEN ? 0 : promises.saved;
        boolean complete = synced || cluster.mutant() == Mutant.EMPTY_TAKEN_FOR_COMPLETE;
        ShardNode machine = new ShardNode(
                SETTINGS, identity, log, state, cluster.allocator(), new ShardNode.Start(promised, complete));
        process.start();
        NodeDriver started =
                new NodeDriver(machine, log, this::send, promises, process::nanoTime, process, this::happened);
        driver = started;
        process.every(HEARTBEAT.toNanos() / 2, started);
    }

    /** Ends this life; the log and the state stay, unless they are to be lost. */
    void crash(boolean loseData) {
        NodeDriver ended = driver;
        if (ended == null) {
            return;
        }
        synced = ended.status().synced();
        cluster.auditor().crashed(this, promises.saved);
        driver = null; // what the end of the driver completes or sends goes nowhere
        process.crash();
        ended.close();
        if (loseData) {
            log.close();
            log = newLog();
            state = new MapState();
            synced = false;
        }
    }

    void close() {
        crash(false);
        log.close();
    }

    private void send(NodeId to, ReplicationMessage message) {
        if (driver == null) {
            message.release();
            return;
        }
        if (message instanceof ReplicationMessage.StaleEpoch) {
            cluster.coverage().count(Sometimes.STALE_EPOCH_REFUSED);
        }
        DataNode receiver = cluster.node(to);
        cluster.network().send(process, receiver.process, label(message), message, BUFFERS, receiver::receive);
    }

    private static String label(ReplicationMessage message) {
        return message.getClass().getSimpleName();
    }

    private void receive(SimulatedProcess from, ReplicationMessage message) {
        if (driver == null) {
            message.release();
        } else {
            driver.receive(from.id(), message);
        }
    }

    private static final SimulatedNetwork.Handling<ReplicationMessage> BUFFERS = new SimulatedNetwork.Handling<>() {
        @Override
        public ReplicationMessage copy(ReplicationMessage message) {
            return message.copy();
        }

        @Override
        public void release(ReplicationMessage message) {
            message.release();
        }
    };

    private void happened(ReplicationEvent event) {
        if (driver == null) {
            return;
        }
        cluster.trace().line(process, event::toString);
        Coverage coverage = cluster.coverage();
        if (event instanceof ReplicationEvent.Promoted promoted) {
            cluster.auditor().promoted(this, promoted.epoch());
            cluster.placedCrash(process, cluster.plan().crashAfterPromotion(), Sometimes.CRASH_AFTER_PROMOTION);
        } else if (event instanceof ReplicationEvent.Deposed) {
            coverage.count(Sometimes.DEPOSED);
        } else if (event instanceof ReplicationEvent.PartialSync) {
            coverage.count(Sometimes.PARTIAL_SYNC);
        } else if (event instanceof ReplicationEvent.FullSyncStarted started) {
            coverage.count(
                    switch (started.reason()) {
                        case NOT_SYNCED -> Sometimes.FULL_SYNC_OF_EMPTY_NODE;
                        case DIVERGED -> Sometimes.FULL_SYNC_AFTER_DIVERGENCE;
                        case TOO_FAR_BEHIND -> Sometimes.FULL_SYNC_BEHIND_THE_LOG;
                    });
        } else if (event instanceof ReplicationEvent.FullSyncCompleted) {
            coverage.count(Sometimes.FULL_SYNC_COMPLETED);
        } else if (event instanceof ReplicationEvent.RecordsDiscarded) {
            coverage.count(Sometimes.RECORDS_DISCARDED);
        } else if (event instanceof ReplicationEvent.PromiseNotSaved) {
            coverage.count(Sometimes.PROMISE_NOT_SAVED);
        }
    }

    /** Serves a client; the answer may come never. */
    void serve(Request request, Consumer<Reply> answer) {
        NodeDriver serving = driver;
        if (serving == null) {
            return;
        }
        try {
            if (request.action() == Request.Action.READ) {
                read(serving, request.key(), answer);
            } else {
                write(serving, request, answer);
            }
        } catch (RefusedException e) {
            count(e.kind());
            answer.accept(new Reply(Result.REFUSED, 0));
        }
    }

    private void read(NodeDriver serving, int key, Consumer<Reply> answer) {
        if (serving.status().role() != NodeRole.PRIMARY) {
            throw new RefusedException(
                    RefusedException.Kind.READ_ONLY,
                    "a replica takes no confirmed reads",
                    Keys.slot(key),
                    identity.shard(),
                    identity.node(),
                    null,
                    0);
        }
        long value = state.get(key);
        if (cluster.mutant() == Mutant.READS_UNCONFIRMED) {
            answer.accept(new Reply(Result.DONE, value));
        } else {
            whenAcknowledged(serving, serving.confirm(TIMEOUT), position -> new Reply(Result.DONE, value), answer);
        }
    }

    private void write(NodeDriver serving, Request request, Consumer<Reply> answer) {
        long value = request.action() == Request.Action.DELETE ? 0 : request.value();
        ByteBuf payload = cluster.allocator().buffer();
        try {
            int padding = (int) Randomness.below(Randomness.mix(request.value()), MAX_PADDING);
            MapState.encode(request.key(), value, padding, payload);
            log.append(Keys.slot(request.key()), payload);
            state.apply(Keys.slot(request.key()), payload);
        } finally {
            payload.release();
        }
        LogPosition end = log.end();
        boolean locally = request.action() == Request.Action.SET_LOCALLY;
        Acknowledgement level = locally ? Acknowledgement.LOCAL : Acknowledgement.MAJORITY;
        whenAcknowledged(
                serving,
                serving.acknowledged(end, level, TIMEOUT),
                position -> {
                    if (!locally) {
                        cluster.auditor().acknowledged(this, end);
                    }
                    return new Reply(Result.DONE, value);
                },
                answer);
    }

    private void whenAcknowledged(
            NodeDriver serving,
            CompletionStage<LogPosition> outcome,
            Function<LogPosition, Reply> done,
            Consumer<Reply> answer) {
        outcome.whenComplete((position, failure) -> {
            if (serving != driver) {
                return;
            }
            if (position != null) {
                answer.accept(done.apply(position));
            } else if (failure instanceof OutcomeUnknownException unknown) {
                cluster.coverage()
                        .count(
                                unknown.reason() == OutcomeUnknownException.Reason.TIMEOUT
                                        ? Sometimes.UNKNOWN_BY_TIMEOUT
                                        : Sometimes.UNKNOWN_BY_DEPOSITION);
                answer.accept(new Reply(Result.UNKNOWN, 0));
            } else {
                cluster.fail(new Violation("defect", String.valueOf(failure)));
            }
        });
    }

    private void count(RefusedException.Kind kind) {
        Coverage coverage = cluster.coverage();
        switch (kind) {
            case READ_ONLY -> coverage.count(Sometimes.REFUSED_READ_ONLY);
            case FENCED -> coverage.count(Sometimes.REFUSED_FENCED);
            case PAUSED -> coverage.count(Sometimes.REFUSED_PAUSED);
            default -> cluster.fail(new Violation("defect", "unexpected refusal: " + kind));
        }
    }

    private static final class Promises implements PromiseStore {
        private long saved;
        private int failures;

        @Override
        public long load() {
            return saved;
        }

        @Override
        public void save(long epoch) throws IOException {
            if (failures > 0) {
                throw new IOException("the disk is full");
            }
            saved = epoch;
        }
    }
}
