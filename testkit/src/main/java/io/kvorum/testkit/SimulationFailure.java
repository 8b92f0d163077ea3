package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A seed of a {@link Simulation} that broke something. The message has everything that a reader needs to begin: what
 * was broken and when, the line that runs the seed again, the few faults that matter, and the last events.
 */
public final class SimulationFailure extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final long seed;
    private final String violated;
    private final String replay;
    private final transient List<FaultSchedule.Fault> faults;
    private final transient List<FaultSchedule.Fault> shrunk;
    private final transient List<String> messages;
    private final transient ClusterTimeline timeline;

    SimulationFailure(
            String message,
            Throwable cause,
            long seed,
            String violated,
            String replay,
            List<FaultSchedule.Fault> faults,
            List<FaultSchedule.Fault> shrunk,
            List<String> messages,
            ClusterTimeline timeline) {
        super(message, requireNonNull(cause, "cause"));
        this.seed = seed;
        this.violated = violated;
        this.replay = replay;
        this.faults = List.copyOf(faults);
        this.shrunk = List.copyOf(shrunk);
        this.messages = List.copyOf(messages);
        this.timeline = timeline;
    }

    /** {@return the seed} */
    public long seed() {
        return seed;
    }

    /** {@return the name of the invariant, check or workload that failed; shrinking keeps it the same} */
    public String violated() {
        return violated;
    }

    /** {@return the command that runs this seed alone} */
    public String replay() {
        return replay;
    }

    /** {@return all faults that had happened when it failed} */
    public List<FaultSchedule.Fault> faults() {
        return faults;
    }

    /** {@return the faults that remain after all others were left out without changing what is violated} */
    public List<FaultSchedule.Fault> shrunkFaults() {
        return shrunk;
    }

    /**
     * {@return a line for each single message that had to be lost, repeated or overtaken; empty if no fault that does
     * so remains, or if its messages did not become fewer}
     */
    public List<String> shrunkMessages() {
        return messages;
    }

    /** {@return the events of the run with the shrunk faults: as lines, as JSON, as a page} */
    public ClusterTimeline timeline() {
        return timeline;
    }
}
