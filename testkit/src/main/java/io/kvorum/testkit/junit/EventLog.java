package io.kvorum.testkit.junit;

import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.FaultSchedule.Fault;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/**
 * What happened last in a cluster.
 *
 * <p>Safe for use by any number of threads.
 */
final class EventLog {
    private static final int MAX_EVENTS = 10_000;

    /**
     * One line of it.
     *
     * @param at when, in nanoseconds since the start
     * @param who at whom
     * @param what what happened
     */
    record Line(long at, String who, String what) {
        String json() {
            StringBuilder json =
                    new StringBuilder("{\"at\":").append(Texts.seconds(at)).append(",\"who\":");
            Texts.quote(who, json);
            json.append(",\"what\":");
            Texts.quote(what, json);
            return json.append('}').toString();
        }

        @Override
        public String toString() {
            return Texts.seconds(at) + " " + who + " " + what;
        }
    }

    private final long start;
    private final Deque<ClusterEvent> events = new ArrayDeque<>();
    private long forgotten;

    EventLog(long start) {
        this.start = start;
    }

    synchronized void add(ClusterEvent event) {
        if (events.size() == MAX_EVENTS) {
            events.removeFirst();
            forgotten++;
        }
        events.addLast(event);
    }

    /** {@return how many events are no longer kept} */
    synchronized long forgotten() {
        return forgotten;
    }

    /** {@return the lines that are kept, and those of faults, oldest first} */
    synchronized List<Line> lines(List<Fault> faults) {
        List<Line> lines = new ArrayList<>();
        for (Fault fault : faults) {
            lines.add(new Line(fault.at() - start, "fault", fault.kind() + ": " + fault.what()));
        }
        for (ClusterEvent event : events) {
            lines.add(line(event));
        }
        lines.sort(Comparator.comparingLong(Line::at)); // stable: a fault goes before what comes of it
        return lines;
    }

    private Line line(ClusterEvent event) {
        long at = event.at() - start;
        if (event instanceof ClusterEvent.OfNode of) {
            return new Line(at, of.event().node().value(), of.event().toString());
        } else if (event instanceof ClusterEvent.OfSentinel of) {
            return new Line(at, of.event().sentinel().value(), of.event().fact().toString());
        }
        return new Line(at, "cluster", event.toString());
    }
}
