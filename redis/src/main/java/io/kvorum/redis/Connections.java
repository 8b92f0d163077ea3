package io.kvorum.redis;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The connections to all servers: one to each that operations share, some more for writes that wait for replicas, as a
 * server answers nothing else on a connection that waits, and one for each transaction under way.
 *
 * <p>Safe for use by any number of threads.
 */
final class Connections implements AutoCloseable {
    /** How many transactions may be under way. */
    static final int MAX_SESSIONS = 64;

    private static final int WAITING_LANES = 8;
    private static final int MAX_REDIRECTS = 5;

    /** A command; what it returns completes with its result. */
    interface Command<R extends @Nullable Object>
            extends Function<RedisAsyncCommands<byte[], byte[]>, CompletionStage<R>> {}

    private record Lane(Place place, int number) {}

    private final ClientResources resources;
    private final boolean ownsResources;
    private final RedisClient client;
    private final Servers servers;
    private final Duration timeout;
    private final int replicas;
    private final Map<Lane, Link> links = new ConcurrentHashMap<>();
    private final Map<Place, Queue<StatefulRedisConnection<byte[], byte[]>>> idle = new ConcurrentHashMap<>();
    private final Semaphore sessions = new Semaphore(MAX_SESSIONS);
    private final AtomicInteger nextLane = new AtomicInteger();
    private volatile boolean closed;

    Connections(
            ClientResources resources,
            boolean ownsResources,
            RedisClient client,
            Servers servers,
            Duration timeout,
            int replicas) {
        this.resources = resources;
        this.ownsResources = ownsResources;
        this.client = client;
        this.servers = servers;
        this.timeout = timeout;
        this.replicas = replicas;
    }

    Servers servers() {
        return servers;
    }

