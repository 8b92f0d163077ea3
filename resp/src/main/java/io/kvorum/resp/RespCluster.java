package io.kvorum.resp;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Ports on the loopback interface behind which a {@link LocalCluster} answers as Redis does, so that any Redis client
 * can be tested against it: one for each node and, in mode {@link RespMode#SENTINEL}, one for each sentinel.
 *
 * <pre>{@code
 * try (LocalCluster cluster = LocalCluster.start(LocalClusterSettings.defaults());
 *         RespCluster resp = RespCluster.start(cluster)) {
 *     cluster.awaitReady(Duration.ofSeconds(10));
 *     RedisClusterClient client = RedisClusterClient.create(resp.uri());
 *     ...
 *     cluster.primaryFor(key).crash(); // connection refused
 * }
 * }</pre>
 *
 * <p>The ports do what happens to the nodes and sentinels behind them: a crash closes port and connections before
 * {@link LocalNode#crash} returns, a restart opens the same port again, and whoever the clients cannot reach
 * ({@link LocalCluster#isolate}, {@link LocalCluster#partition} with {@link LocalCluster#CLIENT}) or is
 * {@linkplain #pause paused} lets its connections hang.
 *
 * <p>Safe for use by any number of threads.
 */
public final class RespCluster implements AutoCloseable {
    private final LocalCluster cluster;
    private final RespMode mode;
    private final String host;
    private final String password;
    private final boolean control;
    private final Acknowledgement acknowledgement;
    private final Duration timeout;
    private final Function<? super ShardId, String> groupNames;
    private final Map<NodeId, Endpoint> endpoints = new LinkedHashMap<>();
    private final List<NodeEndpoint> nodeEndpoints = new ArrayList<>();
    private final AtomicLong connections = new AtomicLong();
    private final Faults faults;
    private volatile boolean closed;

    private RespCluster(Builder builder) {
        cluster = builder.cluster;
        mode = builder.mode;
        host = builder.host;
        password = builder.password;
        control = builder.control;
        acknowledgement = builder.acknowledgement;
        timeout = cluster.settings().timeout();
        groupNames = builder.groupNames;
        faults = new Faults(cluster);
        int port = builder.firstPort;
        int step = port == 0 ? 0 : 1;
        if (mode == RespMode.SENTINEL) {
            for (LocalSentinel sentinel : cluster.sentinels()) {
                endpoints.put(sentinel.id(), new SentinelEndpoint(this, sentinel, port, sentinelSettings()));
                port += step;
            }
            port = builder.firstPort
                    + (builder.firstPort == 0
                            ? 0
                            : Math.max(10, cluster.sentinels().size()));
        }
        for (LocalNode node : cluster.nodes()) {
            NodeEndpoint endpoint = new NodeEndpoint(this, node, port, nodeSettings());
            endpoints.put(node.id(), endpoint);
            nodeEndpoints.add(endpoint);
            port += step;
        }
    }

    /**
     * Opens ports in front of a cluster that clients take for a Redis Cluster, on ports that the system chooses.
     *
     * @param cluster the cluster, which the caller closes after this
     * @return the open ports, which the caller closes
     * @throws IllegalStateException if the nodes have a state of the test's instead of a key-value store
     */
    public static RespCluster start(LocalCluster cluster) {
        return builder(cluster).start();
    }

    /**
     * Starts to describe the ports.
     *
     * @param cluster the cluster
     */
    public static Builder builder(LocalCluster cluster) {
        return new Builder(cluster);
    }

    private void open() {
        cluster.onStartOrEnd(this::follow);
        cluster.onEvent(this::happened);
        try {
            endpoints.values().forEach(Endpoint::follow);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void follow(NodeId id) {
        Endpoint endpoint = endpoints.get(id);
        if (endpoint != null) {
            endpoint.follow();
        }
    }

    private void happened(ClusterEvent event) {
        if (event instanceof ClusterEvent.OfNode told
                && endpoints.get(told.event().node()) instanceof NodeEndpoint node) {
            node.syncs().happened(told.event());
        }
        if (mode != RespMode.SENTINEL) {
            return;
        }
        if (event instanceof ClusterEvent.OfSentinel told
                && endpoints.get(told.event().sentinel()) instanceof SentinelEndpoint sentinel) {
            sentinel.happened(told.event());
        } else if (event instanceof ClusterEvent.OfNode told
                && (told.event() instanceof ReplicationEvent.Promoted
                        || told.event() instanceof ReplicationEvent.Deposed)) {
            endpoint(told.event().node()).closeConnections(); // as the sentinel of Redis has it
        }
    }

    private Settings nodeSettings() {
        boolean inCluster = mode == RespMode.CLUSTER;
        return new Settings(Map.of(
                "bind",
                host,
                "requirepass",
                password,
                "masterauth",
                password,
                "cluster-enabled",
                inCluster ? "yes" : "no",
                "cluster-require-full-coverage",
                "no",
                "cluster-allow-reads-when-down",
                "no",
                "cluster-node-timeout",
                String.valueOf(cluster.settings().failover().downAfter().toMillis())));
    }

    private Settings sentinelSettings() {
        return new Settings(Map.of("bind", host));
    }

    /** {@return what clients take the endpoints for} */
    public RespMode mode() {
        return mode;
    }

    /** {@return the cluster behind the ports} */
    public LocalCluster cluster() {
        return cluster;
    }

    /**
     * {@return the port of a node or sentinel, the same over crashes and restarts}
     *
     * @param party the node or sentinel
     * @throws IllegalArgumentException if it has none
     */
    public int port(NodeId party) {
        return endpoint(party).port();
    }

    /** {@return host and port of each node, in the order of the cluster's nodes} */
    public List<String> nodes() {
        return endpoints.values().stream()
                .filter(NodeEndpoint.class::isInstance)
                .map(Endpoint::address)
                .toList();
    }

    /** {@return host and port of each sentinel; none unless the mode is {@link RespMode#SENTINEL}} */
    public List<String> sentinels() {
        return endpoints.values().stream()
                .filter(SentinelEndpoint.class::isInstance)
                .map(Endpoint::address)
                .toList();
    }

    /** {@return the name of a shard's group of master and slaves at the sentinels} */
    public String group(ShardId shard) {
        return groupNames.apply(shard);
    }

    /**
     * {@return what Lettuce takes as the address of all this} In mode {@link RespMode#CLUSTER} it has the first node,
     * in mode {@link RespMode#SENTINEL} all sentinels and the group of the first shard, else the first node.
     */
    public String uri() {
        String secret = password.isEmpty() ? "" : ":" + password + "@";
        if (mode == RespMode.SENTINEL) {
            return "redis-sentinel://" + secret + String.join(",", sentinels()) + "#"
                    + group(cluster.topology().shards().get(0).id());
        }
        return "redis://" + secret + nodes().get(0);
    }

    /** {@return the address of each node for clients that take one each, such as Jedis} */
    public List<URI> nodeUris() {
        String secret = password.isEmpty() ? "" : ":" + password + "@";
        return nodes().stream()
                .map(node -> URI.create("redis://" + secret + node))
                .toList();
    }

    /**
     * {@return the properties that point Spring Boot here, such as {@code spring.data.redis.cluster.nodes}} In a test:
     * {@code resp.springProperties().forEach((name, value) -> registry.add(name, () -> value))}.
     */
    public Map<String, String> springProperties() {
        Map<String, String> properties = new LinkedHashMap<>();
        switch (mode) {
            case CLUSTER -> properties.put("spring.data.redis.cluster.nodes", String.join(",", nodes()));
            case SENTINEL -> {
                properties.put(
                        "spring.data.redis.sentinel.master",
                        group(cluster.topology().shards().get(0).id()));
                properties.put("spring.data.redis.sentinel.nodes", String.join(",", sentinels()));
            }
            case SINGLE -> {
                Endpoint first = endpoints.values().iterator().next();
                properties.put("spring.data.redis.host", host);
                properties.put("spring.data.redis.port", String.valueOf(first.port()));
            }
        }
        if (!password.isEmpty()) {
            properties.put("spring.data.redis.password", password);
        }
        return properties;
    }

    /**
     * Stops a node or sentinel as a long pause of its process would: its connections hang, and the others hear nothing
     * of it.
     *
     * @param party the node or sentinel
     * @throws IllegalArgumentException if there is none
     */
    public void pause(NodeId party) {
        faults.pause(endpoint(party).id());
    }

    /**
     * Lets a paused or isolated party go on.
     *
     * @param party the node or sentinel
     * @throws IllegalArgumentException if there is none
     */
    public void resume(NodeId party) {
        faults.resume(endpoint(party).id());
    }

    /** Closes all ports and connections. The cluster goes on. Idempotent. */
    @Override
    public void close() {
        closed = true;
        endpoints.values().forEach(Endpoint::follow);
    }

    // ---- for the endpoints

    boolean isClosed() {
        return closed;
    }

    boolean hasControl() {
        return control;
    }

    Faults faults() {
        return faults;
    }

    String host() {
        return host;
    }

    Acknowledgement acknowledgement() {
        return acknowledgement;
    }

    Duration timeout() {
        return timeout;
    }

    long nextConnection() {
        return connections.incrementAndGet();
    }

    ClusterTopology topology() {
        return cluster.topology();
    }

    boolean isReachable(NodeId party) {
        return closed
                || (!faults.isPaused(party)
                        && cluster.isOpen(LocalCluster.CLIENT, party)
                        && cluster.isOpen(party, LocalCluster.CLIENT));
    }

    Endpoint endpoint(NodeId party) {
        Endpoint endpoint = endpoints.get(party);
        if (endpoint == null) {
            throw new IllegalArgumentException("party must have a port: " + party);
        }
        return endpoint;
    }

    @Nullable
    Endpoint endpointOrNull(NodeId party) {
        return endpoints.get(party);
    }

    /** {@return the ports of all nodes, crashed ones too} */
    List<NodeEndpoint> nodeEndpoints() {
        return nodeEndpoints;
    }

    List<Endpoint> endpoints() {
        return List.copyOf(endpoints.values());
    }

    /** {@return a line for each port: who is behind it and how it is} */
    List<String> describe() {
        List<String> lines = new ArrayList<>();
        for (Endpoint endpoint : endpoints.values()) {
            if (endpoint instanceof NodeEndpoint node) {
                Shard shard = shardOf(node);
                lines.add("node " + node.id() + " " + (shard.primary().equals(node.id()) ? "primary" : "replica")
                        + " of " + shard.id() + " " + node.address() + stateOf(node));
            } else {
                lines.add("sentinel " + endpoint.address() + stateOf(endpoint));
            }
        }
        return lines;
    }

    private String stateOf(Endpoint endpoint) {
        return (endpoint.running() == null ? " crashed" : "")
                + (faults.isPaused(endpoint.id()) ? " paused" : "")
                + (faults.isIsolated(endpoint.id()) ? " isolated" : "");
    }

    Shard shardOf(NodeEndpoint node) {
        Shard shard = topology().shard(node.node().shard());
        if (shard == null) {
            throw new CommandException("ERR the shard of this node was removed");
        }
        return shard;
    }

    /** {@return whether the sentinels that run hold a node down, or it does not run} */
    boolean isHeldDown(NodeId node) {
        ShardId shard = cluster.node(node).shard();
        for (LocalSentinel sentinel : cluster.sentinels()) {
            SentinelDriver driver = driverOf(sentinel);
            if (driver != null && cluster.isOpen(sentinel.id(), LocalCluster.CLIENT)) {
                return driver.down(shard).contains(node);
            }
        }
        return !cluster.node(node).isRunning();
    }

    private static @Nullable SentinelDriver driverOf(LocalSentinel sentinel) {
        try {
            return sentinel.isRunning() ? sentinel.driver() : null;
        } catch (IllegalStateException e) { // it was ended in between
            return null;
        }
    }

    /** Sends a message to the subscribers at all nodes that hear of this one, as the bus of the server does. */
    int publish(NodeEndpoint from, String channel, byte[] message) {
        int receivers = from.pubSub().publish(channel, message);
        if (mode == RespMode.CLUSTER || from.isPrimary()) {
            for (NodeEndpoint other : nodeEndpoints()) {
                boolean hears = mode == RespMode.CLUSTER || sameShard(from, other);
                if (other != from && hears && hears(from, other)) {
                    other.pubSub().publish(channel, message);
                }
            }
        }
        return receivers;
    }

    /** As {@link #publish}, to the nodes of the shard. */
    int publishToShard(NodeEndpoint from, String channel, byte[] message) {
        int receivers = from.pubSub().publishToShard(channel, message);
        for (NodeEndpoint other : nodeEndpoints()) {
            if (other != from && sameShard(from, other) && hears(from, other)) {
                other.pubSub().publishToShard(channel, message);
            }
        }
        return receivers;
    }

    /** Tells of a change of a key at its node and, as they carry it out too, at its replicas. */
    void tellKeyspace(NodeEndpoint at, Connection.Change change) {
        for (NodeEndpoint node : nodeEndpoints()) {
            boolean told = node == at || (change.kind() != Connection.MISS && sameShard(at, node) && hears(at, node));
            if (told && node.settings().isNotifying()) {
                tellKeyspaceAt(node, node == at ? change : atReplica(change));
            }
        }
    }

    /** {@return a change as the command makes it that the server sends to its replicas} */
    private static Connection.Change atReplica(Connection.Change change) {
        return switch (change.event()) {
            case "expired", "evicted" -> new Connection.Change('g', "del", change.key());
            case "incrbyfloat" -> new Connection.Change('$', "set", change.key());
            default -> change;
        };
    }

    /** {@return whether any node tells of changes of keys} */
    boolean isNotifying() {
        for (int i = 0; i < nodeEndpoints.size(); i++) {
            if (nodeEndpoints.get(i).settings().isNotifying()) {
                return true;
            }
        }
        return false;
    }

    /** {@return whether any node tells of events of a kind} */
    boolean isNotifying(char kind) {
        return isNotifying()
                && nodeEndpoints().stream().anyMatch(node -> node.settings().tells(kind));
    }

    private static void tellKeyspaceAt(NodeEndpoint node, Connection.Change change) {
        String key = Text.latin(change.key());
        if (node.settings().tells('K', change.kind())) {
            node.pubSub().publish("__keyspace@0__:" + key, Text.bytes(change.event()));
        }
        if (node.settings().tells('E', change.kind())) {
            node.pubSub().publish("__keyevent@0__:" + change.event(), change.key());
        }
    }

    private boolean hears(NodeEndpoint from, NodeEndpoint to) {
        return to.node().isRunning() && cluster.isOpen(from.id(), to.id());
    }

    private static boolean sameShard(NodeEndpoint one, NodeEndpoint other) {
        return one.node().shard().equals(other.node().shard());
    }

    /** What the ports are to be. Confined to one thread. */
    public static final class Builder {
        private final LocalCluster cluster;
        private RespMode mode = RespMode.CLUSTER;
        private String host = "127.0.0.1";
        private int firstPort;
        private String password = "";
        private boolean control;
        private Acknowledgement acknowledgement = Acknowledgement.LOCAL;
        private Function<? super ShardId, String> groupNames = ShardId::value;

        private Builder(LocalCluster cluster) {
            this.cluster = requireNonNull(cluster, "cluster");
        }

        /**
         * Chooses what clients take the ports for, a Redis Cluster by default.
         *
         * @param value the mode
         * @return this builder
         */
        public Builder mode(RespMode value) {
            mode = requireNonNull(value, "mode");
            return this;
        }

        /**
         * Chooses the ports: one after the other from this one on, the sentinels' first, the nodes' ten later. By
         * default the system chooses them.
         *
         * @param value the first port: 1 to 65,535
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder firstPort(int value) {
            if (value < 1 || value > 65_535) {
                throw new IllegalArgumentException("firstPort must be between 1 and 65535: " + value);
            }
            firstPort = value;
            return this;
        }

        /**
         * Has the nodes ask for a password; the sentinels ask for none.
         *
         * @param value the password, without the characters that a URI gives a meaning to
         * @return this builder
         */
        public Builder password(String value) {
            password = requireNonNull(value, "password");
            return this;
        }

        /**
         * Lets clients crash, restart, cut off and fail over nodes by the command {@code KVORUM}. Not by default.
         *
         * @param value whether to
         * @return this builder
         */
        public Builder control(boolean value) {
            control = value;
            return this;
        }

        /**
         * Sets on how many nodes a write must be before it is answered: by default on the primary alone, as the server
         * has it.
         *
         * @param value the level
         * @return this builder
         */
        public Builder acknowledgement(Acknowledgement value) {
            acknowledgement = requireNonNull(value, "acknowledgement");
            return this;
        }

        /**
         * Names the groups of master and slaves at the sentinels; by default as the shards.
         *
         * @param value makes a name of a shard
         * @return this builder
         */
        public Builder groupNames(Function<? super ShardId, String> value) {
            groupNames = requireNonNull(value, "groupNames");
            return this;
        }

        /**
         * Opens the ports.
         *
         * @return the open ports, which the caller closes before the cluster
         * @throws java.io.UncheckedIOException if a port cannot be opened
         * @throws IllegalStateException if the nodes have a state of the test's instead of a key-value store
         */
        public RespCluster start() {
            cluster.clusterClient(); // which refuses, and says why
            RespCluster resp = new RespCluster(this);
            resp.open();
            return resp;
        }
    }
}
