package io.kvorum.testkit;

import io.kvorum.slots.Scheduler;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The time of a cluster, and the threads that run it: those of an executor, or one at a time. */
sealed interface ClusterTime permits RealTime, VirtualTime {
    /** How long, in real time, an actor may take to end, or to wait for something, once it must. */
    Duration PATIENCE = Duration.ofSeconds(1);

    /** Longer than any test; sums of a few such times still fit into a number of nanoseconds. */
    Duration LONGEST = Duration.ofDays(36_525);

    /** {@return a time that a test has given, if it is from zero to a hundred years} */
    static Duration checked(String name, Duration value) {
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " must be from 0 to a hundred years: " + value);
        }
        return value;
    }

    /**
     * Waits a while for an actor that was told to end, and fails the test if it goes on; returns whether it has ended.
     */
    static boolean hasEnded(Thread actor, Failures failures) {
        long begin = System.nanoTime();
        boolean interrupted = false;
        while (actor.isAlive() && System.nanoTime() - begin < PATIENCE.toNanos()) {
            try {
                actor.join(PATIENCE.toMillis());
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        boolean ended = !actor.isAlive();
        if (!ended) {
            failures.add(at(actor, new ActorGoesOn(actor.getName())));
        }
        return ended;
    }

    /** An actor did not end with its cluster. */
    final class ActorGoesOn extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private ActorGoesOn(String name) {
            super("actor must end when its cluster is closed: " + name);
        }
    }

    /** {@return a failure as if the actor had thrown it where it is} */
    static <E extends Exception> E at(Thread actor, E failure) {
        failure.setStackTrace(actor.getStackTrace());
        return failure;
    }

    /** {@return what runs everything} */
    Scheduler scheduler();

    /** {@return the time of day} */
    InstantSource clock();

    /** Waits until a condition holds, and returns whether it came to hold. */
    boolean await(BooleanSupplier condition, Duration limit);

    /** Lets time pass for the thread that calls. */
    void sleep(Duration time);

    /** Starts a thread of the user, and returns what becomes of it. */
    <T extends @Nullable Object> CompletableFuture<T> start(String name, Callable<T> body);

    /** Runs what is due by now, if that is for the thread that calls. */
    void runDue();

    /** Ends all threads but the one that calls; tasks that are due now or very soon may still run, later ones not. */
    void close();
}
