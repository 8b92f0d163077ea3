package io.kvorum.testkit.simulation;

import io.kvorum.cluster.NodeCommands;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.core.replicated.Written;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationCodec;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.history.RegisterOperation;
import io.kvorum.testkit.simulation.Request.Reply;
import io.kvorum.testkit.simulation.Request.Result;
import io.netty.buffer.ByteBuf;
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
    private static final int WINDOW = 8 << 10;
    private static final int FIELDS = 256; // of a message, about, in bytes
    private static final ReplicationSettings SETTINGS = ReplicationSettings.defaults()
            .withHeartbeatInterval(HEARTBEAT)
            .withBatchBytes(2 << 10)
            .withWindowBytes(WINDOW);
    private static final StoreSettings STORE = StoreSettings.defaults().withStripes(1);
    private static final long FIRST_MILLIS = 1_800_000_000_000L;
    private static final long MAX_SKEW = 2_000;
    private static final long MAX_TIME_TO_LIVE = 5_000;
    private static final long SWEEP_PERIOD = Plan.SECOND;
    private static final int SWEEP_BUDGET = 10;

    private static final ReplicationCodec CODEC = new ReplicationCodec(1 << 24);

    private final Cluster cluster;
    private final SimulatedProcess process;
    private final NodeIdentity identity;
    private final Promises promises;
    private ReplicationLog log;
    private LocalStore store;
    private long draws;
    private final LateSync lateSync = new LateSync();
    private final Tampering tampering;
    private final ReplicationSettings settings;
    private boolean synced;
    private @Nullable NodeDriver driver;
    private @Nullable ReplicatedStore replicated;

    DataNode(Cluster cluster, SimulatedProcess process, NodeIdentity identity) {
        this.cluster = cluster;
        this.process = process;
        this.identity = identity;
        this.promises = new Promises();
        this.tampering = new Tampering(cluster.mutant());
        this.settings = SETTINGS.withMinReplicas(cluster.plan().minReplicas());
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
        return FIRST_MILLIS + skew + process.calendarShift() + cluster.now() / Plan.MILLISECOND;
    }

    private ReplicationLog newLog() {
        return ReplicationLog.inMemory(cluster.plan().logCapacity());
    }

    /** {@return the bytes that a replica takes in a second, about: a window in each round trip} */
    static double takes(Plan plan) {
        return (double) WINDOW * Plan.SECOND / (plan.minDelay() + plan.maxDelay());
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

    /** {@return whether the node says that it is the primary} */
    boolean isPrimary() {
        NodeStatus now = status();
        return now != null && now.role() == NodeRole.PRIMARY;
    }

    /** {@return whether the node takes writes} */
    boolean isWritable() {
        NodeStatus now = status();
        return now != null && now.writable();
    }

    /** {@return whether the node's data is complete, or was when it went down} */
    boolean isComplete() {
        NodeStatus now = status();
        return now == null ? synced : now.complete();
    }

    /** Carries out a command of a sentinel; the answer may come never. */
    void execute(NodeCommand command, Consumer<NodeAnswer> answer) {
        NodeDriver commanded = driver;
        if (commanded != null) {
            NodeCommands.execute(commanded, command, answer);
        }
    }

    /** Asks the node's driver whether it still runs; the answer comes with a later step, or never. */
    void probe(Runnable answer) {
        NodeDriver asked = driver;
        if (asked != null) {
            asked.describe().thenAccept(given -> {
                if (given.outcome() != ControlAnswer.Outcome.CLOSED) {
                    answer.run();
                }
            });
        }
    }

    /** {@return the incarnation that it had last, or zero if it has lost its promise since} */
    long incarnation() {
        Promise saved = promises.saved;
        return saved == null ? 0 : saved.incarnation();
    }

    /** {@return the promise that is on disk} */
    long savedPromise() {
        return promises.savedEpoch();
    }

    boolean hasDiskFull() {
        return promises.failures > 0;
    }

    /** Writes without waiting for anybody. */
    void writeUnchecked(int key, long number) {
        ReplicatedStore serving = replicated;
        if (serving != null) {
            byte[] name = cluster.keys().name(key).getBytes(StandardCharsets.US_ASCII);
            serving.write(Acknowledgement.LOCAL, TIMEOUT, set(name, valueOf(number)));
            cluster.auditor().check(this); // before the log is overrun
        }
    }

    long stateDigest() {
        return store.digest();
    }

    /** Has saving fail or work again. */
    void changeDisk(int failures) {
        promises.failures += failures;
    }

    void start() {
        start(false);
    }

    private void start(boolean sameLife) {
        Promise last = promises.saved;
        boolean lies = cluster.mutant() == Mutant.EMPTY_TAKEN_FOR_COMPLETE && last != null && last.begun();
        boolean complete = synced || lies;
        Promise promise = nextPromise(complete || sameLife || cluster.mutant() == Mutant.LIVES_ALIKE);
        promises.saved = promise;
        cluster.auditor().started(this, promise);
        process.start();
        ShardNode machine = new ShardNode(
                settings,
                identity,
                log,
                new FailingState(store.replicatedState(), process.failing(), cluster.mutant()),
                cluster.allocator(),
                promise,
                complete,
                process.nanoTime());
        cluster.network().restarted(process);
        NodeDriver started = new NodeDriver(settings, machine, log, this::send, promises, process);
        started.addListener(event -> happened(started, event));
        ReplicatedStore joined = new ReplicatedStore(store, log, started, cluster::topology);
        driver = started;
        replicated = joined;
        started.start();
        process.every(SWEEP_PERIOD, () -> sweep(joined));
    }

    /** The promise of the life that begins now: of the same life as before if the data is still there. */
    private Promise nextPromise(boolean sameLife) {
        Promise last = promises.saved;
        if (last == null) {
            return Promise.first(
                    Randomness.stream(cluster.plan().seed(), Stream.INCARNATIONS + process.index() * 100L + draws++));
        }
        if (cluster.mutant() == Mutant.PROMISES_FORGOTTEN) {
            last = new Promise(last.incarnation(), last.life(), 0, null, last.begun());
        }
        return sameLife ? last : last.nextLife();
    }

    private void sweep(ReplicatedStore joined) {
        if (!cluster.isReadingAll()) {
            cluster.coverage().add(Sometimes.EXPIRED, joined.expire(SWEEP_BUDGET));
        }
    }

    /** Ends this life; the log and the state stay, unless they are to be lost. */
    void crash(Memory memory) {
        crash(memory, false);
    }

    /** As {@link #crash(Memory)}; what is lost comes back at once if it is put back. */
    private void crash(Memory memory, boolean putBack) {
        NodeDriver ended = driver;
        if (ended == null) {
            return;
        }
        synced = ended.status().complete();
        cluster.auditor().crashed(this, promises.savedEpoch());
        replicated = null;
        driver = null; // what the end of the driver completes or sends goes nowhere
        process.crash();
        ended.close();
        lateSync.clear();
        if (memory == Memory.ALL_LOST) {
            promises.forget();
        }
        if (memory != Memory.KEPT) {
            if (!putBack) {
                cluster.auditor().dataLost(this, memory == Memory.ALL_LOST);
            }
            log.close();
            log = newLog();
            store = newStore(log);
            synced = false;
        }
    }

    void close() {
        crash(Memory.KEPT);
        log.close();
    }

    private void send(NodeId to, ReplicationMessage sent) {
        if (driver == null) {
            sent.release();
            return;
        }
        ReplicationMessage message = tampering.sent(sent);
        if (message instanceof ReplicationMessage.StaleEpoch) {
            cluster.coverage().count(Sometimes.STALE_EPOCH_REFUSED);
        }
        if (message instanceof ReplicationMessage.Ack ack) {
            cluster.auditor().promiseShown(this, ack.epoch(), promises.savedEpoch());
            cluster.auditor().positionShown(this, ack);
        } else if (message instanceof ReplicationMessage.StaleEpoch stale) {
            cluster.auditor().promiseShown(this, stale.epoch(), promises.savedEpoch());
        } else if (message instanceof SnapshotPart part && part.part() == 0) {
            cluster.auditor().syncBegins(this, part);
        }
        try {
            process.failing().reach(Failing.Site.TRANSPORT);
        } catch (Failing.InjectedException | Failing.InjectedError e) {
            message.release();
            throw e;
        }
        ReplicationMessage carried = carry(message);
        DataNode receiver = cluster.node(to);
        DataNode stray = cluster.faults().stray(receiver.process.index());
        if (stray != null) {
            cluster.network()
                    .send(
                            process,
                            stray.process,
                            MessageKind.of(carried),
                            size(carried),
                            carried.copy(),
                            SimulatedNetwork.Handling.BUFFERS,
                            stray::receive);
        }
        cluster.network()
                .send(
                        process,
                        receiver.process,
                        MessageKind.of(carried),
                        size(carried),
                        carried,
                        SimulatedNetwork.Handling.BUFFERS,
                        receiver::receive);
    }

    /** Carries a message as bytes, as a network would. */
    private ReplicationMessage carry(ReplicationMessage message) {
        ByteBuf frame = cluster.allocator().buffer(FIELDS + size(message));
        try {
            CODEC.encode(message, frame);
            return CODEC.decode(frame);
        } finally {
            frame.release();
            message.release();
        }
    }

    private static int size(ReplicationMessage message) {
        if (message instanceof ReplicationMessage.Append append) {
            return append.records().readableBytes();
        } else if (message instanceof SnapshotPart part) {
            return part.records().readableBytes() + part.entries().readableBytes();
        }
        return 0;
    }

    private void receive(SimulatedProcess from, ReplicationMessage sent) {
        boolean stray = tampering.takesStray(this, sent);
        ReplicationMessage message = tampering.received(this, sent);
        if (cluster.mutant() == Mutant.ABANDONED_SYNC_TAKEN && message instanceof SnapshotPart part) {
            takeHoweverLate(from, part);
        }
        if (driver == null) {
            message.release();
        } else {
            if (message instanceof SnapshotPart part && part.end() != null && isForThisLife(part)) {
                cluster.auditor().syncCompletes(this, cluster.node(from.id()), part);
            }
            driver.receive(stray ? Objects.requireNonNull(driver.status().primary()) : from.id(), message);
        }
    }

    private boolean isForThisLife(SnapshotPart part) {
        Promise promise = promises.saved;
        return promise != null && part.incarnation() == promise.incarnation() && part.life() == promise.life();
    }

    /** Puts this node back to where a full sync ends whose last part is here, if it has gone on since. */
    private void takeHoweverLate(SimulatedProcess from, SnapshotPart part) {
        NodeStatus status = status();
        if (status == null
                || !status.complete()
                || !from.id().equals(status.primary())
                || status.epoch() != part.epoch()
                || part.life() != status.life()) {
            return;
        }
        List<SnapshotPart> parts = lateSync.add(part, log.end());
        if (!parts.isEmpty()) {
            crash(Memory.DATA_LOST, true);
            start(true);
            parts.forEach(late -> Objects.requireNonNull(driver).receive(from.id(), late));
        }
    }

    private void happened(NodeDriver source, ReplicationEvent event) {
        if (driver != source) {
            return;
        }
        cluster.trace().line(process, event::toString);
        cluster.trace().happened(event);
        Coverage coverage = cluster.coverage();
        if (event instanceof ReplicationEvent.Promoted) {
            cluster.outages().promoted(process.index());
            cluster.faults()
                    .placedCrash(process, cluster.plan().crashAfterPromotion(), Sometimes.CRASH_AFTER_PROMOTION);
        } else if (event instanceof ReplicationEvent.Deposed) {
            coverage.count(Sometimes.DEPOSED);
        } else if (event instanceof ReplicationEvent.PartialSync partial) {
            cluster.liveness().syncCompleted(partial.replica()); // one that was begun is given up
            coverage.count(Sometimes.PARTIAL_SYNC);
        } else if (event instanceof ReplicationEvent.FullSyncStarted started) {
            cluster.liveness().syncBegan(this, started.replica());
            cluster.faults().moment(MessageKind.SYNC_BEGUN, process, cluster.node(started.replica()).process);
            coverage.count(
                    switch (started.reason()) {
                        case NOT_COMPLETE -> Sometimes.FULL_SYNC_OF_EMPTY_NODE;
                        case DIVERGED -> Sometimes.FULL_SYNC_AFTER_DIVERGENCE;
                        case TOO_FAR_BEHIND -> Sometimes.FULL_SYNC_BEHIND_THE_LOG;
                        default -> Sometimes.FULL_SYNC_AFTER_FAILURE;
                    });
        } else if (event instanceof ReplicationEvent.FullSyncCompleted) {
            coverage.count(Sometimes.FULL_SYNC_COMPLETED);
            cluster.liveness().syncCompleted(identity.node());
        } else if (event instanceof ReplicationEvent.RecordsDiscarded) {
            coverage.count(Sometimes.RECORDS_DISCARDED);
        } else if (event instanceof ReplicationEvent.PromiseNotSaved) {
            coverage.count(Sometimes.PROMISE_NOT_SAVED);
        }
        process.failing().reach(Failing.Site.LISTENER);
    }

    /** Serves a client; the answer may come never. */
    void serve(Request request, Consumer<Reply> answer) {
        ReplicatedStore serving = replicated;
        if (serving == null) {
            return;
        }
        byte[] key = cluster.keys().name(request.key()).getBytes(StandardCharsets.US_ASCII);
        switch (request.action()) {
            case READ -> whenDone(read(serving, key), value -> new Reply(Result.DONE, numberOf(value)), answer);
            case SET -> acknowledge(serving.write(majority(), TIMEOUT, set(key, valueOf(request.value()))), answer);
            case DELETE -> acknowledge(serving.write(majority(), TIMEOUT, s -> s.delete(key)), answer);
            case SET_LOCALLY -> {
                long deadline = epochMillis() + Randomness.below(Randomness.mix(request.value()), MAX_TIME_TO_LIVE);
                SetOptions options = SetOptions.defaults().withDeadline(deadline);
                whenDone(
                        serving.write(
                                Acknowledgement.LOCAL, TIMEOUT, s -> s.set(key, valueOf(request.value()), options)),
                        written -> {
                            cluster.auditor().acknowledgedLocally(this, written.position());
                            return new Reply(Result.DONE, 0);
                        },
                        answer);
            }
        }
    }

    private CompletionStage<byte @Nullable []> read(ReplicatedStore serving, byte[] key) {
        boolean unconfirmed =
                cluster.mutant() == Mutant.READS_UNCONFIRMED && serving.status().role() == NodeRole.PRIMARY;
        return serving.read(unconfirmed ? ReadLevel.LOCAL : ReadLevel.CONFIRMED, TIMEOUT, s -> s.get(key));
    }

    /** {@return the number that a key has here now, or that of none} */
    long held(int key) {
        return numberOf(store.get(cluster.keys().name(key).getBytes(StandardCharsets.US_ASCII)));
    }

    private Acknowledgement majority() {
        return cluster.mutant() == Mutant.WRITES_UNCONFIRMED ? Acknowledgement.LOCAL : Acknowledgement.MAJORITY;
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
                boolean hidden = cluster.mutant() == Mutant.UNKNOWN_TAKEN_FOR_REFUSED;
                answer.accept(new Reply(hidden ? Result.REFUSED : Result.UNKNOWN, 0));
            } else {
                if (Failing.isInjected(failure)) {
                    answer.accept(new Reply(Result.UNKNOWN, 0));
                    return;
                }
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
            case TOO_FEW_REPLICAS -> coverage.count(Sometimes.REFUSED_TOO_FEW_REPLICAS);
            default -> coverage.count(Sometimes.REFUSED_OTHERWISE);
        }
    }

    private final class Promises implements PromiseStore {
        private @Nullable Promise saved;
        private int failures;

        private long savedEpoch() {
            return saved == null ? 0 : saved.epoch();
        }

        void forget() {
            Promise lost = saved;
            saved = cluster.mutant() == Mutant.INCARNATION_KEPT && lost != null
                    ? new Promise(lost.incarnation(), 1, 0, null, false)
                    : null;
        }

        @Override
        public @Nullable Promise load() {
            return saved;
        }

        @Override
        public void save(Promise promise) throws IOException {
            if (cluster.mutant() == Mutant.PROMISE_NOT_SAVED && driver != null) {
                return;
            }
            if (failures > 0) {
                if (cluster.mutant() == Mutant.FAILED_SAVE_TAKEN) {
                    return;
                }
                throw new IOException("the disk is full");
            }
            process.failing().reach(Failing.Site.SAVE_BEFORE);
            saved = promise;
            cluster.auditor().saved(DataNode.this, promise);
            cluster.faults().moment(MessageKind.SAVED, process, process);
            process.failing().reach(Failing.Site.SAVE_AFTER);
        }
    }
}
