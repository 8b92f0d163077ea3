package io.kvorum.testkit;

import io.kvorum.slots.Scheduler;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Time that goes by only while a thread waits for something, and then at once to what is due next.
 *
 * <p>One thread runs at a time. Tasks are run by the thread of the test while it waits. An actor is a thread of its own
 * that runs while that one looks on, until it waits itself.
 *
 * <p>Everything is due at a time and has a number, so that a run is the same each time. Tasks may be added by any
 * thread; only one thread of the test at a time, and actors, may wait.
 */
final class VirtualTime implements ClusterTime, Scheduler {
    /** The time of day at which every run begins. */
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    private static final long NEVER = Long.MAX_VALUE;

    /** A task that is due. */
    private static final class Due implements Comparable<Due> {
        private final long at;
        private final long number;
        private final Runnable task;

        private Due(long at, long number, Runnable task) {
            this.at = at;
            this.number = number;
            this.task = task;
        }

        @Override
        public int compareTo(Due other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Due> queue = new PriorityQueue<>();
    /** What became due when it was scheduled, most of all tasks; guarded by the queue. */
    private final Deque<Due> present = new ArrayDeque<>();

    private final Failures failures;
    private final ReentrantLock running = new ReentrantLock();
    private final List<Actor> actors = new CopyOnWriteArrayList<>();
    private long number;
    private volatile long now;
    private volatile boolean closed;

    /** What a task throws is a failure of the test. */
    VirtualTime(Failures failures) {
        this.failures = failures;
    }

    @Override
    public Scheduler scheduler() {
        return this;
    }

    @Override
    public InstantSource clock() {
        return () -> BEGIN.plusNanos(nanoTime());
    }

    @Override
    public long nanoTime() {
        takeTurn();
        return now;
    }

    @Override
    public void execute(Runnable task) {
        schedule(task, 0);
    }

    @Override
    public Cancellable schedule(Runnable task, long delayNanos) {
        takeTurn();
        synchronized (queue) {
            long at = now + Math.max(0, delayNanos);
            Due due = new Due(at < now ? NEVER : at, number++, task);
            Queue<Due> waits = at == now ? present : queue;
            if (!closed) {
                waits.add(due);
            }
            return () -> {
                synchronized (queue) {
                    waits.remove(due);
                }
            };
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> newFuture() {
        return new Awaited<>();
    }

    /** An actor that something else has woken does not run beside the thread that woke it. */
    private void takeTurn() {
        Actor actor = actor();
        if (actor != null) {
            actor.takeTurn();
        }
    }

    /** {@return the actor that calls, or null} */
    private @Nullable Actor actor() {
        return Thread.currentThread() instanceof Actor actor && actor.isOf(this) ? actor : null;
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration limit) {
        return runUntil(null, condition, TimeUnit.NANOSECONDS.convert(limit));
    }

    @Override
    public void sleep(Duration time) {
        runUntil(new CompletableFuture<>(), () -> false, TimeUnit.NANOSECONDS.convert(time));
    }

    /**
     * Lets time pass until a condition holds or the limit is reached; returns whether it holds.
     *
     * @param future what alone can make the condition hold, or null if anything can
     */
    private boolean runUntil(@Nullable CompletableFuture<?> future, BooleanSupplier condition, long limitNanos) {
        Actor actor = actor();
        long begun = nanoTime();
        long end = limitNanos < NEVER - begun ? begun + Math.max(0, limitNanos) : NEVER;
        if (actor != null) {
            return actor.suspend(future, condition, end);
        }
        if (!running.tryLock()) {
            throw new IllegalStateException(
                    "in virtual time one thread waits at a time; other threads of a test must be actors of the cluster: "
                            + Thread.currentThread().getName());
        }
        try {
            while (!condition.getAsBoolean()) {
                Due due = next(end);
                if (due == null) {
                    if (end != NEVER) {
                        now = Math.max(now, end);
                    }
                    return condition.getAsBoolean();
                }
                run(due);
            }
            return true;
        } finally {
            running.unlock();
        }
    }

    private @Nullable Due next(long end) {
        synchronized (queue) {
            Due due = queue.peek();
            Due soon = present.peek();
            Queue<Due> first = due == null || (soon != null && soon.compareTo(due) < 0) ? present : queue;
            due = first.peek();
            return due == null || due.at > end ? null : first.remove();
        }
    }

    private void run(Due due) {
        now = Math.max(now, due.at);
        try {
            due.task.run();
        } catch (Actor.ActorAtWork e) { // nothing can go on
            throw e;
        } catch (Throwable e) { // the test is to know; what else is due goes on
            failures.add(e);
        }
        for (int i = 0; i < actors.size(); i++) {
            actors.get(i).lookAfter();
        }
        actors.removeIf(Actor::hasEnded);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> start(String name, Callable<T> body) {
        CompletableFuture<T> result = newFuture();
        Actor actor = new Actor(this, name, () -> {
            try {
                T value = body.call();
                execute(() -> result.complete(value));
            } catch (Throwable e) {
                execute(() -> result.completeExceptionally(e));
            }
        });
        execute(() -> {
            actors.add(actor);
            actor.begin();
        });
        return result;
    }

    @Override
    public void runDue() {
        if (actor() == null && running.tryLock()) {
            try {
                for (Due due = next(now); due != null; due = next(now)) {
                    run(due);
                }
            } catch (Actor.ActorAtWork e) {
                failures.add(e);
            } finally {
                running.unlock();
            }
        }
    }

    /** Runs what is due by now, ends the actors, each where it waits, and drops what is due later. */
    @Override
    public void close() {
        if (!closed) {
            runDue();
            closed = true;
            synchronized (queue) {
                queue.clear();
                present.clear();
            }
        }
        for (Actor actor : actors) { // those that another thread is ending too: it may not be done yet
            actor.end(failures);
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** Lets time pass while a thread waits for it. */
    private final class Awaited<T extends @Nullable Object> extends CompletableFuture<T> {
        @Override
        public T get() throws InterruptedException, ExecutionException {
            runUntil(this, this::isDone, NEVER);
            if (!isDone()) {
                throw new ExecutionException(new TimeoutException("nothing is due that could complete it"));
            }
            return super.get();
        }

        @Override
        public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            if (!runUntil(this, this::isDone, unit.toNanos(timeout))) {
                throw new TimeoutException();
            }
            return super.get();
        }

        @Override
        public T join() {
            runUntil(this, this::isDone, NEVER);
            if (!isDone()) {
                throw new CompletionException(new TimeoutException("nothing is due that could complete it"));
            }
            return super.join();
        }

        /** {@return a copy, whose {@link #toCompletableFuture} is one of virtual time too} */
        @Override
        public CompletionStage<T> minimalCompletionStage() {
            return copy();
        }

        @Override
        public <U extends @Nullable Object> CompletableFuture<U> newIncompleteFuture() {
            return new Awaited<>();
        }
    }
}
