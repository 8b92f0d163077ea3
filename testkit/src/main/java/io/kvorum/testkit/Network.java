package io.kvorum.testkit;

import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Carries what the parties of a cluster send to each other, and loses, delays, repeats and mixes up what it is told to.
 * A link has a direction. It keeps the order of its messages, unless it is told to mix them up, and loses those that
 * are under way when it is cut.
 *
 * <p>Safe for use by any number of threads.
 */
final class Network {
    /** The direction from one party to another. */
    private record Link(NodeId from, NodeId to) {}

    /** How long messages take from some parties to others. */
    private record Delay(Set<NodeId> from, Set<NodeId> to, long min, long max) {
        boolean isFor(LocalMessage message) {
            return from.contains(message.from()) && to.contains(message.to());
        }
    }

    /** What becomes of a message. */
    enum Fate {
        CARRIED,
        LOST,
        REPEATED,
        OVERTAKEN
    }

    /** Says what becomes of messages. */
    interface Rule {
        /**
         * {@return what becomes of a message}
         *
         * @param number its number among the messages of its link, since any rule was added
         */
        Fate fateOf(LocalMessage message, long number);
    }

    private final Scheduler scheduler;
    private final RandomGenerator random;
    private final long minLatency;
    private final long maxLatency;
    private final Map<Link, Long> lastArrivals = new HashMap<>();
    private volatile Set<Link> cut = Set.of();
    private volatile List<Delay> delays = List.of();
    private volatile List<Predicate<? super LocalMessage>> drops = List.of();
    private volatile List<Rule> rules = List.of();
    private final Map<Link, AtomicLong> numbers = new ConcurrentHashMap<>();
    private volatile boolean numbered;
    /** Whether any message has ever taken time. */
    private volatile boolean delayed;

    private volatile double duplicated;
    private volatile double reordered;

    /** Creates a network whose messages take a time between the limits, in nanoseconds; 0 delivers within the call. */
    Network(Scheduler scheduler, RandomGenerator random, long minLatency, long maxLatency) {
        this.scheduler = scheduler;
        this.random = random;
        this.minLatency = minLatency;
        this.maxLatency = maxLatency;
    }

    boolean isOpen(NodeId from, NodeId to) {
        return cut.isEmpty() || !cut.contains(new Link(from, to));
    }

    /** Cuts each link that leads from one of these to one of those. */
    synchronized void cut(Collection<NodeId> from, Collection<NodeId> to) {
        Set<Link> more = new HashSet<>(cut);
        for (NodeId sender : from) {
            for (NodeId receiver : to) {
                if (!sender.equals(receiver)) {
                    more.add(new Link(sender, receiver));
                }
            }
        }
        cut = Set.copyOf(more);
    }

    synchronized void delay(Collection<NodeId> from, Collection<NodeId> to, Duration min, Duration max) {
        List<Delay> more = new ArrayList<>(delays);
        more.add(new Delay(Set.copyOf(from), Set.copyOf(to), min.toNanos(), max.toNanos()));
        delays = List.copyOf(more);
    }

    synchronized void drop(Predicate<? super LocalMessage> lost) {
        List<Predicate<? super LocalMessage>> more = new ArrayList<>(drops);
        more.add(lost);
        drops = List.copyOf(more);
    }

    /** Has the messages of each link be numbered from now on, for rules. */
    void number() {
        numbered = true;
    }

    synchronized void add(Rule rule) {
        List<Rule> more = new ArrayList<>(rules);
        more.add(rule);
        rules = List.copyOf(more);
    }

    void duplicate(double share) {
        duplicated = share;
    }

    void reorder(double share) {
        reordered = share;
    }

    synchronized void heal() {
        cut = Set.of();
        delays = List.of();
        drops = List.of();
        rules = List.of();
        duplicated = 0;
        reordered = 0;
    }

    /** Carries a message to its receiver, who takes over its buffers, or loses it. */
    void carry(LocalMessage message, Consumer<? super LocalMessage> receiver) {
        Fate fate = numbered ? fateOf(message) : Fate.CARRIED;
        if (fate == Fate.LOST || isLost(message)) {
            message.release();
            return;
        }
        if (fate == Fate.REPEATED || (duplicated > 0 && random.nextDouble() < duplicated)) {
            send(message.copy(), receiver, false);
        }
        send(message, receiver, fate == Fate.OVERTAKEN);
    }

    /** {@return what the first rule that has something to say of a message says} */
    private Fate fateOf(LocalMessage message) {
        long number = numbers.computeIfAbsent(new Link(message.from(), message.to()), link -> new AtomicLong())
                .incrementAndGet();
        Fate fate = Fate.CARRIED;
        for (Rule rule : rules) {
            Fate told = rule.fateOf(message, number); // each is asked, so that what one says depends on no other
            fate = fate == Fate.CARRIED ? told : fate;
        }
        return fate;
    }

    private boolean isLost(LocalMessage message) {
        if (!isOpen(message.from(), message.to())) {
            return true;
        }
        List<Predicate<? super LocalMessage>> present = drops;
        return !present.isEmpty() && present.stream().anyMatch(drop -> drop.test(message));
    }

    private void send(LocalMessage message, Consumer<? super LocalMessage> receiver, boolean overtaken) {
        long latency = latency(message, overtaken);
        if (latency == 0) {
            receiver.accept(message);
            return;
        }
        scheduler.schedule(
                () -> {
                    if (isOpen(message.from(), message.to())) {
                        receiver.accept(message);
                    } else {
                        message.release();
                    }
                },
                latency);
    }

    private long latency(LocalMessage message, boolean overtaken) {
        long min = minLatency;
        long max = maxLatency;
        Delay slowest = delays.isEmpty() ? null : slowest(message);
        if (slowest != null) {
            min = Math.max(min, slowest.min);
            max = Math.max(max, slowest.max);
        }
        boolean staysBehind = overtaken || (reordered > 0 && random.nextDouble() < reordered);
        long drawn = min + (max > min ? random.nextLong(max - min + 1) : 0);
        if (staysBehind) { // others pass it
            return Math.max(1, 3 * drawn);
        } else if (drawn == 0 && !delayed) {
            return 0;
        }
        delayed = true;
        synchronized (lastArrivals) { // what is sent at once stays behind what is still under way
            long now = scheduler.nanoTime();
            Link link = new Link(message.from(), message.to());
            Long last = lastArrivals.get(link);
            long at = last == null || last - now < drawn ? now + drawn : last + 1;
            lastArrivals.put(link, at);
            return at - now;
        }
    }

    private @Nullable Delay slowest(LocalMessage message) {
        Delay slowest = null;
        for (Delay delay : delays) {
            if (delay.isFor(message) && (slowest == null || delay.max > slowest.max)) {
                slowest = delay;
            }
        }
        return slowest;
    }
}
