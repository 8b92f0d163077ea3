package io.kvorum.replication.runtime;

import io.kvorum.slots.Scheduler;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts the writes that wait for an acknowledgement, and for how long.
 *
 * <p>Safe for use by any number of threads.
 */
final class AcknowledgementCounts {
    private final LongAdder begun = new LongAdder();
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final LongAdder failed = new LongAdder();

    /** Counts a write that waits from now on until its outcome is known. */
    void await(CompletionStage<@Nullable Void> outcome, Scheduler scheduler) {
        begun.increment();
        long now = scheduler.nanoTime();
        outcome.whenComplete((done, failure) -> {
            if (failure == null) {
                nanos.add(scheduler.nanoTime() - now);
                acknowledged.increment();
            } else {
                failed.increment();
            }
        });
    }

    AcknowledgementStats stats() {
        long good = acknowledged.sum();
        long bad = failed.sum();
        return new AcknowledgementStats(Math.max(0, begun.sum() - good - bad), good, nanos.sum(), bad);
    }
}
