package io.kvorum.testkit.simulation;

import io.kvorum.replication.ReplicationMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries messages between processes, and loses, repeats, delays and reorders them, all by chance from the seed: what
 * becomes of the n-th message of a link depends on the seed, the link, n, and the network's state at that moment.
 *
 * <p>It may also keep a copy of a message, of a lost one too, and deliver that very late: many seconds after it was
 * sent, or when the receiver has restarted; sometimes the copy is all that ever comes. What was kept on a link within a
 * second comes together and in its order, so that a whole exchange may be heard again.
 *
 * <p>Confined to one thread.
 */
final class SimulatedNetwork {
    private static final int DRAWS_PER_MESSAGE = 8;
    private static final int THOUSAND = 1000;
    private static final int NOISE = 50; // of a thousand messages
    private static final long SHORTEST_LATENESS = Plan.SECOND;
    private static final int DOUBLINGS = 6; // each order of magnitude is as likely as another
    private static final int ONLY_LATE_PER_MILLE = 300;
    private static final long LONGEST_AFTER_RESTART = 300 * Plan.MILLISECOND;
    private static final int MAX_KEPT = 256; // for the restart of one receiver

    /**
     * How buffers of messages are handled by a network that may deliver a message twice or never.
     *
     * @param <M> the messages
     */
    interface Handling<M> {
        /** The handling of what nodes send each other. */
        Handling<ReplicationMessage> BUFFERS = new Handling<>() {
            @Override
            public ReplicationMessage copy(ReplicationMessage message) {
                return message.copy();
            }

            @Override
            public void release(ReplicationMessage message) {
                message.release();
            }
        };

        /** {@return a message to deliver beside this one, or null if such a message is never repeated} */
        @Nullable
        M copy(M message);

        /** Releases what a message holds that won't be delivered. */
        void release(M message);

        /** {@return the handling of messages without buffers} */
        static <M> Handling<M> immutable() {
            return new Handling<>() {
                @Override
                public M copy(M message) {
                    return message;
                }

                @Override
                public void release(M message) {}
            };
        }

        /** {@return the handling of messages without buffers that are never repeated} */
        static <M> Handling<M> once() {
            return new Handling<>() {
                @Override
                public @Nullable M copy(M message) {
                    return null;
                }

                @Override
                public void release(M message) {}
            };
        }
    }

    /**
     * Messages of one kind from some senders to some receivers are late, or (with {@link #NEVER}) lost, by chance.
     *
     * @param senders a set of processes
     * @param receivers another
     * @param least how late a message is at least
     * @param most how late it is at most
     */
    record Rule(MessageKind kind, long senders, long receivers, int perMille, long least, long most) {}

    /** The delay of a message that is lost. */
    static final long NEVER = Long.MAX_VALUE;

    /** Hears of each message. */
    interface Taps {
        /** Nobody who hears. */
        Taps NONE = new Taps() {};

