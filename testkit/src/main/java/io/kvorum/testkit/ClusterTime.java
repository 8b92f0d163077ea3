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

    /** Ends all threads but the one that calls; tasks that are due no later than now may still run. */
    void close();
}
