package io.kvorum.resp;

import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A port that stands for one node or sentinel of the cluster. It is open while that runs: a crash closes the port and
 * every connection, a restart opens the same port again. While no link leads from the clients to it and back, and while
 * it is paused, its connections hang.
 *
 * <p>Safe for use by any number of threads.
 */
abstract class Endpoint {
    private static final int BACKLOG = 511;

    /** How soon a connection that hangs notices that it need not any more. */
    private static final long CHECK_NANOS = 1_000_000;

    /** For how long a restart waits for its port, which a client's connection may have got meanwhile. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(2);

    private static final System.Logger logger = System.getLogger(Endpoint.class.getName());

    private final RespCluster cluster;
    private final NodeId id;
    private final String runIdBase;
    private final PubSub pubSub = new PubSub();
    private final Settings settings;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final long startedAt = System.nanoTime();
    private int port;
    private int starts;
    private @Nullable Object life; // what runs behind the open port
    private @Nullable ServerSocket server;
    private CountDownLatch accepting = new CountDownLatch(0);

    /** @param port the port to listen on, or 0 for one that the system chooses, once for all lives */
    Endpoint(RespCluster cluster, NodeId id, int port, Settings settings) {
        this.cluster = cluster;
        this.id = id;
        this.port = port;
        this.settings = settings;
        this.runIdBase = id + " of " + System.identityHashCode(cluster) + " at " + startedAt;
    }

    /** {@return what runs behind this port now, or null; with it or when it becomes another one, connections end} */
    abstract @Nullable Object running();

    abstract CommandTable table();

    /** Carries out a command that the table has, the limits of the connection's state observed. */
    abstract void run(Connection connection, Command command, byte[][] args);

    abstract boolean needsPassword();

    /** Something runs behind this port from now on, which will open. */
    abstract void begun(Object life);

    /** What ran behind this port does not any more, or is of no interest any more. */
    void ended() {}

    /**
     * Checks that a command which will not be carried out is in the right place at least.
     *
     * @throws CommandException with the error that sends the client elsewhere
     */
    void requireHere(Session session, Command command, byte[][] args) {}

    /** Ends what runs behind this port. */
    abstract void crash();

    /** Opens or closes the port as what is behind it was started or ended. */
    final synchronized void follow() {
        Object now = cluster.isClosed() ? null : running();
        if (now != life) {
            closePort();
            ended();
            life = now;
            if (now != null) {
                begun(now);
                openPort();
            }
        }
    }

    private void openPort() {
        try {
            ServerSocket opened = listen();
            port = opened.getLocalPort();
            server = opened;
            starts++;
            CountDownLatch end = new CountDownLatch(1);
            accepting = end;
            startThread(() -> accept(opened, end), "accept-" + id);
        } catch (IOException e) {
            throw new UncheckedIOException("port " + port + " of " + id + " cannot be opened", e);
        }
    }

