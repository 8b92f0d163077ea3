package io.kvorum.resp;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import io.kvorum.testkit.LocalNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Measures for how long a client cannot write to a shard whose primary was killed, with a detection of one second:
 * {@code OutageMeasurement kvorum 20}, three primaries with two replicas each and a cluster client,
 * {@code OutageMeasurement sentinel 20}, the same with a client that asks sentinels, and {@code OutageMeasurement redis
 * 20 DIRECTORY} with six processes of the redis-server on the PATH, three primaries with a replica each.
 */
final class OutageMeasurement {
    private static final Duration DETECTION = Duration.ofSeconds(1);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int FIRST_PORT = 21_000;
    private static final int NODES = 6;
    private static final int TIMEOUT_MILLIS = 250;
    private static final long CHECK_NANOS = 1_000_000;
    private static final String KEY = "{06S}k"; // of slot 0

    private OutageMeasurement() {}

    /** What is killed and brought back. */
    private interface Target extends AutoCloseable {
        UnifiedJedis connect(DefaultJedisClientConfig config);

        /** Ends the primary of the first shard at once. */
        void kill() throws Exception;

        /** Brings back what was killed, and waits until it follows. */
        void restore() throws Exception;

        @Override
        void close();
    }

    /**
     * Runs it.
     *
     * @param args the kind of cluster, the number of rounds, and a directory for the files of the servers
     * @throws Exception if a server cannot be started
     */
    public static void main(String[] args) throws Exception {
        List<Double> outages = new ArrayList<>();
        try (Target target = target(args)) {
            DefaultJedisClientConfig config = DefaultJedisClientConfig.builder()
                    .timeoutMillis(TIMEOUT_MILLIS)
                    .build();
            try (UnifiedJedis client = target.connect(config)) {
                for (int i = 0; i < Integer.parseInt(args[1]); i++) {
                    write(client);
                    target.kill();
                    long killed = System.nanoTime();
                    write(client);
                    outages.add((System.nanoTime() - killed) / 1e9);
                    System.out.printf("%.2f s%n", outages.get(i));
                    target.restore();
                }
            }
        }
        Collections.sort(outages);
        System.out.printf(
                "%s: median %.2f s, %.2f to %.2f s%n",
                args[0], outages.get(outages.size() / 2), outages.get(0), outages.get(outages.size() - 1));
    }

    private static Target target(String[] args) throws Exception {
        return switch (args[0]) {
            case "kvorum" -> new Local(RespMode.CLUSTER);
            case "sentinel" -> new Local(RespMode.SENTINEL);
            case "redis" -> new Servers(Path.of(args[2]));
            default -> throw new IllegalArgumentException("kvorum, sentinel or redis: " + args[0]);
        };
    }

    private static UnifiedJedis clusterClient(int port, DefaultJedisClientConfig config) {
        return RedisClusterClient.builder()
                .nodes(Set.of(new HostAndPort("127.0.0.1", port)))
                .clientConfig(config)
                .build();
    }

