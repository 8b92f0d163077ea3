package io.kvorum.resp;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.KeyspaceEvent;
import io.kvorum.core.KeyspaceSubscription;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.WriteLostException;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.testkit.LocalNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * The port of a node. A command is first routed, by the topology and by the state of the node itself; what is left is
 * done on the node's own store. While a switchover holds the writes of the node back, they wait, as clients of the
 * server do, and then go where they belong.
 *
 * <p>What concerns several slots at once, which a cluster would refuse, runs alone at this node: no other command sees
 * a part of it. To the replicas and to the application it is several changes.
 *
 * <p>Safe for use by any number of threads.
 */
final class NodeEndpoint extends Endpoint {
    /** What a command waits out: until it is clear which node leads, or the log has room. */
    private static final Set<Kind> PASSING = EnumSet.of(Kind.PAUSED, Kind.FENCED, Kind.OVERLOADED);

    /** For how long it waits at most. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(2);

    private static final Duration SHORTEST_WAIT = Duration.ofNanos(1);

    /** A hundred years, for clocks that count nanoseconds. */
    private static final Duration MAX_HOLD = Duration.ofDays(36_500);

    /** How many keys that expired or were evicted may wait to be told. */
    private static final int REMOVALS = 1 << 16;

    /** The answer to whoever waits for replicas at a node that leads no more. */
    static final String DEPOSED =
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

    /** What a command is refused with whose client has gone, and nobody reads. */
    static final String GONE = "ERR the connection was closed";

    private static final String PARTLY_DONE = "ERR a part of the command may be done, then it was refused: ";
    static final String NO_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
    static final String TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    private static final String LOADING = "LOADING Redis is loading the dataset in memory";
    private static final CommandTable TABLE = new CommandTable();

    static {
        ConnectionCommands.addTo(TABLE);
        StringCommands.addTo(TABLE);
        KeyCommands.addTo(TABLE);
        DeadlineCommands.addTo(TABLE);
        TransactionCommands.addTo(TABLE);
        PubSubCommands.addTo(TABLE);
        ServerCommands.addTo(TABLE);
        DiagnosticCommands.addTo(TABLE);
        TableCommands.addTo(TABLE);
        ClusterCommands.addTo(TABLE);
        KvorumCommands.addTo(TABLE);
    }

    private final LocalNode node;
    private final ReentrantReadWriteLock commands = new ReentrantReadWriteLock();
    private final WatchedKeys watched = new WatchedKeys();
    private final SyncCounts syncs = new SyncCounts();
    private volatile long heldUntil; // by CLIENT PAUSE, of System.nanoTime
    private volatile boolean held;
    private volatile boolean heldWritesOnly;

    /** Of the life of the node; for whoever follows it. */
    private @Nullable KeyspaceSubscription removals;

    NodeEndpoint(RespCluster cluster, LocalNode node, int port, Settings settings) {
        super(cluster, node.id(), port, settings);
        this.node = node;
    }

    @Override
    @Nullable
    Object running() {
        return replicated();
    }

    private @Nullable ReplicatedStore replicated() {
        if (!node.isRunning()) {
            return null;
        }
        try {
            return node.store();
        } catch (IllegalStateException e) { // it was ended in between
            return null;
        }
    }

    /** {@return the node's own store} */
    ReplicatedStore store() {
        return node.store();
    }

    /**
     * {@return the node's own store for clients that wait for nobody} Its calls do not wait for room in the log either,
     * since others wait for the lock that they hold.
     */
    KeyValueStore localStore() {
        return store().store(Acknowledgement.LOCAL, ReadLevel.LOCAL, SHORTEST_WAIT);
    }

    NodeStatus status() {
        return node.status();
    }

    LocalNode node() {
        return node;
    }

    boolean isPrimary() {
        return status().role() == NodeRole.PRIMARY;
    }

    WatchedKeys watched() {
        return watched;
    }

    SyncCounts syncs() {
        return syncs;
    }

    @Override
    CommandTable table() {
        return TABLE;
    }

    @Override
    boolean needsPassword() {
        return !settings().text("requirepass").isEmpty();
    }

    /** Has the node's store tell what no command does to it. */
    @Override
    void begun(Object life) {
        removals = ((ReplicatedStore) life)
                .subscribe(
                        this::removed,
                        Runnable::run,
                        REMOVALS,
                        EnumSet.of(KeyspaceEvent.Kind.EXPIRED, KeyspaceEvent.Kind.EVICTED));
    }

    /** The ports may be closed while the node goes on. */
    @Override
    void ended() {
        if (removals != null) {
            removals.close();
            removals = null;
        }
        syncs.reset();
    }

