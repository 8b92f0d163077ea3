package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.ClusterEvent.Fault.Kind;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/**
 * The faults of the links of a cluster: each is checked, made, and told as an event.
 *
 * <p>Safe for use by any number of threads.
 */
final class LinkFaults {
    private final Parties parties;
    private final Network network;
    private final ClusterEvents events;
    private final Failures failures;

    LinkFaults(Parties parties, Network network, ClusterEvents events, Failures failures) {
        this.parties = parties;
        this.network = network;
        this.events = events;
        this.failures = failures;
    }

    /** Cuts parties off, also from each other. */
    void isolate(Collection<NodeId> cutOff) {
        parties.require(cutOff);
        List<NodeId> everybody = parties.everybody();
        network.cut(cutOff, everybody);
        network.cut(everybody, cutOff);
        events.fault(Kind.CUT, cutOff, "from everybody");
    }

    /** Cuts parties off, but not from each other. */
    void partition(Collection<NodeId> side) {
        parties.require(side);
        List<NodeId> others = parties.everybody();
        others.removeAll(side);
        network.cut(side, others);
        network.cut(others, side);
        events.fault(Kind.CUT, side, "from all others");
    }

    void cut(Collection<NodeId> from, Collection<NodeId> to) {
        parties.require(from);
        parties.require(to);
        network.cut(from, to);
        events.fault(Kind.CUT, from, "on the way to " + to);
    }

    void delay(Collection<NodeId> from, Collection<NodeId> to, Duration min, Duration max) {
        parties.require(from);
        parties.require(to);
        requireRange(min, max);
        network.delay(from, to, min, max);
        events.fault(Kind.NETWORK, from, "late by " + min + " to " + max + " on the way to " + to);
    }

    static void requireRange(Duration min, Duration max) {
        ClusterTime.checked("min", min);
        ClusterTime.checked("max", max);
        if (max.compareTo(min) < 0) {
            throw new IllegalArgumentException("max must be at least min, " + min + ": " + max);
        }
    }

    void drop(Predicate<? super LocalMessage> lost) {
        requireNonNull(lost, "lost");
        network.drop(message -> {
            try {
                return lost.test(message);
            } catch (Throwable e) { // the test is to know, and the node not
                failures.add(e);
                return false;
            }
        });
        events.fault(Kind.NETWORK, List.of(), "loses some messages");
    }

    void duplicate(double share) {
        network.duplicate(checkedShare(share));
        events.fault(Kind.NETWORK, List.of(), "repeats " + share + " of the messages");
    }

    void reorder(double share) {
        network.reorder(checkedShare(share));
        events.fault(Kind.NETWORK, List.of(), "mixes up " + share + " of the messages");
    }

    private static double checkedShare(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be from 0 to 1: " + share);
        }
        return share;
    }

    /** Has a rule say what becomes of each message, until the network is healed. */
    void rule(Network.Rule rule, String what) {
        network.add(rule);
        events.fault(Kind.NETWORK, List.of(), what);
    }

    /** Has the messages of each link be numbered from now on, for {@link #rule rules}. */
    void numberMessages() {
        network.number();
    }

    /** Undoes all of them. */
    void heal() {
        network.heal();
        events.fault(Kind.HEAL, List.of(), "");
    }
}
