package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.EventFeed;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * The events of a cluster: the last ones for its timeline, and each of them for its listeners.
 *
 * <p>Safe for use by any number of threads.
 */
final class ClusterEvents {
    /** How many events may wait for a slow listener. */
    private static final int MAX_WAITING = 1 << 16;

    /** How many events are kept for the timeline. */
    private static final int MAX_RECORDED = 10_000;

    private final Scheduler scheduler;
    private final Failures failures;
    private final EventFeed<ClusterEvent> feed;
    private final List<Consumer<? super NodeId>> lives = new CopyOnWriteArrayList<>();
    /** Guarded by itself. */
    private final Deque<ClusterEvent> recorded = new ArrayDeque<>();

    ClusterEvents(Scheduler scheduler, Failures failures) {
        this.scheduler = scheduler;
        this.failures = failures;
        feed = new EventFeed<>(
                scheduler, MAX_WAITING, (count, last) -> new ClusterEvent.EventsLost(last.at(), count), failures::add);
    }

    void publish(ClusterEvent event) {
        synchronized (recorded) {
            if (recorded.size() == MAX_RECORDED) {
                recorded.removeFirst();
            }
            recorded.addLast(event);
        }
        feed.publish(event);
    }

    /** Tells that a fault has begun or ended. */
    void fault(ClusterEvent.Fault.Kind kind, Collection<NodeId> parties, String detail) {
        publish(new ClusterEvent.Fault(scheduler.nanoTime(), kind, List.copyOf(parties), detail));
    }

    /** {@return the last events, oldest first} */
    List<ClusterEvent> recorded() {
        synchronized (recorded) {
            return List.copyOf(recorded);
        }
    }

    void add(Consumer<? super ClusterEvent> listener) {
        feed.add(listener);
    }

    void remove(Consumer<? super ClusterEvent> listener) {
        feed.remove(listener);
    }

    void addLifeListener(Consumer<? super NodeId> listener) {
        lives.add(requireNonNull(listener, "listener"));
    }

    /** A party was started or has ended, by the thread that calls. */
    void startedOrEnded(NodeId party) {
        for (Consumer<? super NodeId> listener : lives) {
            try {
                listener.accept(party);
            } catch (Throwable e) { // the test is to know, and the party not
                failures.add(e);
            }
        }
    }

    /** Ends the listening. */
    void close() {
        feed.close();
    }
}
