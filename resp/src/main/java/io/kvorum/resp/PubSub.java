package io.kvorum.resp;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The channels of one endpoint and who has subscribed to them. The answer to a subscription is sent before any message
 * of it, and a message that was published afterwards is not missed.
 *
 * <p>Safe for use by any number of threads.
 */
final class PubSub {
    /** What a subscription is to. */
    enum Kind {
        CHANNEL("subscribe", "unsubscribe", "message"),
        PATTERN("psubscribe", "punsubscribe", "pmessage"),
        SHARD("ssubscribe", "sunsubscribe", "smessage");

        final String begun;
        final String ended;
        final String message;

        Kind(String begun, String ended, String message) {
            this.begun = begun;
            this.ended = ended;
            this.message = message;
        }

        Set<String> of(Session session) {
            return switch (this) {
                case CHANNEL -> session.channels;
                case PATTERN -> session.patterns;
                case SHARD -> session.shardChannels;
            };
        }

        int count(Session session) {
            return this == SHARD ? session.shardChannels.size() : session.subscriptions();
        }
    }

    private final Map<Kind, Map<String, Set<Connection>>> subscribers = Map.of(
            Kind.CHANNEL,
            new LinkedHashMap<>(),
            Kind.PATTERN,
            new LinkedHashMap<>(),
            Kind.SHARD,
            new LinkedHashMap<>());

    private Map<String, Set<Connection>> of(Kind kind) {
        return subscribers.getOrDefault(kind, Map.of());
    }

    synchronized void subscribe(Kind kind, Connection connection, String channel) {
        connection.beginPushes();
        Session session = connection.session();
        kind.of(session).add(channel);
        confirm(connection, kind.begun, channel, kind.count(session));
        connection.flushToPushes();
        of(kind).computeIfAbsent(channel, name -> new LinkedHashSet<>()).add(connection);
    }

    synchronized void unsubscribe(Kind kind, Connection connection, String channel) {
        Session session = connection.session();
        kind.of(session).remove(channel);
        remove(kind, connection, channel);
        confirm(connection, kind.ended, channel, kind.count(session));
    }

    /** Ends all subscriptions of a kind; if there are none, says so too. */
    synchronized void unsubscribeAll(Kind kind, Connection connection) {
        Session session = connection.session();
        List<String> channels = new ArrayList<>(kind.of(session));
        for (String channel : channels) {
            unsubscribe(kind, connection, channel);
        }
        if (channels.isEmpty()) {
            RespWriter out = connection.out();
            out.push(3);
            out.bulk(kind.ended);
            out.nil();
            out.integer(kind.count(session));
        }
    }

    private static void confirm(Connection connection, String what, String channel, int count) {
        RespWriter out = connection.out();
        out.push(3);
        out.bulk(what);
        out.bulk(Text.bytes(channel));
        out.integer(count);
    }

    /** Forgets a connection without a word. */
    synchronized void forget(Connection connection) {
        for (Kind kind : Kind.values()) {
            for (String channel : new HashSet<>(of(kind).keySet())) {
                remove(kind, connection, channel);
            }
        }
    }

    private void remove(Kind kind, Connection connection, String channel) {
        Set<Connection> connections = of(kind).get(channel);
        if (connections != null && connections.remove(connection) && connections.isEmpty()) {
            of(kind).remove(channel);
        }
    }

    /** {@return how many subscribers of this endpoint a message went to} */
    synchronized int publish(String channel, byte[] message) {
        int receivers = deliver(Kind.CHANNEL, channel, message);
        for (Map.Entry<String, Set<Connection>> entry : of(Kind.PATTERN).entrySet()) {
            if (Glob.matches(entry.getKey(), channel)) {
                for (Connection connection : entry.getValue()) {
                    RespWriter out = new RespWriter(connection.session().protocol);
                    out.push(4);
                    out.bulk(Kind.PATTERN.message);
                    out.bulk(Text.bytes(entry.getKey()));
                    out.bulk(Text.bytes(channel));
                    out.bulk(message);
                    connection.push(out.take());
                    receivers++;
                }
            }
        }
        return receivers;
    }

    /** As {@link #publish}, to a channel of the shard. */
    synchronized int publishToShard(String channel, byte[] message) {
        return deliver(Kind.SHARD, channel, message);
    }

    private int deliver(Kind kind, String channel, byte[] message) {
        Set<Connection> connections = of(kind).getOrDefault(channel, Set.of());
        for (Connection connection : connections) {
            RespWriter out = new RespWriter(connection.session().protocol);
            out.push(3);
            out.bulk(kind.message);
            out.bulk(Text.bytes(channel));
            out.bulk(message);
            connection.push(out.take());
        }
        return connections.size();
    }

    synchronized List<String> channels(Kind kind, String pattern) {
        return of(kind).keySet().stream()
                .filter(channel -> Glob.matches(pattern, channel))
                .toList();
    }

    synchronized int subscribers(Kind kind, String channel) {
        return of(kind).getOrDefault(channel, Set.of()).size();
    }

    synchronized int patterns() {
        return of(Kind.PATTERN).size();
    }
}