    private void removed(KeyspaceEvent event) {
        byte[] key = event.key();
        if (key != null) {
            boolean expired = event.kind() == KeyspaceEvent.Kind.EXPIRED;
            cluster()
                    .tellKeyspace(
                            this, new Connection.Change(expired ? 'x' : 'e', expired ? "expired" : "evicted", key));
        }
    }

    @Override
    void crash() {
        node.crash();
    }

    @Override
    void forgotten(Connection connection) {
        watched.forget(connection.session());
    }

    @Override
    void run(Connection connection, Command command, byte[][] args) {
        Session session = connection.session();
        if (session.inTransaction() && command.has("no_multi")) {
            throw new CommandException("ERR Command not allowed inside a transaction");
        }
        if (command.traits().control() && !cluster().hasControl()) {
            throw new CommandException("ERR unknown command '" + Text.latin(args[0]) + "', with args beginning with: ");
        }
        session.asking = false; // a slot that moves is refused until its data is here, asked for or not
        boolean ends = command.isExec() && session.inTransaction();
        boolean broken = session.broken; // which EXEC says itself
        try {
            carryOut(connection, command, args);
        } catch (CommandException e) {
            throw !ends || broken || Routing.isElsewhere(e) || e.mayBeDone()
                    ? e
                    : new CommandException(TransactionCommands.ABORTED_BY + e.error());
        } finally {
            connection.forgetChanges();
            if (ends) {
                TransactionCommands.abandon(connection);
            }
        }
    }

    @Override
    void requireHere(Session session, Command command, byte[][] args) {
        try {
            Routing.check(this, session, command, command.keysOf(args));
        } catch (RefusedException e) {
            return; // no other place is known
        }
    }

    /** Carries a command out or queues it, once nothing passing stands in its way. */
    private void carryOut(Connection connection, Command command, byte[][] args) {
        RefusedException refused = attempt(connection, command, args);
        long deadline = refused == null ? 0 : System.nanoTime() + MAX_WAIT.toNanos();
        while (refused != null) {
            if (!PASSING.contains(refused.kind()) || System.nanoTime() - deadline >= 0) {
                throw new CommandException(Routing.error(this, refused));
            }
            waitBriefly(connection);
            refused = attempt(connection, command, args);
        }
    }

    /** {@return why nothing was done, or null if the command was carried out or queued} */
    private @Nullable RefusedException attempt(Connection connection, Command command, byte[][] args) {
        Session session = connection.session();
        long mark = connection.out().position();
        try {
            holdBack(connection, command);
            List<byte[]> keys = command.keysOf(args);
            Routing.check(this, session, command, keys);
            if (session.inTransaction() && !TransactionCommands.runsAtOnce(command)) {
                session.enqueue(command, args);
                connection.out().simple("QUEUED");
            } else if (command.isExec()) {
                TransactionCommands.execute(connection);
            } else {
                perform(connection, new Call(command, args, connection, null), keys);
            }
            return null;
        } catch (RefusedException e) {
            connection.out().truncate(mark);
            connection.forgetChanges();
            return e;
        } catch (OutOfMemoryError e) { // for a value that does not fit
            throw new CommandException(NO_MEMORY);
        }
    }

    private void perform(Connection connection, Call call, List<byte[]> keys) {
        if (!call.command().usesStore()) {
            call.run();
            return;
        }
        boolean write = call.command().isWrite();
        boolean several = keys.size() > 1 && !Call.inOneSlot(keys);
        if (several && write) {
            useInParts(connection, call);
        } else {
            use(connection, several || (write && isTellingNewKeys()), call);
        }
    }

    /** As {@link #use} alone, and tells of a refusal whether a part was accepted before it. */
    private void useInParts(Connection connection, Call call) {
        List<CompletionStage<?>> accepted = new ArrayList<>();
        try {
            use(connection, unawaited(accepted), true, call);
        } catch (RefusedException e) {
            throw accepted.isEmpty() ? e : CommandException.unknown(PARTLY_DONE + e.getMessage());
        } catch (CommandException e) {
            throw accepted.isEmpty() || !e.error().equals(TOO_LONG)
                    ? e
                    : CommandException.unknown(PARTLY_DONE + TOO_LONG);
        }
        accepted.forEach(NodeEndpoint::await);
    }

