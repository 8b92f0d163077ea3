package io.kvorum.resp;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** A cluster that fails over quickly, with its ports, for a test. */
final class Ports implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(20);
    static final ShardId FIRST = new ShardId("shard-1");

    final LocalCluster cluster;
    final RespCluster resp;
    final Orders orders;

    private Ports(LocalClusterSettings settings, UnaryOperator<RespCluster.Builder> options) {
        cluster = LocalCluster.start(
                settings.withFailover(SentinelSettings.defaults().withDownAfter(Duration.ofMillis(250))));
        cluster.awaitReady(LIMIT);
        orders = new Orders(cluster);
        resp = options.apply(RespCluster.builder(cluster)).start();
    }

    static Ports ofCluster(UnaryOperator<RespCluster.Builder> options) {
        return new Ports(LocalClusterSettings.defaults(), options);
    }

    static Ports ofCluster() {
        return ofCluster(builder -> builder);
    }

    static Ports ofSentinels(UnaryOperator<RespCluster.Builder> options) {
        return new Ports(
                LocalClusterSettings.defaults().withShards(1).withReplicas(2),
                builder -> options.apply(builder.mode(RespMode.SENTINEL)));
    }

    int port(String party) {
        return resp.port(new NodeId(party));
    }

    TinyClient client(String party) throws IOException {
        return new TinyClient(port(party));
    }

    /** The port of the primary of the first shard. */
    int primaryPort() {
        return resp.port(cluster.primaryOf(FIRST).id());
    }

    /** Gives the first shard another primary. */
    void failOver() {
        orders.failOver(FIRST);
    }

    void await(BooleanSupplier condition) {
        orders.await(condition);
    }

    /**
     * Does something until it is done, as an application would that meets a failover.
     *
     * @param failure what the client throws if it was not done
     */
    static <T> T eventually(Class<? extends RuntimeException> failure, Callable<T> action) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                return action.call();
            } catch (RuntimeException e) {
                if (!failure.isInstance(e) || System.nanoTime() - deadline > 0) {
                    throw e;
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    @Override
    public void close() {
        resp.close();
        cluster.close();
    }
}
