package io.kvorum.resp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an endpoint remembers of a connection.
 *
 * <p>Confined to the thread of the connection, but for what is volatile.
 */
final class Session {
    /** How a connection wants its answers. */
    enum Reply {
        ON,
        OFF,
        SKIP_NEXT,
        SKIP
    }

    /** How a command that blocks its connection stands. */
    enum Wait {
        /** None does. */
        NONE,
        BLOCKED,
        /** Another connection wants it to end as if its time was over. */
        OVER,
        /** Another connection wants it to end with an error. */
        FAILED
    }

    /** A command that waits for EXEC. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Queued(Command command, byte[][] args) {}

    volatile int protocol = 2;
    volatile String name = "";
    String lastCommand = "NULL"; // of which others may see an older one
    volatile long lastActive = System.nanoTime();
    boolean authenticated;
    boolean readOnly;
    boolean asking;
    Reply reply = Reply.ON;

    @Nullable
    List<Queued> queue; // while a transaction is being queued

    private Wait wait = Wait.NONE; // guarded by this, as others end it
    boolean executing; // a transaction is being run, in which nothing waits
    boolean broken; // the transaction, by an error while it was queued
    final Map<String, Watched> watched = new HashMap<>();
    final Set<String> channels = new HashSet<>();
    final Set<String> patterns = new HashSet<>();
    final Set<String> shardChannels = new HashSet<>();

    Session(boolean needsPassword) {
        this.authenticated = !needsPassword;
    }

    synchronized void beginWait() {
        wait = Wait.BLOCKED;
    }

    /** {@return how it stood} */
    synchronized Wait endWait() {
        Wait last = wait;
        wait = Wait.NONE;
        return last;
    }

    synchronized Wait waiting() {
        return wait;
    }

    /** {@return whether the connection was blocked, which it is not any more; any thread may call it} */
    synchronized boolean unblock(Wait how) {
        boolean blocked = wait == Wait.BLOCKED;
        wait = blocked ? how : wait;
        return blocked;
    }

    boolean inTransaction() {
        return queue != null;
    }

    void beginTransaction() {
        queue = new ArrayList<>();
        broken = false;
    }

    void enqueue(Command command, byte[][] args) {
        if (queue != null) {
            queue.add(new Queued(command, args));
        }
    }

    /** {@return what was queued, which is not any more} */
    List<Queued> endTransaction() {
        List<Queued> queued = queue == null ? List.of() : queue;
        queue = null;
        broken = false;
        return queued;
    }

    int subscriptions() {
        return channels.size() + patterns.size();
    }

    boolean subscribed() {
        return !channels.isEmpty() || !patterns.isEmpty() || !shardChannels.isEmpty();
    }
}