    private ServerSocket listen() throws IOException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(cluster.host()), port);
        long begin = System.nanoTime();
        while (true) {
            ServerSocket opened = new ServerSocket();
            try {
                opened.setReuseAddress(true);
                opened.bind(address, BACKLOG);
                return opened;
            } catch (BindException e) {
                opened.close();
                if (starts == 0 || System.nanoTime() - begin > MAX_WAIT.toNanos()) {
                    throw e;
                }
                LockSupport.parkNanos(CHECK_NANOS);
            }
        }
    }

    private void closePort() {
        ServerSocket open = server;
        server = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) { // then it is closed all the same
                life = null;
            }
            awaitEndOfAccepting();
            closeConnections();
        }
    }

    /** The system refuses connections once nobody waits for them any more, which may be after the close. */
    private void awaitEndOfAccepting() {
        try {
            accepting.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void accept(ServerSocket from, CountDownLatch end) {
        try {
            while (!from.isClosed()) {
                try {
                    Socket socket = from.accept();
                    socket.setTcpNoDelay(true);
                    Connection connection = new Connection(cluster.nextConnection(), socket, this);
                    connections.add(connection);
                    if (from.isClosed()) {
                        connection.close();
                    }
                    startThread(connection, "client-" + connection.id());
                } catch (IOException e) {
                    if (!from.isClosed()) {
                        LockSupport.parkNanos(CHECK_NANOS); // out of descriptors, perhaps
                    }
                }
            }
        } finally {
            end.countDown();
        }
    }

    final void startThread(Runnable task, String name) {
        Threads.start(task, "kvorum-resp-" + name);
    }

    /** Closes the connections of clients, as a server does whose role has changed. */
    final void closeConnections() {
        connections.forEach(Connection::close);
    }

    final void forget(Connection connection) {
        connections.remove(connection);
        pubSub.forget(connection);
        forgotten(connection);
    }

    /** Hears of a connection that has ended. */
    void forgotten(Connection connection) {}

    final List<Connection> connections() {
        return connections.stream()
                .sorted(Comparator.comparingLong(Connection::id))
                .toList();
    }

    /**
     * Waits while the links between the clients and this party are cut, and while it is paused.
     *
     * @return {@code false} if the connection was closed meanwhile
     */
    final boolean awaitReachable(Connection connection) {
        while (!cluster.isReachable(id)) {
            if (connection.isClosed()) {
                return false;
            }
            LockSupport.parkNanos(CHECK_NANOS);
        }
        return !connection.isClosed();
    }

    /** Answers a command. Whatever goes wrong is an answer too. */
    final void execute(Connection connection, byte[][] args) {
        RespWriter out = connection.out();
        Session session = connection.session();
        long mark = out.position();
        Command command = null;
        try {
            command = admitted(session, args);
            run(connection, command, args);
        } catch (CommandException e) {
            out.truncate(mark);
            if (command != null) {
                session.broken |= session.inTransaction() && !TransactionCommands.runsAtOnce(command);
                out.error(e.error());
            } else if (Text.is(args[0], "POST") || Text.is(args[0], "Host:")) {
                connection.closeNow(); // a browser that was made to speak to this port
            } else {
                out.error(rejected(connection, args, e.error()));
            }
        } catch (IllegalStateException e) { // what runs behind this port was ended
            if (running() != null) {
                logger.log(Level.WARNING, () -> "command failed at " + id, e);
                out.truncate(mark);
                out.error("ERR internal error: " + e);
            } else {
                connection.closeNow();
            }
        } catch (RuntimeException e) { // a defect here must not hang the client
            logger.log(Level.WARNING, () -> "command failed at " + id, e);
            out.truncate(mark);
            out.error("ERR internal error: " + e);
        }
    }

    /** {@return the command, if the connection may use it in its state} */
    private Command admitted(Session session, byte[][] args) {
        Command command = table().find(args);
        session.lastCommand = command.name();
        if (!session.authenticated && !command.traits().noAuth()) {
            throw new CommandException("NOAUTH Authentication required.");
        }
        if (session.protocol == 2 && session.subscribed() && !PubSubCommands.mayBeUsedBySubscribers(command)) {
            requireHere(session, command, args); // the server's first complaint
            throw new CommandException("ERR Can't execute '" + command.name()
                    + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
        }
        return command;
    }

    /** Whatever is rejected breaks the transaction that it would be part of, and EXEC ends it. */
    private static String rejected(Connection connection, byte[][] args, String error) {
        Session session = connection.session();
        if (!Text.is(args[0], "EXEC") || !(connection.endpoint() instanceof NodeEndpoint)) {
            session.broken |= session.inTransaction();
            return error;
        }
        TransactionCommands.abandon(connection);
        return TransactionCommands.ABORTED_BY + (error.startsWith("ERR ") ? error.substring(4) : error);
    }

    final RespCluster cluster() {
        return cluster;
    }

    final NodeId id() {
        return id;
    }

    final synchronized int port() {
        return port;
    }

    final String address() {
        return cluster.host() + ":" + port();
    }

    /** {@return forty digits that are others after each start} */
    final synchronized String runId() {
        return Text.idOf(runIdBase + " start " + starts);
    }

    final PubSub pubSub() {
        return pubSub;
    }

    final Settings settings() {
        return settings;
    }

    final long uptimeSeconds() {
        return (System.nanoTime() - startedAt) / 1_000_000_000L;
    }
}
