package io.kvorum.testkit.simulation;

import io.kvorum.failover.SentinelEvent;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.ClusterEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What happened in a run: always a running digest of all events, and, where it is asked for, a timeline to read.
 *
 * <p>Confined to one thread.
 */
final class Trace {
    private static final int MAX_LINES = 1_000_000;

    private record Line(boolean detail, String text) {}

    private final EventQueue queue;
    private final boolean readable;
    private final Deque<Line> lines = new ArrayDeque<>();
    private final List<ClusterEvent> events = new ArrayList<>();
    private long digest;

    Trace(EventQueue queue, boolean readable) {
        this.queue = queue;
        this.readable = readable;
    }

    /** Mixes an event into the digest; the time is added here. */
    void event(int what, long who, long detail) {
        digest = Randomness.mix(digest ^ queue.now()) + Randomness.mix((who << 32) + what) + detail;
    }

    /** Adds a line to the timeline; the text is made only if there is one. */
    void line(Object who, Supplier<String> text) {
        add(false, who, text);
    }

    /** Adds a line that a reader wants to see only in a full timeline. */
    void detail(Object who, Supplier<String> text) {
        add(true, who, text);
    }

    private void add(boolean detail, Object who, Supplier<String> text) {
        if (readable) {
            if (lines.size() == MAX_LINES) {
                lines.removeFirst();
            }
            String line = String.format(Locale.ROOT, "%11.6f %-10s %s", queue.now() / 1e9, who, text.get());
            lines.addLast(new Line(detail, line));
        }
    }

    /** Keeps an event for a page; at {@link EventQueue#now()}, whatever the event says. */
    void happened(SentinelEvent event) {
        if (readable) {
            events.add(new ClusterEvent.OfSentinel(
                    new SentinelEvent(event.number(), queue.now(), event.sentinel(), event.fact())));
        }
    }

    /** Keeps an event for a page. */
    void happened(ReplicationEvent event) {
        if (readable) {
            events.add(new ClusterEvent.OfNode(queue.now(), event));
        }
    }

    /** Keeps what was done to some processes, or to the network, for a page. */
    void done(ClusterEvent.Fault.Kind kind, List<NodeId> parties, String detail) {
        if (readable) {
            events.add(new ClusterEvent.Fault(queue.now(), kind, parties, detail));
        }
    }

    /** {@return what a page shows, oldest first} */
    List<ClusterEvent> events() {
        return List.copyOf(events);
    }

    /** {@return the digest of all events so far} */
    long digest() {
        return digest;
    }

    /** {@return all lines of the timeline} */
    List<String> full() {
        return lines.stream().map(Line::text).toList();
    }

    /** {@return the last lines of the timeline without details, at most {@code count}} */
    List<String> tail(int count) {
        List<String> coarse =
                lines.stream().filter(line -> !line.detail).map(Line::text).toList();
        return coarse.subList(Math.max(0, coarse.size() - count), coarse.size());
    }
}
