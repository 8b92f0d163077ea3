package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testing.HandScheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A real sentinel with its driver, on a scheduler that the test runs by hand: what it has sent, asked, told and saved.
 *
 * <p>Confined to one thread.
 */
final class DrivenSentinel {
    static final ShardId SHARD = new ShardId("shard");
    static final NodeId ME = new NodeId("S1");
    static final NodeId PEER = new NodeId("S2");
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId C = new NodeId("c");
    static final ClusterTopology TOPOLOGY =
            ClusterTopology.EMPTY.apply(0, new TopologyChange.AddShard(SHARD, 1, A, List.of(B, C)));
    static final SentinelSettings SETTINGS = SentinelSettings.defaults().withPingPeriod(Duration.ofMillis(100));
    static final Duration SOON = Duration.ofMillis(300);

    final HandScheduler scheduler = new HandScheduler();
    final List<SentinelMessage> sent = new ArrayList<>();
    final List<NodeCommand> commands = new ArrayList<>();
    final List<Consumer<NodeAnswer>> asked = new ArrayList<>();
    final List<SentinelEvent> events = new ArrayList<>();
    final Disk disk = new Disk();
    Runnable inTransport = () -> {};
    Runnable inGateway = () -> {};
    final SentinelDriver driver = driver(SETTINGS);

    /** A store that can fail. */
    static final class Disk implements SentinelStateStore {
        @Nullable
        SentinelState state;

        @Nullable
        Throwable failure;

        int failures;
        Runnable duringSave = () -> {};

        @Override
        public @Nullable SentinelState load() {
            return state;
        }

        @Override
        public void save(SentinelState next) throws IOException {
            duringSave.run();
            if (failure != null) {
                failures++;
            }
            if (failure instanceof IOException io) {
                throw io;
            } else if (failure != null) {
                throwUnchecked(failure);
            }
            state = next;
        }
    }

    private static void throwUnchecked(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }

    SentinelDriver driver(SentinelSettings settings) {
        NodeGateway gateway = (node, command, answer) -> {
            commands.add(command);
            asked.add(answer);
            inGateway.run();
        };
        SentinelDriver made = new SentinelDriver(
                new Sentinel(
                        settings,
                        ME,
                        SentinelList.of(ME, PEER, new NodeId("S3")),
                        TOPOLOGY,
                        null,
                        new SplittableRandom(1),
                        scheduler.nanoTime()),
                (to, message) -> {
                    sent.add(message);
                    inTransport.run();
                },
                gateway,
                disk,
                scheduler);
        made.addListener(events::add);
        return made;
    }

    void pass(Duration time) {
        scheduler.pass(time.toNanos());
    }

    static Opinions opinion(long round, NodeId primary) {
        return new Opinions(List.of(
                new Opinion(new ShardPrimary(SHARD, 1, round == 0 ? 0 : Epoch.of(round, 2), primary), false, 0)));
    }

    <F extends SentinelFact> List<F> facts(Class<F> kind) {
        return events.stream()
                .map(SentinelEvent::fact)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    static OperationFailedException failure(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        assertTrue(future.isCompletedExceptionally());
        AtomicReference<@Nullable Throwable> told = new AtomicReference<>();
        stage.whenComplete((value, failure) -> told.set(failure)); // without a wrapper around it
        return assertInstanceOf(OperationFailedException.class, told.get());
    }

    static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