    Duration timeout() {
        return timeout;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the store is closed");
        }
    }

    // ---- single commands

    /** Sends a command to the primary of a slot, and follows it where the servers say it is. */
    <R extends @Nullable Object> CompletableFuture<R> send(int slot, boolean writes, Command<R> command) {
        CompletableFuture<R> outcome = new CompletableFuture<>();
        try {
            requireOpen();
            attempt(slot, writes, command, MAX_REDIRECTS, outcome);
        } catch (RuntimeException e) {
            outcome.completeExceptionally(e);
        }
        return outcome;
    }

    private <R extends @Nullable Object> void attempt(
            int slot, boolean writes, Command<R> command, int redirects, CompletableFuture<R> outcome) {
        CompletableFuture<R> sent;
        try {
            sent = sendTo(servers.placeOf(slot), slot, writes, command);
        } catch (RuntimeException e) { // no server has the slot, or the store was closed meanwhile
            servers.refresh();
            outcome.completeExceptionally(e);
            return;
        }
        var unused = sent.whenComplete((result, failure) -> {
            if (failure == null) {
                outcome.complete(result);
                return;
            }
            boolean moved =
                    failure instanceof RefusedException refusal && refusal.kind() == RefusedException.Kind.MOVED;
            if (moved && redirects > 0) {
                servers.refresh().thenRun(() -> attempt(slot, writes, command, redirects - 1, outcome));
                return;
            }
            if (failure instanceof RefusedException || failure instanceof OutcomeUnknownException) {
                servers.refresh();
            }
            outcome.completeExceptionally(failure);
        });
    }

    /** Sends a command to a server. The future fails with what the store's operation fails with. */
    <R extends @Nullable Object> CompletableFuture<R> sendTo(
            Place place, int slot, boolean writes, Command<R> command) {
        requireOpen();
        boolean waits = writes && replicas > 0;
        int lane = waits ? 1 + Math.floorMod(nextLane.getAndIncrement(), WAITING_LANES) : 0;
        Link link = links.computeIfAbsent(new Lane(place, lane), key -> new Link(client, place));
        CompletableFuture<R> outcome = new CompletableFuture<>();
        var unused = link.connection().whenComplete((connection, failure) -> {
            if (connection == null) {
                Throwable cause = failure == null ? new IllegalStateException("closed") : Failures.cause(failure);
                outcome.completeExceptionally(Failures.ofConnection(cause, slot, place));
                return;
            }
            try {
                dispatch(link, connection, slot, writes, command, outcome);
            } catch (Throwable e) { // whatever it is, somebody waits for it
                outcome.completeExceptionally(e);
            }
        });
        return outcome;
    }

    private <R extends @Nullable Object> void dispatch(
            Link link,
            StatefulRedisConnection<byte[], byte[]> connection,
            int slot,
            boolean writes,
            Command<R> command,
            CompletableFuture<R> outcome) {
        RedisAsyncCommands<byte[], byte[]> commands = connection.async();
        if (!connection.isOpen()) {
            outcome.completeExceptionally(
                    Failures.ofConnection(new IllegalStateException("connection lost"), slot, link.place()));
            return;
        }
        CompletionStage<R> sent = command.apply(commands);
        @Nullable CompletionStage<Long> confirmed = writes && replicas > 0 ? confirm(commands) : null;
        sent.whenComplete((result, failure) -> {
            if (failure != null) {
                Throwable cause = Failures.cause(failure);
                if (Failures.isReadOnly(cause) || !Failures.isAnswer(cause)) {
                    link.leave(connection);
                }
                outcome.completeExceptionally(Failures.ofCommand(cause, writes, slot, link.place()));
            } else if (confirmed == null) {
                outcome.complete(result);
            } else {
                confirmed.whenComplete((count, lost) -> {
                    if (lost != null || count < replicas) {
                        outcome.completeExceptionally(
                                Failures.unconfirmed(lost != null ? 0 : count.intValue(), link.place()));
                    } else {
                        outcome.complete(result);
                    }
                });
            }
        });
    }

    private CompletionStage<Long> confirm(RedisAsyncCommands<byte[], byte[]> commands) {
        return commands.waitForReplication(replicas, Math.max(1, timeout.toMillis() * 3 / 4));
    }

    /** Sends a command that changes something to the primary of a slot, and waits for its result. */
    <R extends @Nullable Object> R change(int slot, Command<R> command) {
        Place place = servers.placeOf(slot); // before it is sent: afterwards it is no refusal that there is none
        return Waiting.change(send(slot, true, command), place);
    }

    // ---- transactions

    /** Waits until enough replicas have what the session has changed. */
    void confirm(Session session) {
        if (replicas > 0) {
            int count;
            try {
                count = session.changed(confirm(session.commands())).intValue();
            } catch (IllegalStateException | RefusedException e) { // by a server that is no primary any more
                throw Failures.unconfirmed(0, session.place());
            }
            if (count < replicas) {
                throw Failures.unconfirmed(count, session.place());
            }
        }
    }

    /** Connects to the primary of a slot, or takes a connection that nobody uses. {@link #give} takes it back. */
    Session take(int slot) {
        requireOpen();
        Place place = servers.placeOf(slot);
        boolean acquired;
        try {
            acquired = sessions.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            throw interrupted();
        }
        if (!acquired) {
            throw Failures.refused(
                    RefusedException.Kind.OVERLOADED, MAX_SESSIONS + " transactions are under way", slot, place);
        }
        try {
            return new Session(connect(place), place, slot);
        } catch (Throwable e) {
            sessions.release();
            if (e instanceof Error error) {
                throw error;
            } else if (e instanceof CancellationException cancelled) {
                throw cancelled;
            }
            servers.refresh();
            throw Failures.ofConnection(Failures.cause(e), slot, place);
        }
    }

    private StatefulRedisConnection<byte[], byte[]> connect(Place place) throws ExecutionException {
        Queue<StatefulRedisConnection<byte[], byte[]>> free = idle.get(place);
        if (free != null) {
            for (var connection = free.poll(); connection != null; connection = free.poll()) {
                if (connection.isOpen()) {
                    return connection;
                }
            }
        }
        var connecting = Connecting.open(client, place.uri());
        try {
            return connecting.get();
        } catch (InterruptedException e) {
            var unused = connecting.thenCompose(StatefulRedisConnection::closeAsync);
            throw interrupted();
        }
    }

    private static CancellationException interrupted() {
        Thread.currentThread().interrupt();
        return new CancellationException("interrupted before anything changed");
    }

    /** Takes a session back, whose connection is used again if nothing is left of the session. */
    void give(Session session) {
        try {
            if (session.isWhole() && !closed) {
                session.end();
                idle.computeIfAbsent(session.place(), key -> new ConcurrentLinkedQueue<>())
                        .add(session.connection());
            } else {
                var unused = session.connection().closeAsync();
                var unusedRefresh = servers.refresh();
            }
        } finally {
            sessions.release();
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            servers.close();
            client.shutdownAsync(0, 1, TimeUnit.SECONDS).join(); // its connections with it
            if (ownsResources) {
                resources.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
            }
        }
    }
}
