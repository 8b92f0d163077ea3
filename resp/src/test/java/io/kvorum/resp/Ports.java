package io.kvorum.resp;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** A cluster that fails over quickly, with its ports, for a test. */
final class Ports implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(20);
    /** For how long the effect of an order is awaited before it is given again. */
    private static final Duration PAUSE = Duration.ofMillis(250);

    private static final int MAX_ORDERS = 20;

    /** Why a switchover fails on a busy machine, whose next one may succeed. */
    private static final Set<AbortReason> PASSING = EnumSet.of(
            AbortReason.PRE_VOTE_LOST,
            AbortReason.NOT_ELECTED,
            AbortReason.SUPERSEDED,
            AbortReason.OTHER_HOLDER,
            AbortReason.NO_MAJORITY,
            AbortReason.TOO_FEW_PROMISES,
            AbortReason.PROMOTION_TIMEOUT,
            AbortReason.PRIMARY_SILENT,
            AbortReason.PAUSE_REFUSED,
            AbortReason.REPLICAS_BEHIND,
            AbortReason.PRIMARY_NOT_FENCED,
            AbortReason.FAILOVER_IN_PROGRESS,
            AbortReason.OPERATION_IN_PROGRESS,
            AbortReason.NODES_MISSING,
            AbortReason.TIMED_OUT);

    static final ShardId FIRST = new ShardId("shard-1");

    final LocalCluster cluster;
    final RespCluster resp;
    private final AtomicLong operations = new AtomicLong(); // of sentinels that have ended

    private Ports(LocalClusterSettings settings, UnaryOperator<RespCluster.Builder> options) {
        cluster = LocalCluster.start(
                settings.withFailover(SentinelSettings.defaults().withDownAfter(Duration.ofMillis(250))));
        cluster.awaitReady(LIMIT);
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfSentinel told
                    && told.event().fact() instanceof SentinelFact.OperationEnded) {
                operations.incrementAndGet();
            }
        });
        resp = options.apply(RespCluster.builder(cluster)).start();
    }

    static Ports ofCluster(UnaryOperator<RespCluster.Builder> options) {
        return new Ports(LocalClusterSettings.defaults(), options);
    }

    static Ports ofCluster() {
        return ofCluster(builder -> builder);
    }

    static Ports ofSentinels(UnaryOperator<RespCluster.Builder> options) {
        return new Ports(
                LocalClusterSettings.defaults().withShards(1).withReplicas(2),
                builder -> options.apply(builder.mode(RespMode.SENTINEL)));
    }

    int port(String party) {
        return resp.port(new NodeId(party));
    }

    TinyClient client(String party) throws IOException {
        return new TinyClient(port(party));
    }

    /** The port of the primary of the first shard. */
    int primaryPort() {
        return resp.port(cluster.primaryOf(FIRST).id());
    }

    /** Gives the first shard another primary. */
    void failOver() {
        NodeId before = cluster.primaryOf(FIRST).id();
        order(
                () -> cluster.failOver(FIRST),
                e -> e instanceof OperationFailedException failed && PASSING.contains(failed.reason()),
                () -> !cluster.primaryOf(FIRST).id().equals(before));
    }

    /**
     * Gives an order, and again whenever an operation of the sentinels has ended without the effect, as on a busy
     * machine it may.
     *
     * @param order what a client does
     * @param passing whether an exception means that the order is to be given again
     * @param effect what comes of it in the end
     */
    void order(Callable<?> order, Predicate<Exception> passing, BooleanSupplier effect) {
        Exception last = null;
        for (int i = 0; i < MAX_ORDERS; i++) {
            long ended = operations.get();
            try {
                order.call();
                await(() -> effect.getAsBoolean() || operations.get() != ended);
            } catch (Exception e) {
                if (!passing.test(e)) {
                    throw new AssertionError("an order must be carried out", e);
                }
                last = e;
            }
            if (cluster.await(effect, PAUSE)) {
                return;
            }
        }
        throw new AssertionError("one of " + MAX_ORDERS + " orders must have its effect", last);
    }

    void await(BooleanSupplier condition) {
        if (!cluster.await(condition, LIMIT)) {
            throw new AssertionError("must come to hold within " + LIMIT);
        }
    }

    /**
     * Does something until it is done, as an application would that meets a failover.
     *
     * @param failure what the client throws if it was not done
     */
    static <T> T eventually(Class<? extends RuntimeException> failure, Callable<T> action) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                return action.call();
            } catch (RuntimeException e) {
                if (!failure.isInstance(e) || System.nanoTime() - deadline > 0) {
                    throw e;
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    @Override
    public void close() {
        resp.close();
        cluster.close();
    }
}