    private static void write(UnifiedJedis client) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                client.set(KEY, "value");
                return;
            } catch (JedisException e) {
                if (System.nanoTime() - deadline > 0) {
                    throw e;
                }
                LockSupport.parkNanos(CHECK_NANOS);
            }
        }
    }

    private static final class Local implements Target {
        private final LocalCluster cluster = LocalCluster.start(LocalClusterSettings.defaults()
                .withReplicas(2) // of whose shard a majority must be left
                .withFailover(SentinelSettings.defaults().withDownAfter(DETECTION)));
        private final RespCluster resp;
        private final RespMode mode;
        private LocalNode killed = cluster.nodes().get(0);

        Local(RespMode mode) {
            this.mode = mode;
            cluster.awaitReady(LIMIT);
            resp = RespCluster.builder(cluster).mode(mode).start();
        }

        @Override
        public UnifiedJedis connect(DefaultJedisClientConfig config) {
            if (mode == RespMode.CLUSTER) {
                return clusterClient(resp.port(killed.id()), config);
            }
            return RedisSentinelClient.builder()
                    .masterName(killed.shard().value())
                    .sentinels(resp.sentinels().stream().map(HostAndPort::from).collect(Collectors.toSet()))
                    .clientConfig(config)
                    .build();
        }

        @Override
        public void kill() {
            killed = mode == RespMode.CLUSTER ? cluster.primaryFor(Text.bytes(KEY)) : cluster.primaryOf(killed.shard());
            killed.crash();
        }

        @Override
        public void restore() {
            killed.restart();
            cluster.awaitReady(LIMIT);
        }

        @Override
        public void close() {
            resp.close();
            cluster.close();
        }
    }

    private static final class Servers implements Target {
        private final Path directory;
        private final List<Process> processes = new ArrayList<>();
        private int killed;

        Servers(Path directory) throws Exception {
            this.directory = directory;
            try {
                start();
            } catch (Exception | Error e) {
                close();
                throw e;
            }
        }

        private void start() throws Exception {
            List<String> create = new ArrayList<>(List.of("redis-cli", "--cluster", "create"));
            for (int i = 0; i < NODES; i++) {
                processes.add(startServer(i));
                create.add("127.0.0.1:" + (FIRST_PORT + i));
            }
            create.addAll(List.of("--cluster-replicas", "1", "--cluster-yes"));
            IntStream.range(0, NODES).forEach(i -> await(() -> call(i, "PING").equals("PONG")));
            new ProcessBuilder(create)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("create.log").toFile())
                    .start()
                    .waitFor();
            awaitWhole();
        }

        private Process startServer(int i) throws IOException {
            Path own = Files.createDirectories(directory.resolve("node-" + i));
            return new ProcessBuilder(
                            "redis-server",
                            "--port",
                            String.valueOf(FIRST_PORT + i),
                            "--bind",
                            "127.0.0.1",
                            "--cluster-enabled",
                            "yes",
                            "--cluster-node-timeout",
                            String.valueOf(DETECTION.toMillis()),
                            "--repl-diskless-sync-delay",
                            "0",
                            "--save",
                            "",
                            "--dir",
                            own.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(
                            ProcessBuilder.Redirect.appendTo(own.resolve("log").toFile()))
                    .start();
        }

        @Override
        public UnifiedJedis connect(DefaultJedisClientConfig config) {
            return clusterClient(FIRST_PORT + NODES - 1, config);
        }

        @Override
        public void kill() throws Exception {
            String slots = call(processes.get(0).isAlive() ? 0 : 1, "CLUSTER SLOTS");
            String port = slots.replaceFirst("(?s)^\\[\\[0, \\d+, \\[127\\.0\\.0\\.1, (\\d+),.*", "$1");
            killed = Integer.parseInt(port) - FIRST_PORT;
            processes.get(killed).destroyForcibly().waitFor();
        }

        @Override
        public void restore() throws Exception {
            processes.set(killed, startServer(killed));
            awaitWhole();
        }

        /** Waits until every node takes the cluster for whole, and each replica follows. */
        private void awaitWhole() {
            for (int i = 0; i < NODES; i++) {
                int node = i;
                await(() -> call(node, "CLUSTER INFO").contains("cluster_state:ok")
                        && !call(node, "CLUSTER NODES").contains("fail")
                        && !call(node, "INFO replication").contains("master_link_status:down"));
            }
            LockSupport.parkNanos(2 * DETECTION.toNanos()); // so that all have heard so
        }

        private static String call(int i, String command) {
            try (TinyClient client = new TinyClient(FIRST_PORT + i)) {
                return client.call(command);
            } catch (IOException e) {
                return "";
            }
        }

        private static void await(BooleanSupplier condition) {
            long deadline = System.nanoTime() + LIMIT.toNanos();
            while (!condition.getAsBoolean()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("the servers must become a cluster within " + LIMIT);
                }
                LockSupport.parkNanos(10 * CHECK_NANOS);
            }
        }

        @Override
        public void close() {
            processes.forEach(Process::destroyForcibly);
        }
    }
}
