package io.kvorum.replication.runtime;

import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.StepRunner;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a write that nobody waits for leads to a step: after the linger, or at once when a batch is full.
 *
 * <pre>
 * IDLE      -- step, replicas are fed --> ARMED       the log wakes at the first write that was not taken up
 * ARMED     -- write -------------------> LINGERING   a step is due within the linger; the log wakes at a full batch
 * LINGERING -- batch is full -----------> IDLE        a step is due at once
 * any       -- step --------------------> IDLE
 * </pre>
 *
 * <p>Writers come here in the log's wake-up, once for each of these transitions, so that a write costs them nothing.
 *
 * <p>Safe for use by any number of threads.
 */
final class WriteWakeup {
    private static final long NEVER = Long.MAX_VALUE;

    private final ShardNode node;
    private final StepRunner<?> runner;
    private final Scheduler scheduler;
    private final long lingerNanos;
    private final int batchBytes;

    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Object lock = new Object();
    /** Counts the steps, so that a wake-up that comes late is told from one that is meant. */
    private long round;

    /** Whether it has left something with the log that may still be there. */
    private boolean hooked;

    private boolean ended;

    WriteWakeup(ShardNode node, StepRunner<?> runner, Scheduler scheduler, ReplicationSettings settings) {
        this.node = node;
        this.runner = runner;
        this.scheduler = scheduler;
        lingerNanos = settings.linger().toNanos();
        batchBytes = settings.batchBytes();
    }

    /**
     * Has the next write lead to another step, if there is anybody to send it to.
     *
     * @param status where the node stands after the step
     * @param taken the end of what the step has taken up
     */
    void await(NodeStatus status, long taken) {
        boolean feeds = status.role() == NodeRole.PRIMARY && !status.replicas().isEmpty();
        synchronized (lock) {
            long armed = ++round;
            if (!ended && feeds) {
                node.wakeWhen(taken, () -> written(armed, taken));
            } else if (!ended && hooked) {
                node.wakeWhen(NEVER, () -> {});
            }
            hooked = feeds;
        }
    }

    private void written(long armed, long taken) {
        try {
            if (!isMeant(armed)) {
                return;
            }
            runner.wakeAt(scheduler.nanoTime() + lingerNanos);
            synchronized (lock) {
                if (isMeant(armed)) { // no step has begun meanwhile
                    long full = ++round;
                    node.wakeWhen(taken + batchBytes - 1, () -> batchFull(full));
                }
            }
        } catch (Throwable e) { // of the user's clock, or the writer's stack is full; the log runs it again
            failure.set(e);
            throw e;
        }
    }

    /** {@return why a wake-up failed since this was last asked, or null} */
    @Nullable
    Throwable takeFailure() {
        return failure.getAndSet(null);
    }

    private void batchFull(long full) {
        if (isMeant(full)) {
            runner.wake();
        }
    }

    private boolean isMeant(long armed) {
        synchronized (lock) {
            return armed == round && !ended;
        }
    }

    /** Unhooks it from the log. */
    void end() {
        synchronized (lock) {
            ended = true;
            round++;
            node.wakeWhen(NEVER, () -> {});
        }
    }
}
