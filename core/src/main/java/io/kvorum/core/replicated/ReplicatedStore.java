package io.kvorum.core.replicated;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.KeyspaceEvent;
import io.kvorum.core.KeyspaceListener;
import io.kvorum.core.KeyspaceSubscription;
import io.kvorum.core.LocalStore;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.replicated.NodeAccess.Purpose;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One node of a shard: a store, the log that replicates it, and the role that the node has.
 *
 * <p>At the primary each change enters the log and the store at once, atomically for its slot; the log may refuse it
 * before anything has changed. A replica refuses writes. Slots of other shards are refused as {@code MOVED}, slots
 * whose data has not come yet as {@code MOVING}, slots of nobody as {@code CLUSTER_DOWN}.
 *
 * <p>An operation is a function of a {@link KeyValueStore}. It runs in the calling thread, at once; only its
 * acknowledgement or confirmation is waited for. Each call that it makes is atomic, the function as a whole is not: if
 * it fails at its second change, the first one stays. The store that it is given is good for that one run only.
 *
 * <p>The stages that are returned are completed by the thread that takes the driver's steps, so what depends on them
 * must be quick. They fail with what the operation threw, such as the {@link io.kvorum.slots.topology.RefusedException}
 * of a call that was refused: that call has changed nothing, but what the operation changed before it stays, and has
 * been acknowledged by then. They fail with {@link OutcomeUnknownException} if the node cannot tell what becomes of the
 * changes. Never is there a wrapper around it.
 *
 * <p>One change is one record of the log, so keys and values together may be as long as its
 * {@link ReplicationLog#maxPayload} less a few bytes, even if the settings of the store allow more.
 *
 * <p>Whoever made the log and the driver closes them. Safe for use by any number of threads.
 */
public final class ReplicatedStore {
    /** A hundred years, of which twice fit into a {@code long} of nanoseconds. */
    private static final Duration MAX_TIMEOUT = Duration.ofDays(36_525);

    /** The slot of a refusal that is about none. */
    private static final int NO_SLOT = -1;

    private final LocalStore store;
    private final ReplicationLog log;
    private final NodeDriver driver;
    private final NodeParts parts;

    /**
     * Joins the parts of a node.
     *
     * @param store the state that the node replicates; make it with {@code log::append} as its sink, so that nobody can
     *     change it behind the log's back
     * @param log the node's log
     * @param driver runs the node
     * @param topology the current topology, as far as the node knows; asked for each operation, so it must be quick
     */
    public ReplicatedStore(
            LocalStore store, ReplicationLog log, NodeDriver driver, Supplier<ClusterTopology> topology) {
        this.store = Objects.requireNonNull(store, "store");
        this.log = Objects.requireNonNull(log, "log");
        this.driver = Objects.requireNonNull(driver, "driver");
        this.parts = new NodeParts(store, log, Objects.requireNonNull(topology, "topology"));
    }

    /** {@return where the node stood after its driver's last step} */
    public NodeStatus status() {
        return driver.status();
    }

    /** {@return the digest of the node's entries, see {@link LocalStore#digest}} */
    public long digest() {
        return store.digest();
    }

    /**
     * Runs an operation that may change the store, and waits until its changes are acknowledged. An operation that
     * turns out to change nothing waits too: at {@code MAJORITY}, its result is as reliable as that of a confirmed
     * read.
     *
     * @param level how many nodes must have the changes
     * @param timeout for how long to wait for them: positive; more than a hundred years are a hundred
     * @param operation the operation
     * @param <T> what it returns
     * @return its result and its position
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    public <T extends @Nullable Object> CompletionStage<Written<T>> write(
            Acknowledgement level, Duration timeout, Function<? super KeyValueStore, T> operation) {
        Objects.requireNonNull(level, "level");
        Objects.requireNonNull(operation, "operation");
        Duration limit = limited(timeout);
        NodeStatus before = driver.status();
        NodeAccess access = access(before, Purpose.WRITE);
        T result;
        try {
            log.awaitRoom(NO_SLOT, 0);
            result = operation.apply(access);
        } catch (RuntimeException | Error e) {
            return access.hasChanged()
                    ? then(acknowledged(access.position(), before, level, limit), done -> {
                        throw e;
                    })
                    : CompletableFuture.failedFuture(e);
        }
        if (!access.hasAppended() && level.equals(Acknowledgement.MAJORITY)) {
            return then(confirm(before, limit), position -> new Written<>(result, position));
        }
        LogPosition position = access.hasAppended() ? access.position() : log.end();
        return then(acknowledged(position, before, level, limit), done -> new Written<>(result, position));
    }

    /** As {@link #write}, but the result comes at once, and the acknowledgement goes to {@code outcomes}. */
    <T extends @Nullable Object> T writeUnawaited(
            Acknowledgement level,
            Duration timeout,
            Function<? super NodeAccess, ? extends T> operation,
            Consumer<? super CompletionStage<?>> outcomes) {
        log.awaitRoom(NO_SLOT, 0);
        NodeStatus before = driver.status();
        NodeAccess access = access(before, Purpose.WRITE);
        T result;
        try {
            result = operation.apply(access);
        } catch (RuntimeException | Error e) {
            if (access.hasChanged()) {
                outcomes.accept(acknowledged(access.position(), before, level, timeout));
            }
            throw e;
        }
        if (!access.hasAppended() && level.equals(Acknowledgement.MAJORITY)) {
            outcomes.accept(confirm(before, timeout));
        } else {
            LogPosition position = access.hasAppended() ? access.position() : log.end();
            outcomes.accept(acknowledged(position, before, level, timeout));
        }
        return result;
    }

    /** As {@link #read}, but the result comes at once, and the confirmation goes to {@code outcomes}. */
    <T extends @Nullable Object> T readUnawaited(
            ReadLevel level,
            Duration timeout,
            Function<? super NodeAccess, ? extends T> operation,
            Consumer<? super CompletionStage<?>> outcomes) {
        NodeStatus before = driver.status();
        if (level == ReadLevel.LOCAL) {
            return operation.apply(access(before, Purpose.READ_ANYWHERE));
        }
        T result = operation.apply(access(before, Purpose.READ_AT_PRIMARY));
        outcomes.accept(confirm(before, timeout));
        return result;
    }

    /**
     * Runs an operation that may change the store, in the calling thread, which waits for room in the log before and
     * for the acknowledgement after it.
     */
    <T extends @Nullable Object> T writeAndWait(
            Acknowledgement level, Wait wait, Function<? super NodeAccess, ? extends T> operation) {
        log.awaitRoom(NO_SLOT, wait.nanos());
        NodeStatus before = driver.status();
        NodeAccess access = access(before, Purpose.WRITE);
        T result;
        try {
            result = operation.apply(access);
        } catch (RuntimeException | Error e) {
            if (access.hasChanged()) {
                awaitAcknowledged(access.position(), before, level, wait);
            }
            throw e;
        }
        if (access.hasAppended()) {
            awaitAcknowledged(access.position(), before, level, wait);
        } else if (level.equals(Acknowledgement.MAJORITY)) {
            wait.await(confirm(before, wait.timeout()), driver);
        } else {
            awaitAcknowledged(log.end(), before, level, wait);
        }
        return result;
    }

    /** At {@code LOCAL} nothing is waited for, and nothing allocated. */
    private void awaitAcknowledged(LogPosition position, NodeStatus before, Acknowledgement level, Wait wait) {
        if (!level.equals(Acknowledgement.LOCAL)) {
            wait.await(acknowledged(position, before, level, wait.timeout()), driver);
        } else if (!lasts(position, before)) {
            throw deposed(before, position);
        }
    }

    /** Whether the leadership in which an operation began has lasted until now. */
    private boolean lasts(LogPosition position, NodeStatus before) {
        return position.epoch() == before.epoch()
                && position.epoch() == driver.status().epoch();
    }

    private CompletionStage<@Nullable Void> acknowledged(
            LogPosition position, NodeStatus before, Acknowledgement level, Duration timeout) {
        return lasts(position, before)
                ? driver.acknowledged(position, level, timeout)
                : CompletableFuture.failedFuture(deposed(before, position));
    }

    /**
     * Runs an operation that only reads.
     *
     * @param level what the read promises
     * @param timeout for how long to wait for a confirmation: positive; more than a hundred years are a hundred
     * @param operation the operation; it fails if it tries to change the store
     * @param <T> what it returns
     * @return its result
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    public <T extends @Nullable Object> CompletionStage<T> read(
            ReadLevel level, Duration timeout, Function<? super KeyValueStore, T> operation) {
        Objects.requireNonNull(level, "level");
        Objects.requireNonNull(operation, "operation");
        Duration limit = limited(timeout);
        NodeStatus before = driver.status();
        boolean confirmed = level == ReadLevel.CONFIRMED;
        T result;
        try {
            result = operation.apply(access(before, confirmed ? Purpose.READ_AT_PRIMARY : Purpose.READ_ANYWHERE));
        } catch (RuntimeException | Error e) {
            return CompletableFuture.failedFuture(e);
        }
        return confirmed ? then(confirm(before, limit), position -> result) : CompletableFuture.completedFuture(result);
    }

    /** Runs an operation that only reads, in the calling thread, which waits for the confirmation. */
    <T extends @Nullable Object> T readAndWait(
            ReadLevel level, Wait wait, Function<? super NodeAccess, ? extends T> operation) {
        NodeStatus before = driver.status();
        if (level == ReadLevel.LOCAL) {
            return operation.apply(access(before, Purpose.READ_ANYWHERE));
        }
        T result = operation.apply(access(before, Purpose.READ_AT_PRIMARY));
        wait.await(confirm(before, wait.timeout()), driver);
        return result;
    }

    /**
     * {@return a view of this node as a plain store, whose calls wait for their acknowledgement or confirmation} To be
     * used by threads that may block, not by the one that takes the driver's steps.
     *
     * <p>Every operation on one key is linearizable if changes wait for {@code MAJORITY} and reads are
     * {@code CONFIRMED}; else a read may miss what was written before it, or see what will be lost.
     *
     * <p>A write waits twice, each time for as long as the timeout at the most. First it waits for room in the log, if
     * a replica lags so far that the log must be kept for it, and is refused as {@code OVERLOADED} if there is none in
     * time. Then it is made, and waits for its outcome. A read waits for its confirmation only.
     *
     * <p>An interrupt ends either waiting and stays set. Before the write it ends it with a
     * {@link java.util.concurrent.CancellationException}: nothing was changed. Afterwards, and in a read, it ends it
     * with an {@link OutcomeUnknownException} whose reason is {@code INTERRUPTED} and whose position is where the node
     * last stood.
     *
     * @param writeLevel how many nodes must have each change
     * @param readLevel what each read promises
     * @param timeout for how long each call waits at the most for room in the log, and for its outcome, for which it
     *     waits twice as long if the driver takes no steps: positive; more than a hundred years are a hundred
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    public KeyValueStore store(Acknowledgement writeLevel, ReadLevel readLevel, Duration timeout) {
        Objects.requireNonNull(writeLevel, "writeLevel");
        Objects.requireNonNull(readLevel, "readLevel");
        return new BlockingStore(this, writeLevel, readLevel, Wait.of(limited(timeout)));
    }

    /**
     * {@return a view of this node as a plain store whose calls leave the waiting to somebody else} Each call returns
     * its result, or throws, at once. A stage for what remains to be waited for is handed over first, in the calling
     * thread: the acknowledgement of a change, or the confirmation of a read. Until all of them are completed, results
     * are preliminary; if one fails, with {@link OutcomeUnknownException} or
     * {@link io.kvorum.replication.WriteLostException}, they must not be used.
     *
     * <p>A call that was refused has changed nothing if no stage was handed over for it. For clients that wait for
     * several nodes at once; others use {@link #async}.
     *
     * @param writeLevel how many nodes must have each change
     * @param readLevel what each read promises
     * @param timeout for how long each stage waits at the most: positive; more than a hundred years are a hundred
     * @param outcomes takes the stages
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    public KeyValueStore unawaited(
            Acknowledgement writeLevel,
            ReadLevel readLevel,
            Duration timeout,
            Consumer<? super CompletionStage<?>> outcomes) {
        Objects.requireNonNull(writeLevel, "writeLevel");
        Objects.requireNonNull(readLevel, "readLevel");
        Objects.requireNonNull(outcomes, "outcomes");
        return new UnawaitedStore(this, writeLevel, readLevel, limited(timeout), outcomes);
    }

    /**
     * {@return a view of this node as a store that makes nobody wait} Its operations begin at once, in the calling
     * thread; its stages are completed as those of {@link #write} and {@link #read} are, and promise as much as
     * {@link #store} does for the same levels.
     *
     * @param writeLevel how many nodes must have each change
     * @param readLevel what each read promises
     * @param timeout for how long each operation waits at the most: positive; more than a hundred years are a hundred
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    public AsyncKeyValueStore async(Acknowledgement writeLevel, ReadLevel readLevel, Duration timeout) {
        Objects.requireNonNull(writeLevel, "writeLevel");
        Objects.requireNonNull(readLevel, "readLevel");
        return new ReplicatedAsyncStore(this, writeLevel, readLevel, limited(timeout));
    }

    /**
     * Tells a listener of every change at this node from now on, whether its primary or an application has made it: see
     * {@link KeyspaceSubscription} for what is promised. It ends with the store, which a restarted node has anew.
     *
     * @param listener hears the events
     * @param executor runs the listener
     * @param capacity how many events may wait to be delivered; at least 1
     * @param kinds the kinds of events to hear of
     * @return the subscription
     * @throws IllegalArgumentException if the capacity is less than 1
     */
    public KeyspaceSubscription subscribe(
            KeyspaceListener listener, Executor executor, int capacity, Set<KeyspaceEvent.Kind> kinds) {
        return store.subscribe(listener, executor, capacity, kinds);
    }

    /**
     * Deletes keys whose deadline has passed, if the node is the primary: see {@link LocalStore#expire}.
     *
     * @param budget the most keys to delete; at least 1
     * @return how many keys were deleted
     * @throws IllegalArgumentException if {@code budget} is below 1
     */
    public int expire(int budget) {
        return store.expire(budget);
    }

    /**
     * Deletes expired keys in the background from now on, while the node is the primary: it looks for them ten times a
     * second, as long as any key has a deadline. While none has one, this costs nothing.
     *
     * @param scheduler has the threads and the time; a sweep holds a lock for no more than a few dozen keys at a time
     * @return ends it, without waiting for a sweep under way; to be cancelled before the scheduler is closed
     */
    public Scheduler.Cancellable expireWith(Scheduler scheduler) {
        BackgroundSweep sweep =
                new BackgroundSweep(Engines.only(store), this::expire, Objects.requireNonNull(scheduler, "scheduler"));
        sweep.start();
        return sweep;
    }

    private static Duration limited(Duration timeout) {
        if (timeout.isZero() || timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must be positive: " + timeout);
        }
        return timeout.compareTo(MAX_TIMEOUT) > 0 ? MAX_TIMEOUT : timeout;
    }

    private NodeAccess access(NodeStatus status, Purpose purpose) {
        return new NodeAccess(parts, status, purpose);
    }

    /** Confirms that the leadership in which something was read has lasted until now. */
    private CompletionStage<LogPosition> confirm(NodeStatus before, Duration timeout) {
        return then(driver.confirm(timeout), position -> {
            if (position.epoch() != before.epoch()) {
                throw deposed(before, position);
            }
            return position;
        });
    }

    /** As {@code thenApply}, but an exception stays what it is instead of becoming a {@code CompletionException}. */
    static <A extends @Nullable Object, B extends @Nullable Object> CompletionStage<B> then(
            CompletionStage<A> stage, Function<? super A, B> function) {
        CompletableFuture<B> outcome = stage.toCompletableFuture().newIncompleteFuture();
        stage.whenComplete((value, failure) -> {
            if (failure != null) {
                outcome.completeExceptionally(failure);
                return;
            }
            try {
                outcome.complete(function.apply(value));
            } catch (Throwable e) { // an Error, too, is the outcome: nobody else would hear of it
                outcome.completeExceptionally(e);
            }
        });
        return outcome;
    }

    private static OutcomeUnknownException deposed(NodeStatus status, LogPosition position) {
        return new OutcomeUnknownException(
                OutcomeUnknownException.Reason.DEPOSED, status.shard(), status.node(), position);
    }
}
