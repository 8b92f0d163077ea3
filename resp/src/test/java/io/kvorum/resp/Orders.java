package io.kvorum.resp;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelFact;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.LocalCluster;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** Gives the sentinels of a cluster orders that are carried out on a busy machine too. */
final class Orders {
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

    private final LocalCluster cluster;
    private final AtomicLong operations = new AtomicLong(); // of sentinels that have ended

    Orders(LocalCluster cluster) {
        this.cluster = cluster;
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfSentinel told
                    && told.event().fact() instanceof SentinelFact.OperationEnded) {
                operations.incrementAndGet();
            }
        });
    }

    /** Gives a shard another primary. */
    void failOver(ShardId shard) {
        NodeId before = cluster.primaryOf(shard).id();
        order(
                () -> cluster.failOver(shard),
                e -> e instanceof OperationFailedException failed && PASSING.contains(failed.reason()),
                () -> !cluster.primaryOf(shard).id().equals(before));
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
        if (!cluster.await(condition, Ports.LIMIT)) {
            throw new AssertionError("must come to hold within " + Ports.LIMIT);
        }
    }
}
