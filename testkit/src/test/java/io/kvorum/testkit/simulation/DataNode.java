package io.kvorum.testkit.simulation;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.core.replicated.Written;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.linearizability.RegisterOperation;
import io.kvorum.testkit.simulation.Request.Reply;
import io.kvorum.testkit.simulation.Request.Result;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
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
    private static final StoreSettings STORE = StoreSettings.defaults().withStripes(1);
    private static final long FIRST_MILLIS = 1_800_000_000_000L;
    private static final long MAX_SKEW = 2_000;
    private static final long MAX_TIME_TO_LIVE = 5_000;
    private static final long SWEEP_PERIOD = Plan.SECOND;
    private static final int SWEEP_BUDGET = 10;

    private final Cluster cluster;
    private final SimulatedProcess process;
    private final NodeIdentity identity;
    private final Promises promises = new Promises();
    private ReplicationLog log;
    private LocalStore store;
    private long lives;
    private final LateSync lateSync = new LateSync();
    private boolean synced = true;
    private @Nullable NodeDriver driver;
    private @Nullable ReplicatedStore replicated;

    DataNode(Cluster cluster, SimulatedProcess process, NodeIdentity identity) {
        this.cluster = cluster;
        this.process = process;
        this.identity = identity;
        this.log = newLog();
        this.store = newStore(log);
    }

    private LocalStore newStore(ReplicationLog sink) {
        long seed = Randomness.hash(cluster.plan().seed(), Stream.STORES, process.index());
        return new LocalStore(STORE, seed, () -> Instant.ofEpochMilli(epochMillis()), sink::append);
    }

    /** {@return the calendar time by this node, whose clock may be wrong} */
    private long epochMillis() {
        long skew = Randomness.below(Randomness.hash(cluster.plan().seed(), Stream.SKEWS, process.index()), MAX_SKEW);
        return FIRST_MILLIS + skew + cluster.now() / Plan.MILLISECOND;
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
        return store.digest();
    }

    /** Has saving fail or work again. */
    void changeDisk(int failures) {
        promises.failures += failures;
    }

    void start() {
        long promised = cluster.mutant() == Mutant.PROMISES_FORGOTTEN ? 0 : promises.saved;
        boolean complete = synced || cluster.mutant() == Mutant.EMPTY_TAKEN_FOR_COMPLETE;
        long life = cluster.mutant() == Mutant.LIVES_ALIKE ? 0 : lives++;
        ShardNode machine = new ShardNode(
                SETTINGS,
                identity,
                log,
                store.replicatedState(),
                cluster.allocator(),
                new ShardNode.Start(promised, complete, life));
        process.start();
        cluster.network().restarted(process);
        NodeDriver started =
                new NodeDriver(machine, log, this::send, promises, process::nanoTime, process, this::happened);
        ReplicatedStore joined = new ReplicatedStore(store, log, started, cluster::topology);
        driver = started;
        replicated = joined;
        process.every(HEARTBEAT.toNanos() / 2, started);
        process.every(SWEEP_PERIOD, () -> sweep(joined));
    }

    private void sweep(ReplicatedStore joined) {
        if (!cluster.isReadingAll()) {
            cluster.coverage().add(Sometimes.EXPIRED, joined.expire(SWEEP_BUDGET));
        }
    }

    /** Ends this life; the log and the state stay, unless they are to be lost. */
    void crash(boolean loseData) {
        NodeDriver ended = driver;
        if (ended == null) {
            return;
        }
        synced = ended.status().synced();
        cluster.auditor().crashed(this, promises.saved);
        replicated = null;
        driver = null; // what the end of the driver completes or sends goes nowhere
        process.crash();
        ended.close();
        lateSync.clear();
        if (loseData) {
            log.close();
            log = newLog();
            store = newStore(log);
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
        if (cluster.mutant() == Mutant.ABANDONED_SYNC_TAKEN && message instanceof SnapshotPart part) {
            takeHoweverLate(from, part);
        }
        if (driver == null) {
            message.release();
        } else {
            driver.receive(from.id(), message);
        }
    }

    /** Puts this node back to where a full sync ends whose last part is here, if it has gone on since. */
    private void takeHoweverLate(SimulatedProcess from, SnapshotPart part) {
        NodeStatus status = status();
        if (status == null
                || !status.synced()
                || !from.id().equals(status.primary())
                || status.epoch() != part.epoch()
                || part.life() != lives - 1) {
            return;
        }
        List<SnapshotPart> parts = lateSync.add(part, log.end());
        if (!parts.isEmpty()) {
            crash(true);
            lives--;
            start();
            parts.forEach(late -> Objects.requireNonNull(driver).receive(from.id(), late));
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
            cluster.faults()
                    .placedCrash(process, cluster.plan().crashAfterPromotion(), Sometimes.CRASH_AFTER_PROMOTION);
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
        ReplicatedStore serving = replicated;
        if (serving == null) {
            return;
        }
        byte[] key = Keys.name(request.key()).getBytes(StandardCharsets.US_ASCII);
        switch (request.action()) {
            case READ -> whenDone(read(serving, key), value -> new Reply(Result.DONE, numberOf(value)), answer);
            case SET ->
                acknowledge(
                        serving.write(Acknowledgement.MAJORITY, TIMEOUT, set(key, valueOf(request.value()))), answer);
            case DELETE -> acknowledge(serving.write(Acknowledgement.MAJORITY, TIMEOUT, s -> s.delete(key)), answer);
            case SET_LOCALLY -> {
                long deadline = epochMillis() + Randomness.below(Randomness.mix(request.value()), MAX_TIME_TO_LIVE);
                SetOptions options = SetOptions.defaults().withDeadline(deadline);
                whenDone(
                        serving.write(
                                Acknowledgement.LOCAL, TIMEOUT, s -> s.set(key, valueOf(request.value()), options)),
                        written -> new Reply(Result.DONE, 0),
                        answer);
            }
        }
    }

    private CompletionStage<byte @Nullable []> read(ReplicatedStore serving, byte[] key) {
        boolean unconfirmed =
                cluster.mutant() == Mutant.READS_UNCONFIRMED && serving.status().role() == NodeRole.PRIMARY;
        return serving.read(unconfirmed ? ReadLevel.LOCAL : ReadLevel.CONFIRMED, TIMEOUT, s -> s.get(key));
    }

    private static Function<KeyValueStore, Boolean> set(byte[] key, byte[] value) {
        return store -> {
            store.set(key, value);
            return true;
        };
    }

    private void acknowledge(CompletionStage<Written<Boolean>> outcome, Consumer<Reply> answer) {
        whenDone(
                outcome,
                written -> {
                    cluster.auditor().acknowledged(this, written.position());
                    return new Reply(Result.DONE, 0);
                },
                answer);
    }

    /** The number, and behind it zeros, how many depends on the number: so records have many sizes. */
    private byte[] valueOf(long number) {
        int padding =
                (int) Randomness.below(Randomness.mix(number), cluster.plan().valueBytes());
        return ByteBuffer.allocate(Long.BYTES + padding).putLong(number).array();
    }

    private static long numberOf(byte @Nullable [] value) {
        return value == null ? RegisterOperation.ABSENT : ByteBuffer.wrap(value).getLong();
    }

    private <T> void whenDone(CompletionStage<T> outcome, Function<T, Reply> done, Consumer<Reply> answer) {
        NodeDriver serving = driver;
        outcome.whenComplete((value, failure) -> {
            if (serving != driver) {
                return;
            }
            if (failure == null) {
                answer.accept(done.apply(value));
            } else if (failure instanceof RefusedException refused) {
                count(refused.kind());
                answer.accept(new Reply(Result.REFUSED, 0));
            } else if (failure instanceof OutcomeUnknownException unknown) {
                count(unknown.reason());
                answer.accept(new Reply(Result.UNKNOWN, 0));
            } else {
                Violation defect = new Violation("defect", String.valueOf(failure));
                defect.initCause(failure);
                cluster.fail(defect);
            }
        });
    }

    private void count(OutcomeUnknownException.Reason reason) {
        cluster.coverage()
                .count(
                        reason == OutcomeUnknownException.Reason.TIMEOUT
                                ? Sometimes.UNKNOWN_BY_TIMEOUT
                                : Sometimes.UNKNOWN_BY_DEPOSITION);
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
