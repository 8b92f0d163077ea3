package io.kvorum.testkit;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The last events of a cluster.
 *
 * <p>Safe for use by any number of threads.
 */
final class EventRecord {
    private final int limit;
    private final Deque<ClusterEvent> events = new ArrayDeque<>();

    EventRecord(int limit) {
        this.limit = limit;
    }

    synchronized void add(ClusterEvent event) {
        if (events.size() == limit) {
            events.removeFirst();
        }
        events.addLast(event);
    }

    synchronized List<ClusterEvent> events() {
        return List.copyOf(events);
    }
}
