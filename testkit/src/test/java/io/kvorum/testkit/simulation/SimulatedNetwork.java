package io.kvorum.testkit.simulation;

import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries messages between processes, and loses, repeats, delays and reorders them, all by chance from the seed: what
 * becomes of the n-th message of a link depends on the seed, the link, n, and the network's state at that moment.
 *
 * <p>Confined to one thread.
 */
final class SimulatedNetwork {
    private static final int DRAWS_PER_MESSAGE = 8;
    private static final int THOUSAND = 1000;

    /**
     * How buffers of messages are handled by a network that may deliver a message twice or never.
     *
     * @param <M> the messages
     */
    interface Handling<M> {
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

    private final EventQueue queue;
    private final Trace trace;
    private final long seed;
    private final boolean inOrder;
    private final long minDelay;
    private final long maxDelay;
    private final int processes;
    private final int[] cuts;
    private final long[] sent;
    private final long[] lastArrival;
    private int lossPerMille;
    private int repeatPerMille;
    private int slowPerMille;
    private long slowDelay = 1;
    private long lost;
    private long repeated;
    private long delivered;

    /**
     * Makes a network without faults.
     *
     * @param processes the number of processes
     * @param inOrder whether messages of one link never overtake each other
     * @param minDelay the shortest time a message is under way, in nanoseconds
     * @param maxDelay the longest time a message is usually under way
     */
    SimulatedNetwork(
            EventQueue queue, Trace trace, long seed, int processes, boolean inOrder, long minDelay, long maxDelay) {
        this.queue = queue;
        this.trace = trace;
        this.seed = seed;
        this.processes = processes;
        this.inOrder = inOrder;
        this.minDelay = minDelay;
        this.maxDelay = maxDelay;
        this.cuts = new int[processes * processes];
        this.sent = new long[processes * processes];
        this.lastArrival = new long[processes * processes];
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
     * Sends a message: takes its buffers over.
     *
     * @param label what kind of message it is, for the digest
     * @param handling how its buffers are handled
     * @param receiver takes the sender, and the message with its buffers, if it arrives and the process is up
     */
    <M> void send(
            SimulatedProcess from,
            SimulatedProcess to,
            String label,
            M message,
            Handling<M> handling,
            BiConsumer<SimulatedProcess, M> receiver) {
        int link = from.index() * processes + to.index();
        long n = sent[link]++ * DRAWS_PER_MESSAGE;
        if (cuts[link] > 0 || draw(link, n) < lossPerMille) {
            lost++;
            handling.release(message);
            return;
        }
        if (draw(link, n + 1) < repeatPerMille) {
            M copy = handling.copy(message);
            if (copy != null) {
                repeated++;
                carry(link, n + 2, from, to, label, copy, handling, receiver);
            }
        }
        carry(link, n + 4, from, to, label, message, handling, receiver);
    }

    private <M> void carry(
            int link,
            long n,
            SimulatedProcess from,
            SimulatedProcess to,
            String label,
            M message,
            Handling<M> handling,
            BiConsumer<SimulatedProcess, M> receiver) {
        long bits = Randomness.hash(seed, link, n);
        boolean slow = draw(link, n + 1) < slowPerMille;
        long delay = minDelay + Randomness.below(bits, slow ? slowDelay : maxDelay - minDelay);
        long arrival = queue.now() + delay;
        if (inOrder) {
            arrival = Math.max(arrival, lastArrival[link]);
            lastArrival[link] = arrival;
        }
        queue.schedule(arrival, new Delivery<>(link, from, to, label, message, handling, receiver));
    }

    private int draw(int link, long n) {
        return (int) Randomness.below(Randomness.hash(seed, link, n), THOUSAND);
    }

    long lost() {
        return lost;
    }

    long repeated() {
        return repeated;
    }

    long delivered() {
        return delivered;
    }

    private final class Delivery<M> implements Task {
        private final int link;
        private final SimulatedProcess from;
        private final SimulatedProcess to;
        private final String label;
        private final M message;
        private final Handling<M> handling;
        private final BiConsumer<SimulatedProcess, M> receiver;

        Delivery(
                int link,
                SimulatedProcess from,
                SimulatedProcess to,
                String label,
                M message,
                Handling<M> handling,
                BiConsumer<SimulatedProcess, M> receiver) {
            this.link = link;
            this.from = from;
            this.to = to;
            this.label = label;
            this.message = message;
            this.handling = handling;
            this.receiver = receiver;
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
            trace.event(delivery.label.hashCode(), delivery.link, 0);
            delivery.receiver.accept(delivery.from, delivery.message);
        }

        @Override
        public void discard() {
            delivery.discard();
        }
    }
}