    /**
     * Lets a connection use the store, waits for the acknowledgements and tells of the changes.
     *
     * @param alone whether no other command may run meanwhile
     */
    void use(Connection connection, boolean alone, Runnable action) {
        if (cluster().acknowledgement().equals(Acknowledgement.LOCAL)) {
            use(connection, connection.localStore(this), alone, action);
            return;
        }
        List<CompletionStage<?>> outcomes = new ArrayList<>();
        use(connection, unawaited(outcomes), alone, action);
        outcomes.forEach(NodeEndpoint::await);
    }

    /** {@return the store, whose calls add what is to be waited for to a list, and nothing if they are refused} */
    private KeyValueStore unawaited(List<CompletionStage<?>> outcomes) {
        return store().unawaited(
                        cluster().acknowledgement(), ReadLevel.LOCAL, cluster().timeout(), outcomes::add);
    }

    private void use(Connection connection, KeyValueStore store, boolean alone, Runnable action) {
        Lock lock = alone ? commands.writeLock() : commands.readLock();
        lock.lock();
        try {
            connection.setStore(store);
            action.run();
            tell(connection);
        } catch (IllegalArgumentException e) {
            throw new CommandException(TOO_LONG);
        } catch (OutcomeUnknownException e) {
            throw unknown(e);
        } finally {
            connection.setStore(null);
            lock.unlock();
        }
    }

    private static void await(CompletionStage<?> outcome) {
        try {
            outcome.toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof OutcomeUnknownException unknown) {
                throw unknown(unknown);
            }
            if (e.getCause() instanceof WriteLostException lost) {
                throw CommandException.unknown("ERR " + lost.getMessage()); // others that it was part of may not be
            }
            throw e;
        }
    }

    private static CommandException unknown(OutcomeUnknownException e) {
        return CommandException.unknown(
                e.reason() == OutcomeUnknownException.Reason.DEPOSED ? DEPOSED : "ERR " + e.getMessage());
    }

    /** Tells who watches and who listens. */
    private void tell(Connection connection) {
        List<Connection.Change> changes = connection.changes();
        if (!changes.isEmpty()) {
            for (Connection.Change change : changes) {
                if (change.kind() != Connection.MISS) {
                    watched.changed(change.key());
                }
                cluster().tellKeyspace(this, change);
            }
            connection.forgetChanges();
        }
    }

    /** {@return whether anybody is told of keys that were not there before} */
    boolean isTellingNewKeys() {
        return cluster().isNotifying(Connection.NEW);
    }

    /** {@return whether no other command runs while the present one does} */
    boolean isAlone() {
        return commands.isWriteLockedByCurrentThread();
    }

    /** {@return whether anybody watches a key here or is told of changes} */
    boolean isFollowed() {
        return !watched.isEmpty() || cluster().isNotifying();
    }

    // ---- what stands in the way of all commands

    /** Waits while CLIENT PAUSE holds this command back. */
    private void holdBack(Connection connection, Command command) {
        if (!held || command.name().startsWith("client|") || command.traits().noAuth()) {
            return;
        }
        while (held && System.nanoTime() - heldUntil < 0) {
            if (heldWritesOnly && !isReplicated(connection, command)) {
                return;
            }
            waitBriefly(connection);
        }
    }

    /** {@return whether replicas of the server would have to carry a command out} */
    private static boolean isReplicated(Connection connection, Command command) {
        List<Session.Queued> queue = connection.session().queue;
        return command.isReplicated()
                || (command.isExec()
                        && queue != null
                        && queue.stream().anyMatch(queued -> queued.command().isReplicated()));
    }

    /** A command that waits goes with its client, as with the server. */
    private static void waitBriefly(Connection connection) {
        if (!connection.waitBriefly()) {
            throw new CommandException(GONE);
        }
    }

    /** Holds commands back for a while, those that are held back already for as long as they would be at least. */
    synchronized void holdCommands(long millis, boolean writesOnly) {
        long now = System.nanoTime();
        long until = now + Math.min(TimeUnit.MILLISECONDS.toNanos(millis), MAX_HOLD.toNanos());
        boolean goesOn = held && now - heldUntil < 0;
        if (!goesOn || until - heldUntil > 0) {
            heldUntil = until;
        }
        heldWritesOnly = writesOnly && (!goesOn || heldWritesOnly);
        held = true;
    }

    synchronized void releaseCommands() {
        held = false;
    }

    void requireComplete(Command command) {
        if (!command.traits().whileIncomplete() && !status().complete()) {
            throw new CommandException(LOADING);
        }
    }

    /** {@return the primary that this node follows or, as far as it knows none, that of the topology} */
    NodeId primary() {
        NodeId known = status().primary();
        return known != null ? known : cluster().shardOf(this).primary();
    }
}
