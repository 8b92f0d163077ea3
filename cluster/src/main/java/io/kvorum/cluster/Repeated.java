package io.kvorum.cluster;

import io.kvorum.slots.Scheduler;
import java.lang.System.Logger.Level;
import java.time.Duration;

/** A task that is run again a fixed time after it has run, until it is closed. */
final class Repeated implements AutoCloseable {
    private static final System.Logger logger = System.getLogger(Repeated.class.getName());

    private final Scheduler scheduler;
    private final long period;
    private final Runnable task;
    private volatile boolean closed;

    Repeated(Scheduler scheduler, Duration period, Runnable task) {
        this.scheduler = scheduler;
        this.period = period.toNanos();
        this.task = task;
    }

    void start() {
        if (!closed) {
            scheduler.schedule(this::run, period);
        }
    }

    private void run() {
        if (closed) {
            return;
        }
        try {
            task.run();
        } catch (RuntimeException e) { // the next run may do better
            logger.log(Level.WARNING, () -> "repeated task failed", e);
        }
        start();
    }

    @Override
    public void close() {
        closed = true;
    }
}
