package io.kvorum.cluster;

import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.runtime.StepRunner;
import java.lang.System.Logger.Level;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A task that is run again a fixed time after it has run, until it is closed. A scheduler that fails delays it, and
 * ends it no more than what the task throws.
 *
 * <p>Safe for use by any number of threads.
 */
final class Repeated implements AutoCloseable {
    private static final OperatorLog logger = OperatorLog.of(Repeated.class);

    private final long period;
    private final Runnable task;
    private final StepRunner<Boolean> runner;

    Repeated(Scheduler scheduler, Duration period, Runnable task) {
        this.period = period.toNanos();
        this.task = task;
        runner = new StepRunner<>(new Steps(), scheduler);
    }

    void start() {
        runner.wake();
    }

    @Override
    public void close() {
        runner.close();
    }

    private final class Steps implements StepRunner.Steps<Boolean> {
        @Override
        public Boolean step(long now) {
            runner.wakeAt(now + period);
            return true;
        }

        @Override
        public void deliver(Boolean due) {
            try {
                task.run();
            } catch (Throwable e) { // the next run may do better
                logger.log(Level.WARNING, () -> "repeated task failed", e);
            }
        }

        @Override
        public void end(@Nullable Throwable defect) {
            // there is nothing to let go of
        }

        @Override
        public void ended() {
            // nobody waits
        }
    }
}
