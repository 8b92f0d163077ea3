package io.kvorum.testkit;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;

/**
 * Has the sentinels begin the shards of a new cluster, with as many tries as a busy machine may need.
 *
 * <p>Safe for use by any number of threads.
 */
final class FirstPrimaries {
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final Parties parties;
    private final Scheduler scheduler;
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
            boolean begun = failure instanceof OperationFailedException refused
                    && refused.reason() == AbortReason.ALREADY_BEGUN;
            if (failure != null && !begun) {
                tryLater(shard);
            }
        });
    }

    private void tryLater(ShardId shard) {
        if (!closed) {
            scheduler.schedule(() -> begin(shard), PAUSE.toNanos());
        }
    }

    /** Ends the tries. */
    void close() {
        closed = true;
    }
}
