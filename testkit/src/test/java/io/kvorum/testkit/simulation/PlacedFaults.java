package io.kvorum.testkit.simulation;

import java.util.ArrayList;
import java.util.List;

/**
 * Faults that wait for their moments: a kind of message that is delivered, or something else that happens.
 *
 * <p>Confined to one thread.
 */
final class PlacedFaults {
    private final EventQueue queue;
    private final Randomness random;
    private final List<Placed> placed = new ArrayList<>();

    private static final class Placed {
        final MessageKind kind;
        final int perMille;
        final long end;
        final long processes;
        final Moment moment;
        int left;

        Placed(MessageKind kind, int perMille, long end, long processes, int most, Moment moment) {
            this.kind = kind;
            this.perMille = perMille;
            this.end = end;
            this.processes = processes;
            this.left = most;
            this.moment = moment;
        }
    }

    /** What a fault does at its moment. */
    interface Moment {
        void come(SimulatedProcess from, SimulatedProcess to);
    }

    PlacedFaults(EventQueue queue, Randomness random) {
        this.queue = queue;
        this.random = random;
    }

    /**
     * Has a fault wait.
     *
     * @param kind the kind of its moments
     * @param perMille in how many of a thousand moments it strikes
     * @param end when it ends
     * @param processes the processes, one of which must take part in the moment, one bit each
     * @param most how often it strikes at most
     */
    void add(MessageKind kind, int perMille, long end, long processes, int most, Moment moment) {
        placed.add(new Placed(kind, perMille, end, processes, most, moment));
    }

    /** Is called when a moment has come; a fault strikes after the step under way. */
    void moment(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {
        for (int i = placed.size() - 1; i >= 0; i--) {
            Placed each = placed.get(i);
            if (queue.now() > each.end || each.left == 0) {
                placed.remove(i);
            } else if (each.kind == kind
                    && ((each.processes >> from.index() | each.processes >> to.index()) & 1) == 1
                    && random.chance(each.perMille)) {
                each.left--;
                queue.schedule(queue.now(), () -> each.moment.come(from, to));
            }
        }
    }
}
