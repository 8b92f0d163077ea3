package io.kvorum.slots.runtime;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A timer for the time in which a scheduler refuses tasks and timers both, so that a node to which nobody speaks is not
 * forgotten. Its thread is the JDK's, so it only offers the work again.
 */
@FunctionalInterface
interface LastResort {
    /** How often work is offered again before the scheduler is taken to have been shut down; some 90 s in all. */
    int MAX_TRIES = 100;

    /** The timer of the JDK, which starts its one thread when it is first used. */
    LastResort OF_JDK =
            (task, delayNanos) -> CompletableFuture.delayedExecutor(delayNanos, TimeUnit.NANOSECONDS, Runnable::run)
                    .execute(task);

    /**
     * Runs a task after a delay.
     *
     * @param task the task
     * @param delayNanos the delay
     */
    void later(Runnable task, long delayNanos);

    /**
     * Runs a task after a delay that grows with the number of tries: 10 ms at first, at most 1 s. Never throws.
     *
     * @param task the task
     * @param tries how often it was tried before
     * @return whether the task will be run
     */
    default boolean again(Runnable task, int tries) {
        if (tries >= MAX_TRIES) {
            return false;
        }
        try {
            later(task, Math.min(SerialTask.RETRY_NANOS << Math.min(tries, 20), 1_000_000_000));
            return true;
        } catch (Throwable e) { // the next wake-up is all that is left
            return false;
        }
    }
}
