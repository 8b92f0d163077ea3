package io.kvorum.failover.runtime;

import io.kvorum.failover.ConfigurationProvider.Subscription;
import io.kvorum.failover.TopologySnapshot;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The numbered topologies of one provider, and who wants to hear of them. For each subscriber only the latest topology
 * waits, so that a slow one costs nothing.
 *
 * <p>Publishing is confined to one thread; everything else is safe for use by any number of threads.
 */
final class TopologyFeed {
    private static final System.Logger logger = System.getLogger(TopologyFeed.class.getName());

    private final Executor executor;
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private volatile TopologySnapshot latest;

    TopologyFeed(TopologySnapshot first, Executor executor) {
        latest = first;
        this.executor = executor;
    }

    TopologySnapshot latest() {
        return latest;
    }

    void publish(TopologySnapshot next) {
        latest = next;
        subscribers.forEach(Subscriber::wake);
    }

    Subscription subscribe(Consumer<TopologySnapshot> listener) {
        Subscriber subscriber = new Subscriber(listener);
        subscribers.add(subscriber);
        subscriber.wake();
        return subscriber;
    }

    /** Tries again what the executor has rejected, if anything. */
    void retry() {
        subscribers.forEach(Subscriber::retry);
    }

    void close() {
        subscribers.forEach(Subscriber::close);
    }

    private final class Subscriber implements Subscription, Runnable {
        private final AtomicReference<@Nullable Consumer<TopologySnapshot>> listener;
        private final AtomicInteger wakeUps = new AtomicInteger();
        /** Confined to whoever runs this, one at a time. */
        private long delivered;

        private volatile boolean rejected;

        private Subscriber(Consumer<TopologySnapshot> listener) {
            this.listener = new AtomicReference<>(listener);
        }

        private void wake() {
            if (wakeUps.getAndIncrement() == 0) {
                try {
                    executor.execute(this);
                } catch (RejectedExecutionException e) {
                    wakeUps.set(0);
                    rejected = true;
                }
            }
        }

        private void retry() {
            if (rejected) {
                rejected = false;
                wake();
            }
        }

        @Override
        public void run() {
            try {
                deliverLatest();
            } catch (Error e) { // what is published meanwhile is for another task
                wakeUps.set(0);
                wake();
                throw e;
            }
        }

        private void deliverLatest() {
            int handled = wakeUps.get();
            do {
                TopologySnapshot snapshot = latest;
                Consumer<TopologySnapshot> current = listener.get();
                if (current != null && snapshot.number() > delivered) {
                    delivered = snapshot.number();
                    deliver(current, snapshot);
                }
                handled = wakeUps.addAndGet(-handled);
            } while (handled != 0);
        }

        private void deliver(Consumer<TopologySnapshot> to, TopologySnapshot snapshot) {
            try {
                to.accept(snapshot);
            } catch (RuntimeException e) {
                logger.log(Level.WARNING, () -> "subscriber failed on topology " + snapshot.number(), e);
            }
        }

        @Override
        public void close() {
            listener.set(null);
            subscribers.remove(this);
        }
    }
}
