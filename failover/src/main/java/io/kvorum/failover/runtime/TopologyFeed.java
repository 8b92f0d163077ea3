package io.kvorum.failover.runtime;

import io.kvorum.failover.ConfigurationProvider.Subscription;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.SerialTask;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * The numbered topologies of one provider, and its subscribers. For each subscriber only the latest topology waits, so
 * a slow one costs nothing.
 *
 * <p>Publishing is confined to one thread; everything else is safe for use by any number of threads.
 */
final class TopologyFeed {
    private final Scheduler scheduler;
    private final Consumer<? super Throwable> failed;
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private volatile TopologySnapshot latest;
    private volatile boolean closed;

    /**
     * Creates a feed.
     *
     * @param first the topology to begin with
     * @param scheduler runs the subscribers
     * @param failed takes note of what a subscriber throws, or the scheduler
     */
    TopologyFeed(TopologySnapshot first, Scheduler scheduler, Consumer<? super Throwable> failed) {
        this.latest = first;
        this.scheduler = scheduler;
        this.failed = failed;
    }

    TopologySnapshot latest() {
        return latest;
    }

    void publish(TopologySnapshot next) {
        latest = next;
        subscribers.forEach(subscriber -> subscriber.task.wake());
    }

    Subscription subscribe(Consumer<TopologySnapshot> listener) {
        Subscriber subscriber = new Subscriber(listener);
        subscribers.add(subscriber);
        subscriber.task.wake();
        return subscriber;
    }

    void close() {
        closed = true;
        subscribers.clear();
    }

    private final class Subscriber implements Subscription {
        private final Consumer<TopologySnapshot> listener;
        private final SerialTask task = new SerialTask(scheduler, this::deliverLatest, failed);
        private volatile boolean ended;
        /** The number of the last topology. Confined to the task. */
        private long delivered;

        private Subscriber(Consumer<TopologySnapshot> listener) {
            this.listener = listener;
        }

        private void deliverLatest() {
            TopologySnapshot snapshot = latest;
            if (ended || closed || snapshot.number() <= delivered) {
                return;
            }
            delivered = snapshot.number();
            try {
                listener.accept(snapshot);
            } catch (Throwable e) {
                failed.accept(e);
            }
        }

        @Override
        public void close() {
            ended = true;
            subscribers.remove(this);
        }
    }
}
