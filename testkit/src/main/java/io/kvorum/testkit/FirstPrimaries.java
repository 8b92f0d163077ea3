package io.kvorum.testkit;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Has the sentinels begin the shards of a new cluster, with as many tries as a busy machine may need.
 *
 * <p>Safe for use by any number of threads.
 */
final class FirstPrimaries {
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final Parties parties;
    private final Scheduler scheduler;
    private final Set<ShardId> begun = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    FirstPrimaries(Parties parties, Scheduler scheduler) {
        this.parties = parties;
        this.scheduler = scheduler;
    }

    void begin(ShardId shard) {
        SentinelDriver sentinel = parties.anySentinel();
        if (sentinel == null) {
            tryLater(shard); // when a sentinel runs again
            return;
        }
        sentinel.bootstrap(shard).whenComplete((primary, failure) -> {
            boolean alreadyBegun = failure instanceof OperationFailedException refused
                    && refused.reason() == AbortReason.ALREADY_BEGUN;
            if (failure == null || alreadyBegun) {
                begun.add(shard);
            } else {
                tryLater(shard);
            }
        });
    }

    private void tryLater(ShardId shard) {
        if (!closed) {
            scheduler.schedule(() -> begin(shard), PAUSE.toNanos());
        }
    }

    /** {@return whether a shard was begun, and no operation for it is under way any more} */
    boolean haveBegun(ShardId shard) {
        return begun.contains(shard);
    }

    /** Ends the tries. */
    void close() {
        closed = true;
    }
}
