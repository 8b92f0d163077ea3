package io.kvorum.resp;

import io.kvorum.core.KeyValueStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A connection of a client, and the thread that reads its commands, carries them out and sends the answers: all that
 * has arrived is carried out before anything is sent.
 *
 * <p>Confined to its thread, but for {@link #push} and {@link #close}.
 */
final class Connection implements Runnable {
    /** How many bytes of answers are kept back at most. */
    private static final int MAX_ANSWERS = 64 << 10;

    /** How many bytes of later commands are read at most while one waits. */
    private static final int MAX_AHEAD = 1 << 20;

    private static final int MOMENT_MILLIS = 1;

    /** The kind of event by which a key is told that was looked for in vain; it is no change. */
    static final char MISS = 'm';

    /** The kind of event by which a key is told that was not there before. */
    static final char NEW = 'n';

    /** A change that is told once the command is over. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Change(char kind, String event, byte[] key) {}

    private final long id;
    private final Socket socket;
    private final Endpoint endpoint;
    private final RespReader reader;
    private final RespWriter out = new RespWriter(2);
    private final List<Change> changes = new ArrayList<>();
    private final long startedAt = System.nanoTime();
    private volatile Session session; // which others look at
    private @Nullable KeyValueStore store; // while a command is carried out
    private @Nullable KeyValueStore localStore;
    private boolean closing;
    private volatile @Nullable PushQueue pushes;

    Connection(long id, Socket socket, Endpoint endpoint) {
        this.id = id;
        this.socket = socket;
        this.endpoint = endpoint;
        this.session = new Session(endpoint.needsPassword());
        this.reader = new RespReader(session.authenticated);
    }

    @Override
    public void run() {
        try (socket) {
            InputStream in = socket.getInputStream();
            while (!closing && reader.fill(in) && endpoint.awaitReachable(this)) {
                session.lastActive = System.nanoTime();
                answerArrived();
                flush();
            }
            drain(); // a client that says nothing more may still read
        } catch (IOException e) {
            closing = true; // the client has gone, or the endpoint was closed
        } finally {
            endpoint.forget(this);
            PushQueue queue = pushes;
            if (queue != null) {
                queue.close();
            }
        }
    }

    /** Carries out the commands that have arrived, as long as the connection is open and the party can be reached. */
    private void answerArrived() throws IOException {
        try {
            byte[][] args = reader.next();
            while (args != null) {
                flushToPushes();
                answer(args);
                if (closing || !endpoint.awaitReachable(this)) {
                    return;
                }
                if (out.size() > MAX_ANSWERS) {
                    flush();
                }
                args = reader.next();
            }
        } catch (ProtocolException e) {
            out.error("ERR " + e.getMessage());
            closing = true;
        }
    }

    /** Carries a command out; whether its answer is sent is for the client to say. */
    private void answer(byte[][] args) throws IOException {
        long before = out.position();
        endpoint.execute(this, args);
        if (session.reply != Session.Reply.ON) {
            out.truncate(before);
            if (session.reply == Session.Reply.SKIP_NEXT) {
                session.reply = Session.Reply.SKIP;
            } else if (session.reply == Session.Reply.SKIP) {
                session.reply = Session.Reply.ON;
            }
        }
    }

    private void flush() throws IOException {
        if (out.size() == 0 || !endpoint.awaitReachable(this)) {
            return;
        }
        PushQueue queue = pushes;
        if (queue != null) {
            queue.add(out.take());
        } else {
            OutputStream to = socket.getOutputStream();
            to.write(out.array(), 0, out.size());
            out.clear();
        }
    }

    /**
     * Waits a moment, during a command that has written nothing yet, for the client to send more or to go. What was
     * written before is sent.
     *
     * @return whether the connection is still open
     */
    boolean waitBriefly() {
        try {
            flush();
            if (reader.buffered() > MAX_AHEAD) {
                LockSupport.parkNanos(MOMENT_MILLIS * 1_000_000L);
            } else if (!hearMore()) {
                close();
            }
        } catch (IOException e) {
            close();
        }
        closing |= socket.isClosed();
        return !closing;
    }

    private boolean hearMore() throws IOException {
        socket.setSoTimeout(MOMENT_MILLIS);
        try {
            return reader.fill(socket.getInputStream());
        } catch (SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(0);
        }
    }

    /** Waits until everything was sent. */
    private void drain() {
        PushQueue queue = pushes;
        if (queue != null) {
            queue.drain();
        }
    }

    /** From now on everything is sent by a thread of its own, since others may have something to say too. */
    void beginPushes() {
        if (pushes == null) {
            PushQueue queue = new PushQueue(this, socket);
            endpoint.startThread(queue, "pushes-" + id);
            pushes = queue;
        }
    }

    /** Has what was written so far sent before anything that is pushed from now on, by the next command perhaps. */
    void flushToPushes() {
        PushQueue queue = pushes;
        if (queue != null && out.size() > 0) {
            queue.add(out.take());
        }
    }

    /** Sends what the client did not ask for; any thread may. A client that does not read is given up. */
    void push(byte[] message) {
        PushQueue queue = pushes;
        if (queue != null && !queue.offer(message)) {
            close();
        }
    }

    /** Ends the connection; any thread may. */
    void close() {
        try {
            socket.close();
        } catch (IOException e) { // then it is closed already
            closing = true;
        }
    }

    /** Ends the connection after the answer to the present command. */
    void closeAfterAnswer() {
        closing = true;
    }

    /** Ends the connection without an answer. */
    void closeNow() {
        closing = true;
        out.clear();
        close();
    }

    boolean isClosed() {
        return socket.isClosed();
    }

    long id() {
        return id;
    }

    Session session() {
        return session;
    }

    /** Begins anew, as RESET does. */
    void reset() {
        session = new Session(endpoint.needsPassword());
        reader.setAuthenticated(session.authenticated);
        out.setProtocol(2);
    }

    void setProtocol(int protocol) {
        session.protocol = protocol;
        out.setProtocol(protocol);
    }

    void setAuthenticated() {
        session.authenticated = true;
        reader.setAuthenticated(true);
    }

    RespWriter out() {
        return out;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** {@return the store of the node, as long as a command is being carried out} */
    KeyValueStore store() {
        KeyValueStore current = store;
        if (current == null) {
            throw new IllegalStateException("a command must be under way");
        }
        return current;
    }

    /**
     * {@return the node's own store, the same for the life of the connection, which that of the node does not outlast}
     */
    KeyValueStore localStore(NodeEndpoint node) {
        KeyValueStore known = localStore;
        if (known == null) {
            known = node.localStore();
            localStore = known;
        }
        return known;
    }

    void setStore(@Nullable KeyValueStore value) {
        store = value;
    }

    void changed(char kind, String event, byte[] key) {
        changes.add(new Change(kind, event, key));
    }

    /** Notes that a key was not there before the present command, if that has given it a value. */
    void created(byte[] key, int firstChange) {
        for (int i = firstChange; i < changes.size(); i++) {
            Change change = changes.get(i);
            if (change.kind != MISS && Arrays.equals(change.key, key)) {
                if (change.kind != NEW) {
                    changes.add(i, new Change(NEW, "new", key));
                }
                return;
            }
        }
    }

    /** {@return what the present command has changed so far, to be {@linkplain #forgetChanges forgotten} afterwards} */
    List<Change> changes() {
        return changes;
    }

    void forgetChanges() {
        forgetChanges(0);
    }

    /** Forgets the changes beyond the first ones. */
    void forgetChanges(int kept) {
        changes.subList(kept, changes.size()).clear();
    }

    String remoteAddress() {
        return socket.getInetAddress().getHostAddress() + ":" + socket.getPort();
    }

    String localAddress() {
        return socket.getLocalAddress().getHostAddress() + ":" + socket.getLocalPort();
    }

    /** {@return the line that CLIENT LIST has of this connection} */
    String describe() {
        long now = System.nanoTime();
        Session current = session;
        String flags = (current.subscribed() ? "P" : "")
                + (current.inTransaction() ? "x" : "")
                + (current.waiting() != Session.Wait.NONE ? "b" : "")
                + (current.readOnly ? "r" : "");
        return "id=" + id + " addr=" + remoteAddress() + " laddr=" + localAddress() + " fd=8 name=" + current.name
                + " age=" + (now - startedAt) / 1_000_000_000L + " idle=" + (now - current.lastActive) / 1_000_000_000L
                + " flags=" + (flags.isEmpty() ? "N" : flags) + " db=0 sub=" + current.channels.size() + " psub="
                + current.patterns.size() + " ssub=" + current.shardChannels.size() + " multi="
                + (current.queue == null ? -1 : current.queue.size()) + " qbuf=" + reader.buffered()
                + " qbuf-free=0 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd="
                + current.lastCommand + " user=default redir=-1 resp=" + current.protocol;
    }
}