        /** A message was sent. */
        default void sent(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {}

        /** A message was delivered; its receiver has not yet taken a step for it. */
        default void delivered(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {}

        /** The message that was delivered was a very late copy. */
        default void deliveredLate(SimulatedProcess from, SimulatedProcess to) {}
    }

    private final EventQueue queue;
    private final Trace trace;
    private final long seed;
    private final long lateEnd;
    private final boolean inOrder;
    private final long minDelay;
    private final long maxDelay;
    private final int processes;
    private final int[] cuts;
    private final long[] sent;
    private final long[] lastArrival;
    private final int[] latePerMille;
    private final List<List<Delivery<?>>> keptForRestart = new ArrayList<>();
    private final List<Rule> rules = new ArrayList<>();
    private final int[] largestPassed;
    private Taps taps = Taps.NONE;
    private int lateRules;
    private int lossPerMille;
    private int repeatPerMille;
    private int slowPerMille;
    private long slowDelay = 1;
    private long lost;
    private long repeated;
    private long delivered;
    private long late;
    private long lateInLaterLife;
    private long byRule;

    /**
     * Makes a network without faults.
     *
     * @param processes the number of processes
     * @param inOrder whether messages of one link never overtake each other; late copies come when they come
     * @param minDelay the shortest time a message is under way, in nanoseconds
     * @param maxDelay the longest time a message is usually under way
     * @param lateEnd after when no late copy comes any more
     */
    SimulatedNetwork(
            EventQueue queue,
            Trace trace,
            long seed,
            int processes,
            boolean inOrder,
            long minDelay,
            long maxDelay,
            long lateEnd) {
        this.queue = queue;
        this.trace = trace;
        this.seed = seed;
        this.processes = processes;
        this.inOrder = inOrder;
        this.minDelay = minDelay;
        this.maxDelay = maxDelay;
        this.lateEnd = lateEnd;
        this.largestPassed = new int[processes];
        Arrays.fill(largestPassed, Integer.MAX_VALUE);
        this.cuts = new int[processes * processes];
        this.sent = new long[processes * processes];
        this.lastArrival = new long[processes * processes];
        this.latePerMille = new int[processes];
        for (int i = 0; i < processes; i++) {
            keptForRestart.add(new ArrayList<>());
        }
    }

    /** Cuts or (with -1) restores what goes from the processes of one set to those of another; sets are bit masks. */
    void cut(long from, long to, int change) {
        for (int f = 0; f < processes; f++) {
            for (int t = 0; t < processes; t++) {
                if ((from >> f & 1) == 1 && (to >> t & 1) == 1 && f != t) {
                    cuts[f * processes + t] += change;
                }
            }
        }
    }

    /** Has somebody hear of each message. */
    void tap(Taps hearing) {
        taps = hearing;
    }

    /** Adds a rule. */
    void add(Rule rule) {
        rules.add(rule);
    }

    /** Takes a rule out. */
    void remove(Rule rule) {
        rules.remove(rule);
    }

    /** Has all messages to a process that are larger than this be lost. */
    void loseLarge(int receiver, int largest) {
        largestPassed[receiver] = largest;
    }

    /** {@return whether large messages to a process are lost} */
    boolean losesLarge(int receiver) {
        return largestPassed[receiver] != Integer.MAX_VALUE;
    }

    /** {@return whether a process reaches another and is reached by it} */
    boolean connects(int one, int other) {
        return cuts[one * processes + other] == 0 && cuts[other * processes + one] == 0;
    }

    /** {@return whether messages are late, or many are lost, by chance} */
    boolean isNoisy() {
        return slowPerMille > 0 || lateRules > 0 || lossPerMille > NOISE || !rules.isEmpty();
    }

    /** {@return whether any messages are lost by chance, so that in the end several pings in a row may be} */
    boolean losesSome() {
        return lossPerMille > 0;
    }

    /** Has so many more (or fewer) of a thousand messages be lost. */
    void changeLoss(int perMille) {
        lossPerMille += perMille;
    }

    /** Has so many more (or fewer) of a thousand messages be delivered twice. */
    void changeRepeats(int perMille) {
        repeatPerMille += perMille;
    }

    /** Has so many more (or fewer) of a thousand messages be under way for up to {@code delay}. */
    void changeSlowness(int perMille, long delay) {
        slowPerMille += perMille;
        slowDelay = delay;
    }

    /**
     * Has so many more (or fewer) of a thousand messages to the processes of a set be delivered once more, very late.
     */
    void changeLateCopies(long receivers, int perMille) {
        lateRules += perMille > 0 ? 1 : -1; // some of them are late only
        for (int i = 0; i < processes; i++) {
            latePerMille[i] += (receivers >> i & 1) == 1 ? perMille : 0;
        }
    }

    /** Delivers, soon, what was kept for a process until it restarts, each link in its order. */
    void restarted(SimulatedProcess process) {
        List<Delivery<?>> kept = keptForRestart.get(process.index());
        for (Delivery<?> delivery : kept) {
            long bits = Randomness.hash(seed, delivery.link, -1 - queue.now());
            scheduleLate(queue.now() + minDelay + Randomness.below(bits, LONGEST_AFTER_RESTART), delivery);
        }
        kept.clear();
    }

    /** Throws away what was kept for restarts that did not come. */
    void discardKept() {
        keptForRestart.forEach(kept -> {
            kept.forEach(Delivery::discard);
            kept.clear();
        });
    }

    /**
     * Sends a message: takes its buffers over.
     *
     * @param kind what kind of message it is
     * @param bytes how large it is
     * @param handling how its buffers are handled
     * @param receiver takes the sender, and the message with its buffers, if it arrives and the process is up
     */
    <M> void send(
            SimulatedProcess from,
            SimulatedProcess to,
            MessageKind kind,
            int bytes,
            M message,
            Handling<M> handling,
            BiConsumer<SimulatedProcess, M> receiver) {
        taps.sent(kind, from, to);
        int link = from.index() * processes + to.index();
        long n = sent[link]++ * DRAWS_PER_MESSAGE;
        Delivery<M> delivery = new Delivery<>(link, from, to, kind, message, handling, receiver, false);
        if (cuts[link] == 0 && happens(link, n + 6, latePerMille[to.index()])) {
            boolean kept = keepCopy(delivery);
            if (kept && happens(link, n + 7, ONLY_LATE_PER_MILLE)) {
                delivery.discard();
                return;
            }
        }
        if (cuts[link] > 0 || bytes > largestPassed[to.index()] || happens(link, n, lossPerMille)) {
            lost++;
            delivery.discard();
            return;
        }
        Rule rule = rules.isEmpty() ? null : ruleFor(kind, link, n);
        if (rule != null) {
            byRule++;
            if (rule.least == NEVER) {
                delivery.discard();
            } else {
                long bits = Randomness.hash(~seed, link, n + 1);
                queue.schedule(
                        queue.now() + minDelay + rule.least + Randomness.below(bits, rule.most - rule.least), delivery);
            }
            return;
        }
        if (happens(link, n + 1, repeatPerMille)) {
            Delivery<M> copy = delivery.copy(false);
            if (copy != null) {
                repeated++;
                carry(copy, n + 2);
            }
        }
        carry(delivery, n + 4);
    }

    private @Nullable Rule ruleFor(MessageKind kind, int link, long n) {
        for (Rule rule : rules) {
            if (rule.kind == kind
                    && (rule.senders >> (link / processes) & 1) == 1
                    && (rule.receivers >> (link % processes) & 1) == 1
                    && Randomness.below(Randomness.hash(~seed, link, n), THOUSAND) < rule.perMille) {
                return rule;
            }
        }
        return null;
    }

    private void carry(Delivery<?> delivery, long n) {
        int link = delivery.link;
        long bits = Randomness.hash(seed, link, n);
        boolean slow = happens(link, n + 1, slowPerMille);
        long delay = minDelay + Randomness.below(bits, slow ? slowDelay : maxDelay - minDelay);
        long arrival = queue.now() + delay;
        if (inOrder) {
            arrival = Math.max(arrival, lastArrival[link]);
            lastArrival[link] = arrival;
        }
        queue.schedule(arrival, delivery);
    }

    /** Keeps a copy for later, if the message is one that may come twice; returns whether it is. */
    private boolean keepCopy(Delivery<?> delivery) {
        Delivery<?> copy = delivery.copy(true);
        if (copy == null) {
            return false;
        }
        long bits = Randomness.hash(~seed, delivery.link, queue.now() / Plan.SECOND); // one for all of this second
        List<Delivery<?>> kept = keptForRestart.get(delivery.to.index());
        if (Randomness.below(bits, 3) > 0) {
            long lateness = SHORTEST_LATENESS << Randomness.below(bits >>> 2, DOUBLINGS);
            scheduleLate(queue.now() + lateness + Randomness.below(bits, lateness), copy);
        } else if (kept.size() < MAX_KEPT) {
            kept.add(copy);
        } else {
            copy.discard();
        }
        return true;
    }

    /** Schedules a late copy, unless that is after all faults must have ended. */
    private void scheduleLate(long arrival, Delivery<?> delivery) {
        if (arrival < lateEnd) {
            queue.schedule(arrival, delivery);
        } else {
            delivery.discard();
        }
    }

    /** {@return true {@code perMille} times in a thousand} */
    private boolean happens(int link, long n, int perMille) {
        return perMille > 0 && Randomness.below(Randomness.hash(seed, link, n), THOUSAND) < perMille;
    }

    long lost() {
        return lost;
    }

    long repeated() {
        return repeated;
    }

    /** {@return how many messages were late or lost by a rule} */
    long byRule() {
        return byRule;
    }

    long delivered() {
        return delivered;
    }

    /** {@return how many copies were delivered very late} */
    long late() {
        return late;
    }

    /** {@return how many of those came to a later life of their receiver than the one they were sent to} */
    long lateInLaterLife() {
        return lateInLaterLife;
    }

    private final class Delivery<M> implements Task {
        private final int link;
        private final SimulatedProcess from;
        private final SimulatedProcess to;
        private final MessageKind kind;
        private final M message;
        private final Handling<M> handling;
        private final BiConsumer<SimulatedProcess, M> receiver;
        private final boolean isLate;
        private final int sentToLife;

        Delivery(
                int link,
                SimulatedProcess from,
                SimulatedProcess to,
                MessageKind kind,
                M message,
                Handling<M> handling,
                BiConsumer<SimulatedProcess, M> receiver,
                boolean isLate) {
            this.link = link;
            this.from = from;
            this.to = to;
            this.kind = kind;
            this.message = message;
            this.handling = handling;
            this.receiver = receiver;
            this.isLate = isLate;
            this.sentToLife = to.life();
        }

        /** {@return a delivery of the same message with buffers of its own, or null if it is never repeated} */
        @Nullable
        Delivery<M> copy(boolean late) {
            M copy = handling.copy(message);
            return copy == null ? null : new Delivery<>(link, from, to, kind, copy, handling, receiver, late);
        }

        @Override
        public void run() {
            if (cuts[link] > 0) {
                lost++;
                discard();
            } else {
                to.deliver(new Arrival<>(this));
            }
        }

        @Override
        public void discard() {
            handling.release(message);
        }
    }

    /** The moment at which the process itself takes the message: after a pause, if there is one. */
    private final class Arrival<M> implements Task {
        private final Delivery<M> delivery;

        Arrival(Delivery<M> delivery) {
            this.delivery = delivery;
        }

        @Override
        public void run() {
            delivered++;
            if (delivery.isLate) {
                late++;
                lateInLaterLife += delivery.sentToLife == delivery.to.life() ? 0 : 1;
            }
            trace.event(delivery.kind.name().hashCode(), delivery.link, 0);
            trace.detail(delivery.to, () -> delivery.from + ": " + delivery.message);
            delivery.receiver.accept(delivery.from, delivery.message);
            taps.delivered(delivery.kind, delivery.from, delivery.to);
            if (delivery.isLate) {
                taps.deliveredLate(delivery.from, delivery.to);
            }
        }

        @Override
        public void discard() {
            delivery.discard();
        }
    }
}
