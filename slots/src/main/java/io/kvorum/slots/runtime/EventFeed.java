package io.kvorum.slots.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.Scheduler;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells listeners of events: each listener in order, one event at a time, on a scheduler's thread and under no lock.
 *
 * <p>A listener may do as it likes: be slow, throw anything, close whatever publishes. Each has a queue of its own. If
 * it falls behind by more than the capacity, its oldest events are thrown away and it is told how many. What it throws
 * is counted and reported, and its next event follows.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <E> the type of the events
 */
public final class EventFeed<E> {
    /** How many events a listener is told before the thread is given back. */
    private static final int MAX_BATCH = 64;

    private static final OperatorLog logger = OperatorLog.of(EventFeed.class);

    private final Scheduler scheduler;
    private final int capacity;
    private final Lost<E> lost;
    private final Consumer<? super Throwable> failed;
    private final List<Feed> feeds = new CopyOnWriteArrayList<>();
    private final AtomicLong failures = new AtomicLong();
    private volatile boolean closed;

    /**
     * Makes the event that stands for lost ones.
     *
     * @param <E> the type of the events
     */
    @FunctionalInterface
    public interface Lost<E> {
        /**
         * Makes the event.
         *
         * @param count how many events were lost
         * @param last the last of them
         * @return the event
         */
        E event(long count, E last);
    }

    /**
     * An event that waits.
     *
     * @param ofListener whether it tells that a listener failed; a failure at such an event is not reported, lest a
     *     listener keeps itself failing
     */
    private record Entry<E>(E event, boolean ofListener) {}

    /**
     * Creates a feed without listeners.
     *
     * @param scheduler runs the listeners
     * @param capacity how many events may wait for each listener
     * @param lost makes the event that tells a listener of those that were thrown away
     * @param failed takes note of what a listener threw; to be told by {@link #publishFailure}
     */
    public EventFeed(Scheduler scheduler, int capacity, Lost<E> lost, Consumer<? super Throwable> failed) {
        this.scheduler = requireNonNull(scheduler, "scheduler");
        this.capacity = capacity;
        this.lost = requireNonNull(lost, "lost");
        this.failed = requireNonNull(failed, "failed");
    }

    /**
     * Adds a listener, which is told of the events that are published from now on.
     *
     * @param listener the listener
     */
    public void add(Consumer<? super E> listener) {
        feeds.add(new Feed(requireNonNull(listener, "listener")));
    }

    /**
     * Removes a listener: it is told nothing any more, but for what it is being told.
     *
     * @param listener the listener
     */
    public void remove(Consumer<? super E> listener) {
        feeds.removeIf(feed -> {
            boolean removed = feed.listener == listener;
            feed.removed |= removed;
            return removed;
        });
    }

    /**
     * Tells all listeners of an event, soon. Never throws.
     *
     * @param event the event
     */
    public void publish(E event) {
        offer(new Entry<>(requireNonNull(event, "event"), false));
    }

    /**
     * Tells all listeners that one of them failed. What a listener throws at this event is counted, but not reported.
     *
     * @param event the event
     */
    public void publishFailure(E event) {
        offer(new Entry<>(requireNonNull(event, "event"), true));
    }

    private void offer(Entry<E> entry) {
        for (Feed feed : feeds) {
            feed.offer(entry);
        }
    }

    /** {@return how often a listener has thrown} */
    public long failures() {
        return failures.get();
    }

    /** Ends it: nobody is told anything any more, but for what somebody is being told. Idempotent. */
    public void close() {
        closed = true;
        feeds.clear();
    }

    private final class Feed {
        private final Consumer<? super E> listener;
        private final SerialTask task = new SerialTask(scheduler, this::drain, this::refused);
        private final Object lock = new Object();
        private final Deque<Entry<E>> queue = new ArrayDeque<>();
        private long dropped;
        private @Nullable E lastDropped;
        private volatile boolean removed;
        private volatile @Nullable Throwable refusal;

        private Feed(Consumer<? super E> listener) {
            this.listener = listener;
        }

        private void refused(Throwable cause) {
            refusal = cause;
        }

        private void offer(Entry<E> entry) {
            synchronized (lock) {
                if (queue.size() == capacity) {
                    lastDropped = queue.removeFirst().event;
                    dropped++;
                }
                queue.addLast(entry);
            }
            task.wake();
        }

        private @Nullable Entry<E> next() {
            synchronized (lock) {
                E last = lastDropped;
                if (last != null) {
                    Entry<E> entry = new Entry<>(lost.event(dropped, last), false);
                    dropped = 0;
                    lastDropped = null;
                    return entry;
                }
                return queue.pollFirst();
            }
        }

        private void drain() {
            Throwable refused = refusal;
            if (refused != null) {
                refusal = null;
                logger.log(Level.WARNING, () -> "the scheduler refused to run listener " + listener, refused);
            }
            for (int i = 0; i < MAX_BATCH; i++) {
                Entry<E> entry = closed || removed ? null : next();
                if (entry == null) {
                    return;
                }
                tell(entry);
            }
            task.wake();
        }

        private void tell(Entry<E> entry) {
            try {
                listener.accept(entry.event);
            } catch (Throwable e) {
                failures.incrementAndGet();
                if (!entry.ofListener) {
                    failed.accept(e);
                }
            }
        }
    }
}
