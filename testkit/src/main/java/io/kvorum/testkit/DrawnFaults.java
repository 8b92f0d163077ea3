package io.kvorum.testkit;

import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a schedule draws: faults by their numbers, and the single messages that some of them strike. Some of both may be
 * left out, so that a run can be repeated with fewer of them; and what happens is written down.
 *
 * <p>All draws are made from the seed and the number of what is drawn, so that each is the same whatever the others
 * are. Safe for use by any number of threads.
 */
final class DrawnFaults {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    /**
     * A message that a fault strikes.
     *
     * @param fault the number of the fault
     * @param number the number of the message in its link
     */
    record Struck(int fault, NodeId from, NodeId to, long number) {}

    private final @Nullable Set<Integer> faults;
    private final @Nullable Set<Struck> messages;
    private final Set<Integer> begun = new LinkedHashSet<>();
    private final Set<Struck> struck = new LinkedHashSet<>();
    private final List<String> lines = new ArrayList<>();

    private DrawnFaults(@Nullable Set<Integer> faults, @Nullable Set<Struck> messages) {
        this.faults = faults;
        this.messages = messages;
    }

    /** {@return all that is drawn} */
    static DrawnFaults all() {
        return new DrawnFaults(null, null);
    }

    /** {@return some faults, with all messages that they strike} */
    static DrawnFaults only(Set<Integer> faults) {
        return new DrawnFaults(faults, null);
    }

    /** {@return some faults, and of the messages that they strike some} */
    static DrawnFaults only(Set<Integer> faults, Set<Struck> messages) {
        return new DrawnFaults(faults, messages);
    }

    /** {@return the chance of the fault of a number} */
    static SplittableRandom random(long seed, int fault) {
        return new SplittableRandom(new SplittableRandom(seed + fault * GOLDEN_GAMMA).nextLong());
    }

    boolean takes(int fault) {
        return faults == null || faults.contains(fault);
    }

    synchronized void begins(int fault) {
        begun.add(fault);
    }

    /** {@return whether a fault strikes a message, as it does a share of them} */
    synchronized boolean strikes(long seed, int fault, double share, LocalMessage message, long number, long now) {
        Struck candidate = new Struck(fault, message.from(), message.to(), number);
        long link =
                31L * message.from().value().hashCode() + message.to().value().hashCode();
        boolean drawn = random(seed ^ link * GOLDEN_GAMMA + number, fault).nextDouble() < share;
        if (!drawn || (messages != null && !messages.contains(candidate))) {
            return false;
        }
        if (struck.add(candidate) && messages != null) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%10.6f to %s from %s: %s",
                    now / 1e9,
                    message.to(),
                    message.from(),
                    message.content()));
        }
        return true;
    }

    /** {@return the numbers of the faults that happened} */
    synchronized Set<Integer> begun() {
        return new LinkedHashSet<>(begun);
    }

    /** {@return the messages that were struck} */
    synchronized Set<Struck> struck() {
        return new LinkedHashSet<>(struck);
    }

    /** {@return a line for each message that was struck, where single messages were chosen} */
    synchronized List<String> lines() {
        return List.copyOf(lines);
    }
}
