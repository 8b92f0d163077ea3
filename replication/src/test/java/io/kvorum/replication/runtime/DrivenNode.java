package io.kvorum.replication.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testing.HandScheduler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A real node with its driver, on a scheduler that the test runs by hand: what it has sent, told and saved.
 *
 * <p>Confined to one thread.
 */
final class DrivenNode implements AutoCloseable {
    static final ShardId SHARD = new ShardId("s");
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId SENTINEL = new NodeId("S1");
    static final long INCARNATION = 7;
    static final long B_INCARNATION = 8;
    static final Member ME = new Member(A, INCARNATION);
    static final MemberList ALONE = MemberList.of(ME);
    static final MemberList BOTH = MemberList.of(ME, new Member(B, B_INCARNATION));
    static final long EPOCH = Epoch.of(1, 1);
    static final Duration TIMEOUT = Duration.ofSeconds(1);
    static final ReplicationSettings SETTINGS = ReplicationSettings.defaults();

    /** A state that is given nothing. */
    static final class NoState implements ReplicatedState {
        @Override
        public void apply(int slot, ByteBuf payload) {
            throw new AssertionError("no record is expected");
        }

        @Override
        public SnapshotScan snapshot() {
            throw new AssertionError("no full sync is expected");
        }

        @Override
        public Restoration restore() {
            throw new AssertionError("no full sync is expected");
        }
    }

    static final class Promises implements PromiseStore {
        @Nullable
        Promise saved;

        @Nullable
        Throwable failure;

        int failures;
        Runnable duringSave = () -> {};

        @Override
        public @Nullable Promise load() {
            return saved;
        }

        @Override
        public void save(Promise promise) throws IOException {
            duringSave.run();
            if (failure != null) {
                failures++;
            }
            if (failure instanceof IOException io) {
                throw io;
            } else if (failure instanceof Error error) {
                throw error;
            } else if (failure instanceof RuntimeException exception) {
                throw exception;
            }
            saved = promise;
        }

        long epoch() {
            return saved == null ? -1 : saved.epoch();
        }
    }

    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    final HandScheduler scheduler = new HandScheduler();
    final List<ReplicationMessage> sent = new ArrayList<>();
    final List<ReplicationEvent> events = new ArrayList<>();
    final Promises promises = new Promises();
    final ReplicationLog log = ReplicationLog.inMemory(1 << 18);
    Runnable inTransport = () -> {};
    final NodeDriver driver = driver(scheduler);

    NodeDriver driver(Scheduler scheduler) {
        NodeDriver made = new NodeDriver(
                SETTINGS,
                new ShardNode(
                        SETTINGS,
                        new NodeIdentity(SHARD, A),
                        log,
                        new NoState(),
                        allocator,
                        new Promise(INCARNATION, 1, 0, null, false),
                        false,
                        scheduler.nanoTime()),
                log,
                (to, message) -> {
                    sent.add(message);
                    inTransport.run();
                },
                promises,
                scheduler);
        made.addListener(events::add);
        return made;
    }

    /** Ends it; to be called after each test. */
    @Override
    public void close() {
        driver.close();
        log.close();
        sent.forEach(ReplicationMessage::release);
        assertEquals(0, allocator.metric().usedHeapMemory());
    }

    static <T> T get(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        assertTrue(future.isDone());
        return Objects.requireNonNull(future.join());
    }

    static void assertAcknowledged(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        assertTrue(future.isDone() && !future.isCompletedExceptionally());
    }

    static @Nullable Throwable failure(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        assertTrue(future.isCompletedExceptionally());
        return assertThrows(CompletionException.class, future::join).getCause();
    }

    static OutcomeUnknownException.Reason reason(CompletionStage<?> stage) {
        return assertInstanceOf(OutcomeUnknownException.class, failure(stage)).reason();
    }

    void begin(MemberList members) {
        driver.start();
        driver.fence(EPOCH, SENTINEL);
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, members, List.of(), false);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(begun).outcome());
        assertEquals(NodeRole.PRIMARY, driver.status().role());
    }

    void write() {
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));
    }

    static Ack ack(long sequence, LogPosition position) {
        return new Ack(SHARD, EPOCH, sequence, B_INCARNATION, 1, position, true, Taken.TAKEN, 0, 0);
    }

    void acknowledge(long sequence) {
        driver.receive(B, ack(sequence, log.end()));
        scheduler.runTasks();
    }

    long lastSequence() {
        return sent.stream()
                .filter(ReplicationMessage.FromPrimary.class::isInstance)
                .mapToLong(message -> ((ReplicationMessage.FromPrimary) message).sequence())
                .max()
                .orElse(0);
    }

    long appends() {
        return sent.stream().filter(Append.class::isInstance).count();
    }

    <E extends ReplicationEvent> List<E> told(Class<E> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
