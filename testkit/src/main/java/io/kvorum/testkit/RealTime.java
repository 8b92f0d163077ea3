package io.kvorum.testkit;

import io.kvorum.slots.Scheduler;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Delayed;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Real time, and for the whole cluster two threads and one that waits for what falls due.
 *
 * <p>Safe for use by any number of threads.
 */
final class RealTime implements ClusterTime {
    private static final Duration CHECK_PERIOD = Duration.ofMillis(1);

    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final Set<Thread> actors = ConcurrentHashMap.newKeySet();
    /** The actors that were told to end, and did not. */
    private final Set<Thread> endless = ConcurrentHashMap.newKeySet();

    private final ExecutorService executor;
    private final ScheduledThreadPoolExecutor timers;
    private final Scheduler scheduler;
    private final Failures failures;
    private volatile boolean closed;

    /** What a task throws is a failure of the test. */
    RealTime(Failures failures) {
        this.failures = failures;
        AtomicInteger number = new AtomicInteger();
        executor = Executors.newFixedThreadPool(2, task -> thread(task, "kvorum-local-" + number.incrementAndGet()));
        timers = new ScheduledThreadPoolExecutor(1, task -> thread(task, "kvorum-local-timers")) {
            @Override
            protected void terminated() {
                executor.shutdown(); // which what was due last was still handed to
            }
        };
        timers.setRemoveOnCancelPolicy(true);
        scheduler = Scheduler.of(executor, timers);
    }

    private Thread thread(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler(
                (ended, e) -> failures.add(e)); // the test is to know; another thread goes on
        threads.removeIf(former -> former.getState() == Thread.State.TERMINATED); // a task that threw has ended it
        threads.add(thread);
        return thread;
    }

    @Override
    public Scheduler scheduler() {
        return scheduler;
    }

    @Override
    public InstantSource clock() {
        return InstantSource.system();
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration limit) {
        requireNotEnded();
        if (condition.getAsBoolean()) {
            return true;
        }
        CompletableFuture<Boolean> held = new CompletableFuture<>();
        checkLater(condition, held);
        try {
            return held.get(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            requireNotEnded();
            return false;
        } finally {
            held.cancel(false);
        }
    }

    /** Looks whether the condition holds, again and again until it does, or nobody waits any more. */
    private void check(BooleanSupplier condition, CompletableFuture<Boolean> held) {
        try {
            if (!held.isDone() && condition.getAsBoolean()) {
                held.complete(true);
            }
        } catch (RuntimeException | Error e) {
            held.completeExceptionally(e);
        }
        checkLater(condition, held);
    }

    private void checkLater(BooleanSupplier condition, CompletableFuture<Boolean> held) {
        if (!held.isDone()) {
            try {
                scheduler.schedule(() -> check(condition, held), CHECK_PERIOD.toNanos());
            } catch (RejectedExecutionException e) { // the cluster was closed
                held.complete(false);
            }
        }
    }

    /** Ends an actor that waits after its cluster was closed. */
    private void requireNotEnded() {
        if (closed && actors.contains(Thread.currentThread())) {
            throw new CancellationException("cluster was closed");
        }
    }

    @Override
    public void sleep(Duration time) {
        requireNotEnded();
        try {
            TimeUnit.NANOSECONDS.sleep(TimeUnit.NANOSECONDS.convert(time));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            requireNotEnded();
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> start(String name, Callable<T> body) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        result.complete(body.call());
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    } finally {
                        actors.remove(Thread.currentThread());
                    }
                },
                name);
        thread.setDaemon(true);
        actors.add(thread);
        thread.start();
        return result;
    }

    @Override
    public void runDue() {
        // other threads do
    }

    @Override
    public void close() {
        closed = true;
        List<Thread> ending = actors.stream()
                .filter(actor -> actor != Thread.currentThread() && !endless.contains(actor))
                .toList();
        ending.forEach(Thread::interrupt);
        ending.stream().filter(actor -> !ClusterTime.hasEnded(actor, failures)).forEach(endless::add);
        timers.shutdown(); // the tries that clients wait for still run, and find that it is over
        for (Runnable task : timers.getQueue()) {
            if (((Delayed) task).getDelay(TimeUnit.NANOSECONDS) > PATIENCE.toNanos()) {
                timers.remove(task);
            }
        }
        if (!threads.contains(Thread.currentThread())) {
            awaitEnd();
        }
    }

    private void awaitEnd() {
        boolean interrupted = false;
        while (true) {
            try {
                if (executor.awaitTermination(1, TimeUnit.SECONDS)) {
                    for (Thread thread : threads) { // which may still have an instruction to go
                        thread.join();
                    }
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
