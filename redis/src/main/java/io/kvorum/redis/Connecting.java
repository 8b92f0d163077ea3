package io.kvorum.redis;

import io.kvorum.slots.topology.RefusedException;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Finds out what kind of servers there are behind some URIs. */
final class Connecting {
    private Connecting() {}

    /** The settings of a connection that is lost for good when it is lost: what was sent on it is never sent again. */
    static ClientOptions.Builder options(ClientOptions.Builder builder, Duration timeout, Duration connectTimeout) {
        return builder.autoReconnect(false)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .timeoutOptions(TimeoutOptions.enabled(timeout))
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(connectTimeout)
                        .keepAlive(true)
                        .build());
    }

    /** Connects in the time of the client's options, in which the server has to answer as well. */
    static CompletableFuture<StatefulRedisConnection<byte[], byte[]>> open(RedisClient client, RedisURI uri) {
        Duration limit = client.getOptions().getSocketOptions().getConnectTimeout();
        try {
            return client.connectAsync(ByteArrayCodec.INSTANCE, within(limit, uri))
                    .toCompletableFuture();
        } catch (RuntimeException e) { // of a client that is closed meanwhile
            return CompletableFuture.failedFuture(e);
        }
    }

    private static RedisURI within(Duration limit, RedisURI uri) {
        RedisURI.Builder copy = RedisURI.builder(uri).withTimeout(limit);
        if (uri.getSentinelMasterId() != null) {
            copy.withSentinelMasterId(uri.getSentinelMasterId());
        }
        uri.getSentinels().forEach(copy::withSentinel);
        return copy.build();
    }

    static RedisStore connect(
            List<RedisURI> uris,
            Duration timeout,
            Duration connectTimeout,
            int replicas,
            int tries,
            @Nullable ClientResources shared,
            @Nullable Supplier<? extends @Nullable RedisURI> primary) {
        ClientResources resources = shared != null
                ? shared
                : DefaultClientResources.builder()
                        .ioThreadPoolSize(2)
                        .computationThreadPoolSize(2)
                        .build();
        RedisClient client = RedisClient.create(resources);
        client.setOptions(
                options(ClientOptions.builder(), timeout, connectTimeout).build());
        try {
            ServerInfo server = ask(client, uris);
            Servers servers = server.isOfCluster()
                    ? new ServerCluster(
                            resources,
                            uris.stream()
                                    .map(uri -> within(connectTimeout, uri))
                                    .toList(),
                            (ClusterClientOptions) options(ClusterClientOptions.builder(), timeout, connectTimeout)
                                    .build())
                    : new SingleServer(uris.get(0), primary);
            Connections connections = new Connections(resources, shared == null, client, servers, timeout, replicas);
            return new RedisStore(
                    connections,
                    server.isAtLeast(7),
                    tries,
                    (server.isOfCluster() ? "cluster at " : "")
                            + Place.of(uris.get(0)).node() + ", server " + server.version());
        } catch (Throwable e) {
            client.shutdownAsync(0, 1, TimeUnit.SECONDS).join();
            if (shared == null) {
                resources.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
            }
            throw e;
        }
    }

    private static ServerInfo ask(RedisClient client, List<RedisURI> uris) {
        RefusedException refusal = null;
        for (RedisURI uri : uris) {
            try (var connection = Waiting.read(open(client, uri))) {
                return ServerInfo.parse(connection.sync().info());
            } catch (RuntimeException e) {
                refusal = Failures.ofConnection(Failures.cause(e), -1, Place.of(uri));
            }
        }
        if (refusal == null) {
            throw new AssertionError("no URI");
        }
        throw refusal;
    }
}
