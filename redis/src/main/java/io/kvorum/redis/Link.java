package io.kvorum.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A connection that any number of operations share. When it is lost, what was sent on it ends at once and is never sent
 * again; the next operation connects anew. Safe for use by any number of threads.
 */
final class Link {
    private final RedisClient client;
    private volatile Place place; // the same always, but for user and password
    private @Nullable CompletableFuture<StatefulRedisConnection<byte[], byte[]>> current;

    Link(RedisClient client, Place place) {
        this.client = client;
        this.place = place;
    }

    Place place() {
        return place;
    }

    /** Connects with the user and password of a place from now on. What is connected stays so. */
    void connectAs(Place value) {
        place = value;
    }

    /** Returns the connection once it is there, or the failure of an attempt to connect. */
    synchronized CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connection() {
        CompletableFuture<StatefulRedisConnection<byte[], byte[]>> known = current;
        if (known == null
                || known.isCompletedExceptionally()
                || (known.isDone() && !known.join().isOpen())) {
            known = Connecting.open(client, place.uri());
            current = known;
        }
        return known;
    }

    /** Returns whether a connection is the one of the moment. One that was given up may be closed at any time. */
    synchronized boolean isCurrent(StatefulRedisConnection<byte[], byte[]> connection) {
        return current != null && !current.isCompletedExceptionally() && current.getNow(null) == connection;
    }

    /**
     * Gives a connection up: it is lost, or the server at its end is silent, or not the one to talk to any more. It is
     * closed once what was sent before is answered, or has waited long enough.
     *
     * @return whether it was the connection of the moment
     */
    synchronized boolean leave(StatefulRedisConnection<byte[], byte[]> connection) {
        if (isCurrent(connection)) {
            current = null;
            end(connection);
            return true;
        }
        return false;
    }

    /** Gives up whatever connection there is, or will be. */
    synchronized void leave() {
        CompletableFuture<StatefulRedisConnection<byte[], byte[]>> known = current;
        current = null;
        if (known != null) {
            var unused = known.thenAccept(Link::end);
        }
    }

    private static void end(StatefulRedisConnection<byte[], byte[]> connection) {
        var unused = connection
                .async()
                .ping()
                .handle((answer, failure) -> connection.closeAsync())
                .thenCompose(closing -> closing);
    }
}
