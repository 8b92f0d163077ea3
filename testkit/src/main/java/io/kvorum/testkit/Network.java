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

    private final Scheduler scheduler;
    private final RandomGenerator random;
    private final long minLatency;
    private final long maxLatency;
    private final Map<Link, Long> lastArrivals = new HashMap<>();
    private volatile Set<Link> cut = Set.of();
    private volatile List<Delay> delays = List.of();
    private volatile List<Predicate<? super LocalMessage>> drops = List.of();
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
        duplicated = 0;
        reordered = 0;
    }

    /** Carries a message to its receiver, who takes over its buffers, or loses it. */
    void carry(LocalMessage message, Consumer<? super LocalMessage> receiver) {
        if (isLost(message)) {
            message.release();
            return;
        }
        if (duplicated > 0 && random.nextDouble() < duplicated) {
            send(message.copy(), receiver);
        }
        send(message, receiver);
    }

    private boolean isLost(LocalMessage message) {
        if (!isOpen(message.from(), message.to())) {
            return true;
        }
        for (Predicate<? super LocalMessage> drop : drops) {
            if (drop.test(message)) {
                return true;
            }
        }
        return false;
    }

    private void send(LocalMessage message, Consumer<? super LocalMessage> receiver) {
        long latency = latency(message);
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

    private long latency(LocalMessage message) {
        long min = minLatency;
        long max = maxLatency;
        Delay slowest = slowest(message);
        if (slowest != null) {
            min = Math.max(min, slowest.min);
            max = Math.max(max, slowest.max);
        }
        boolean overtakes = reordered > 0 && random.nextDouble() < reordered;
        long drawn = min + (max > min ? random.nextLong(max - min + 1) : 0);
        if (overtakes) { // it stays behind while others pass
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
