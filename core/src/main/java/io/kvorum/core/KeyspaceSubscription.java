package io.kvorum.core;

import io.kvorum.core.KeyspaceEvent.Kind;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.Watcher;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The events of a store on their way to a {@link KeyspaceListener}, made by {@link LocalStore#subscribe} or
 * {@link ShardedStore#subscribe}.
 *
 * <p>Each event takes the next number, and waits in a queue of a fixed capacity to be delivered. If the queue is full,
 * the event is lost: the listener sees that a number is missing, and {@link #lost} counts it. Who changes the store
 * never waits for the listener or for room.
 *
 * <p>The events of a key come in the order of its changes. Who hears of one and reads the key finds this change or a
 * later one, in the store and in its near caches. Several changes of a key by one transaction are one event, by what
 * became of the key in the end; if the key was past its deadline before, {@code EXPIRED} comes first. What does not
 * change the store gives no event.
 *
 * <p>Safe for use by any number of threads.
 */
public final class KeyspaceSubscription implements AutoCloseable {
    private static final System.Logger logger = System.getLogger(KeyspaceSubscription.class.getName());

    /** How many events one task delivers, before others have their turn at the executor. */
    private static final int BATCH = 256;

    private final List<Engine> engines;
    private final Set<Kind> kinds;
    private final KeyFilter filter;
    private final KeyspaceListener listener;
    private final Executor executor;
    private final int capacity;
    private final Watcher watcher = new Changes();
    private final Object lock = new Object(); // held for a few instructions, and never around anybody else's code
    private final Queue<KeyspaceEvent> queue = new ArrayDeque<>();
    private long sequence;
    private long delivered;
    private long lost;
    private boolean refused;
    private boolean busy; // there is a task that delivers
    private boolean closed;
    private @Nullable Thread delivering; // the last one that began to
    private boolean again; // for that thread alone: there is a task more

    /** Whether there are events and no task that delivers them; written with the lock held. */
    private volatile boolean waiting;

    private KeyspaceSubscription(
            List<Engine> engines,
            Set<Kind> kinds,
            KeyFilter filter,
            KeyspaceListener listener,
            Executor executor,
            int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity must be at least 1: " + capacity);
        }
        this.engines = engines;
        this.kinds = EnumSet.of(Kind.REPLACED);
        this.kinds.addAll(kinds);
        this.filter = Objects.requireNonNull(filter, "filter");
        this.listener = Objects.requireNonNull(listener, "listener");
        this.executor = Objects.requireNonNull(executor, "executor");
        this.capacity = capacity;
    }

    static KeyspaceSubscription start(
            List<Engine> engines,
            Set<Kind> kinds,
            KeyFilter filter,
            KeyspaceListener listener,
            Executor executor,
            int capacity) {
        KeyspaceSubscription subscription =
                new KeyspaceSubscription(engines, kinds, filter, listener, executor, capacity);
        engines.forEach(engine -> engine.watchers().add(subscription.watcher));
        return subscription;
    }

    /** {@return how many events there have been, which is the number of the last one} */
    public long sequence() {
        synchronized (lock) {
            return sequence;
        }
    }

    /** {@return how many events the listener has been called with} */
    public long delivered() {
        synchronized (lock) {
            return delivered;
        }
    }

    /** {@return how many events wait to be delivered} */
    public int pending() {
        synchronized (lock) {
            return queue.size();
        }
    }

    /** {@return how many events were lost because the queue was full} */
    public long lost() {
        synchronized (lock) {
            return lost;
        }
    }

    /**
     * Ends the subscription: what is in the queue is forgotten, and no call of the listener begins any more. One that
     * has begun in another thread may still be under way.
     */
    @Override
    public void close() {
        engines.forEach(engine -> engine.watchers().remove(watcher));
        synchronized (lock) {
            closed = true;
            waiting = false;
            queue.clear();
        }
    }

    // ---- who changes the store

    /** What the store tells, with the lock of a stripe held and afterwards. */
    private final class Changes implements Watcher {
        @Override
        public void changed(int slot, byte[] key, Cause cause) {
            Kind kind = switch (cause) {
                case SET -> Kind.SET;
                case DELETED -> Kind.DELETED;
                case EXPIRED -> Kind.EXPIRED;
                case EVICTED -> Kind.EVICTED;
            };
            if (kinds.contains(kind) && isWanted(key)) {
                offer(kind, slot, key);
            }
        }

        /** What a filter throws must not damage the store: the event is wanted then. */
        private boolean isWanted(byte[] key) {
            try {
                return filter.accepts(key);
            } catch (Throwable e) {
                logger.log(Level.WARNING, () -> "filter of a key-space subscription failed", e);
                return true;
            }
        }

        @Override
        public void replaced() {
            offer(Kind.REPLACED, -1, null);
        }

        @Override
        public void unlocked() {
            if (waiting) {
                deliverSoon();
            }
        }
    }

    private void offer(Kind kind, int slot, byte @Nullable [] key) {
        synchronized (lock) {
            if (closed) {
                return;
            }
            sequence++;
            if (queue.size() == capacity || !enqueue(kind, slot, key)) {
                lost++;
            }
            waiting = !busy && !queue.isEmpty();
        }
    }

    /** Returns false if there is no memory for the event: the change has been made, and must not fail for that. */
    private boolean enqueue(Kind kind, int slot, byte @Nullable [] key) {
        try {
            return queue.add(new KeyspaceEvent(sequence, kind, slot, key == null ? null : key.clone()));
        } catch (OutOfMemoryError e) {
            return false;
        }
    }

    // ---- who delivers

    /** Hands a task to the executor, unless there is one or there is nothing to do. */
    private void deliverSoon() {
        synchronized (lock) {
            if (!waiting) {
                return;
            }
            waiting = false;
            busy = true;
        }
        try {
            executor.execute(this::deliver);
            tried(true);
        } catch (Throwable e) { // it is the store's user who is here, whose change has been made
            if (tried(false)) {
                logger.log(Level.WARNING, () -> "executor refused to deliver key-space events, which wait", e);
            }
        }
    }

    /** Notes whether the executor took the task. Returns whether it is the first time that it did not. */
    private boolean tried(boolean accepted) {
        synchronized (lock) {
            boolean first = !accepted && !refused;
            refused = !accepted;
            if (!accepted) {
                idle();
            }
            return first;
        }
    }

    /** Delivers a batch, one event at a time. */
    private void deliver() {
        Thread current = Thread.currentThread();
        synchronized (lock) {
            if (delivering
                    == current) { // an executor that runs tasks at once: the call below goes on, deeper it must not
                again = true;
                return;
            }
            delivering = current;
        }
        do {
            again = false;
            deliverBatch();
        } while (again);
        synchronized (lock) {
            if (delivering == current) {
                delivering = null;
            }
        }
    }

    private void deliverBatch() {
        int left = BATCH;
        KeyspaceEvent event = next();
        while (event != null) {
            tell(event);
            left--;
            event = left > 0 ? next() : null;
        }
        synchronized (lock) {
            idle();
        }
        if (waiting) {
            deliverSoon();
        }
    }

    private @Nullable KeyspaceEvent next() {
        synchronized (lock) {
            KeyspaceEvent event = queue.poll();
            if (event != null) {
                delivered++;
            }
            return event;
        }
    }

    private void tell(KeyspaceEvent event) {
        try {
            listener.changed(event);
        } catch (Throwable e) { // an Error, too: the next event is owed all the same
            logger.log(Level.WARNING, () -> "key-space listener failed on " + event, e);
        }
    }

    /** Ends a task; with the lock held. */
    private void idle() {
        busy = false;
        waiting = !queue.isEmpty();
    }
}
