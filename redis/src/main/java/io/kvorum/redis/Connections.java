package io.kvorum.redis;

import io.kvorum.cluster.ClientCounters;
import io.kvorum.cluster.ClientStats;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
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
    private static final long PAUSE_MILLIS = 5;

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
    private int leavings; // of any place; guarded by idle
    private final Semaphore sessions = new Semaphore(MAX_SESSIONS);
    private final AtomicInteger nextLane = new AtomicInteger();
    /** What waits for another try. With the timer it would end without an outcome. */
    private final Set<Attempt<?>> paused = ConcurrentHashMap.newKeySet();

    private final AtomicInteger waiting = new AtomicInteger();
    private final ClientCounters counters = new ClientCounters();
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
            throw closed();
        }
    }

    private static IllegalStateException closed() {
        return new IllegalStateException("the store is closed");
    }

    // ---- single commands

    /** Sends a command on keys to the primary of their slot, and follows them where the servers say they are. */
    <R extends @Nullable Object> CompletableFuture<R> send(int slot, boolean writes, Command<R> command) {
        return send(slot, writes, true, command);
    }

    /**
     * As {@link #send}, for a command about all keys of the slot: while the slot is on its way from one server to
     * another it is refused, as neither has all of them.
     */
    <R extends @Nullable Object> CompletableFuture<R> sendOfSlot(int slot, boolean writes, Command<R> command) {
        return send(slot, writes, false, command);
    }

    private <R extends @Nullable Object> CompletableFuture<R> send(
            int slot, boolean writes, boolean ofKeys, Command<R> command) {
        CompletableFuture<R> outcome = new CompletableFuture<>();
        try {
            requireOpen();
            new Attempt<>(slot, writes, ofKeys, command, outcome).run();
        } catch (RuntimeException e) {
            outcome.completeExceptionally(e);
        }
        return outcome.whenComplete((result, failure) -> count(failure));
    }

    /** Counts an operation that has ended. */
    void count(@Nullable Throwable failure) {
        if (failure == null) {
            counters.succeeded();
        } else {
            counters.failed(failure);
        }
    }

    /** A command until it is answered by the server that has the keys, and takes it. */
    private final class Attempt<R extends @Nullable Object> {
        private final int slot;
        private final boolean writes;
        private final boolean ofKeys;
        private final Command<R> command;
        private final CompletableFuture<R> outcome;
        private final long begin = System.nanoTime();
        private int redirects = MAX_REDIRECTS;

        private Attempt(int slot, boolean writes, boolean ofKeys, Command<R> command, CompletableFuture<R> outcome) {
            this.slot = slot;
            this.writes = writes;
            this.ofKeys = ofKeys;
            this.command = command;
            this.outcome = outcome;
        }

        private void run() {
            CompletableFuture<R> sent;
            try {
                sent = sendTo(servers.placeOf(slot), slot, writes, ofKeys, command);
            } catch (RuntimeException e) { // no server has the slot, or the store was closed meanwhile
                servers.refresh();
                outcome.completeExceptionally(e);
                return;
            }
            var unused = sent.whenComplete((result, failure) -> {
                if (failure == null) {
                    outcome.complete(result);
                } else {
                    failed(failure);
                }
            });
        }

        private void failed(Throwable failure) {
            if (failure instanceof RefusedException refusal) {
                if (refusal.kind() == RefusedException.Kind.MOVED && redirects > 0) {
                    redirects--;
                    again(refusal, 0);
                    return;
                } else if (refusal.kind() == RefusedException.Kind.READ_ONLY && isTimeLeft(begin)) {
                    again(refusal, PAUSE_MILLIS); // the next primary may not be known yet
                    return;
                }
            }
            if (failure instanceof RefusedException || failure instanceof OutcomeUnknownException) {
                servers.refresh();
            }
            outcome.completeExceptionally(failure);
        }

        private void again(RefusedException refusal, long pauseMillis) {
            beginWait(refusal);
            paused.add(this);
            if (closed) { // perhaps unseen by close
                refuse();
            }
            servers.refresh().thenRun(() -> {
                if (pauseMillis == 0) {
                    goOn();
                } else {
                    resources
                            .timer()
                            .newTimeout(
                                    pause -> resources.eventExecutorGroup().execute(this::goOn),
                                    pauseMillis,
                                    TimeUnit.MILLISECONDS);
                }
            });
        }

        private void refuse() {
            outcome.completeExceptionally(closed());
        }

        private void goOn() {
            endWait();
            paused.remove(this);
            run();
        }
    }

    /** Returns whether it helps to ask for another primary, and an operation that began then still may. */
    boolean isTimeLeft(long begin) {
        return servers.mayChange() && System.nanoTime() - begin < timeout.toNanos();
    }

    /** An operation waits for another try. */
    void beginWait(RefusedException refusal) {
        counters.triedAgain(refusal);
        waiting.incrementAndGet();
    }

    /** An operation waits no longer for another try. */
    void endWait() {
        waiting.decrementAndGet();
    }

    int waiting() {
        return waiting.get();
    }

    ClientStats stats() {
        return counters.stats();
    }

    /** Sends a command to a server. The future fails with what the store's operation fails with. */
    <R extends @Nullable Object> CompletableFuture<R> sendTo(
            Place place, int slot, boolean writes, Command<R> command) {
        return sendTo(place, slot, writes, false, command);
    }

    private <R extends @Nullable Object> CompletableFuture<R> sendTo(
            Place place, int slot, boolean writes, boolean follows, Command<R> command) {
        requireOpen();
        Dispatch<R> dispatch = new Dispatch<>(slot, writes, command);
        dispatch.to(place, follows, false);
        return dispatch.outcome;
    }

    private Link link(Place place, boolean waits) {
        int lane = waits ? 1 + Math.floorMod(nextLane.getAndIncrement(), WAITING_LANES) : 0;
        Link link = links.computeIfAbsent(new Lane(place, lane), key -> new Link(client, place));
        link.connectAs(place);
        return link;
    }

    /** A command on its way to a server, and from that one to the server that the key is on its way to. */
    private final class Dispatch<R extends @Nullable Object> {
        private final int slot;
        private final boolean writes;
        private final Command<R> command;
        private final CompletableFuture<R> outcome = new CompletableFuture<>();

        private Dispatch(int slot, boolean writes, Command<R> command) {
            this.slot = slot;
            this.writes = writes;
            this.command = command;
        }

        /**
         * Sends it.
         *
         * @param follows whether it goes on to the server that an ASK names
         * @param asking whether it is there
         */
        private void to(Place place, boolean follows, boolean asking) {
            Link link = link(place, writes && replicas > 0);
            var unused = link.connection().whenComplete((connection, failure) -> {
                if (connection == null) {
                    Throwable cause = failure == null ? new IllegalStateException("closed") : Failures.cause(failure);
                    outcome.completeExceptionally(Failures.ofConnection(cause, slot, place));
                    return;
                }
                try {
                    on(link, connection, follows, asking);
                } catch (Throwable e) { // whatever it is, somebody waits for it
                    outcome.completeExceptionally(e);
                }
            });
        }

        private void on(
                Link link, StatefulRedisConnection<byte[], byte[]> connection, boolean follows, boolean asking) {
            if (!connection.isOpen()) {
                outcome.completeExceptionally(
                        Failures.ofConnection(new IllegalStateException("connection lost"), slot, link.place()));
                return;
            }
            @Nullable CompletionStage<R> sent;
            @Nullable CompletionStage<Long> confirmed;
            synchronized (link) { // nobody gives the connection up, and closes it, before this is sent
                if (link.isCurrent(connection)) {
                    sent = command.apply(asking ? new AskingCommands(connection) : connection.async());
                    confirmed = writes && replicas > 0 ? confirm(connection.async()) : null;
                } else {
                    sent = null;
                    confirmed = null;
                }
            }
            if (sent == null) {
                to(link.place(), follows, asking);
                return;
            }
            sent.whenComplete((result, failure) -> {
                if (failure != null) {
                    failed(Failures.cause(failure), link, connection, follows);
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

        private void failed(
                Throwable cause, Link link, StatefulRedisConnection<byte[], byte[]> connection, boolean follows) {
            Place asked = follows ? Failures.asked(cause, link.place()) : null;
            if (asked != null) {
                to(asked, false, true);
                return;
            }
            boolean readOnly = Failures.isReadOnly(cause);
            if ((readOnly || !Failures.isAnswer(cause)) && link.leave(connection) && readOnly) {
                leave(link.place());
            }
            outcome.completeExceptionally(Failures.ofCommand(cause, writes, slot, link.place()));
        }
    }

    /** Gives up all connections to a place, whose server is not the primary any more, or not the one named there. */
    void leave(Place place) {
        links.forEach((lane, link) -> {
            if (lane.place().equals(place)) {
                link.leave();
            }
        });
        Queue<StatefulRedisConnection<byte[], byte[]>> free;
        synchronized (idle) {
            leavings++;
            free = idle.remove(place);
        }
        if (free != null) {
            for (var connection : free) {
                var unused = connection.closeAsync();
            }
        }
    }

    /** Returns where a server sends those who ask for a key, or null if it answers them itself. */
    @Nullable
    Place whereTo(int slot, byte[] key) {
        Place place = servers.placeOf(slot);
        return Waiting.<@Nullable Place>read(this.<@Nullable Place>sendTo(
                place,
                slot,
                false,
                commands -> commands.exists(key)
                        .<@Nullable Place>thenApply(count -> null)
                        .exceptionallyCompose(failure -> {
                            Throwable cause = Failures.cause(failure);
                            Place asked = Failures.asked(cause, place);
                            return asked == null
                                    ? CompletableFuture.failedFuture(cause)
                                    : CompletableFuture.completedFuture(asked);
                        })));
    }

    /** Asks how many replicas have what was sent before, of which no failure may say that it was not sent. */
    private CompletionStage<Long> confirm(RedisAsyncCommands<byte[], byte[]> commands) {
        try {
            return commands.waitForReplication(replicas, Math.max(1, timeout.toMillis() * 3 / 4));
        } catch (RuntimeException e) { // of a client that is closed meanwhile
            return CompletableFuture.failedFuture(e);
        }
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
        return take(slot, servers.placeOf(slot), false);
    }

    /** Connects to the server that keys of a slot are on their way to. */
    Session takeAsking(int slot, Place place) {
        return take(slot, place, true);
    }

    private Session take(int slot, Place place, boolean asking) {
        requireOpen();
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
            int begun = leavings();
            return new Session(connect(place), place, slot, asking, begun);
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

    private int leavings() {
        synchronized (idle) {
            return leavings;
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
                keep(session);
            } else {
                var unused = session.connection().closeAsync();
                if (session.isReadOnly()) {
                    leave(session.place());
                }
                var unusedRefresh = servers.refresh();
            }
        } finally {
            sessions.release();
        }
    }

    /** Keeps the connection for another session, unless places were left meanwhile, perhaps the one at its end. */
    private void keep(Session session) {
        synchronized (idle) {
            if (session.begun() == leavings) {
                idle.computeIfAbsent(session.place(), key -> new ConcurrentLinkedQueue<>())
                        .add(session.connection());
                return;
            }
        }
        var unused = session.connection().closeAsync();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            paused.forEach(Attempt::refuse);
            servers.close();
            client.shutdownAsync(0, 1, TimeUnit.SECONDS).join(); // its connections with it
            if (ownsResources) {
                resources.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
            }
        }
    }
}
