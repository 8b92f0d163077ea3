package io.kvorum.redis.worlds;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.SlotRange;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Redis servers and Redis Sentinels, or the nodes of a Redis Cluster, each in a process. Each has an address of
 * loopback, and a {@link Relay} stands between them; the clients of the scenario go past it.
 */
final class RedisWorld implements World {
    private static final int FIRST_NETWORK = 20;
    private static final int NETWORKS = 200;

    /** The network of the next world. Builds that run at the same time begin with different ones, as a rule. */
    private static final AtomicInteger NEXT =
            new AtomicInteger((int) (ProcessHandle.current().pid() % NETWORKS));

    private static final String NODE_TIMEOUT = "CONFIG SET cluster-node-timeout ";
    private static final int PATIENT_MILLIS = 3_000;

    /** How often sentinels look and talk: oftener than by default, so that less time is spent waiting for it. */
    private static final String PERIODS = "SENTINEL DEBUG info-period 500 publish-period 500";

    private final Setup setup;
    private final Path directory;
    private final Relay relay;
    private final Ports ports;
    private final List<String> nodes;
    private final List<String> sentinels;
    private final Map<String, ServerProcess> processes = new LinkedHashMap<>();
    private final Map<String, String> doors = new LinkedHashMap<>(); // "host port" by party
    private final Map<String, Integer> buses = new LinkedHashMap<>(); // the ports behind which nodes of a cluster talk
    private final String network;
    private final boolean sends; // whether it can be said from which address it sends
    private long fullSyncs; // at servers that have ended
    private boolean crashingNextLeader;

    /** {@return whether each process can have an address of loopback of its own, as on Linux} */
    static boolean hasAddresses() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127." + FIRST_NETWORK + ".0.1"))) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    RedisWorld(Setup setup, Path executable) {
        this.setup = setup;
        nodes = IntStream.range(0, setup.allNodes())
                .filter(node -> node < setup.nodes() || node % setup.nodes() < setup.others())
                .mapToObj(Setup::node)
                .toList();
        sentinels = IntStream.range(0, setup.inCluster() ? 0 : setup.sentinels())
                .mapToObj(Setup::sentinel)
                .toList();
        ports = new Ports(setup.password(), setup.majority());
        network = "127." + (FIRST_NETWORK + NEXT.getAndIncrement() % NETWORKS);
        try {
            sends = isSince7(executable);
            directory = Files.createTempDirectory("kvorum-worlds");
            relay = new Relay();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            for (String party : parties()) {
                add(executable, party);
            }
            for (String party : parties()) {
                configure(party);
            }
            start();
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private static boolean isSince7(Path executable) throws IOException {
        Process version = new ProcessBuilder(executable.toString(), "--version").start();
        return !new String(version.getInputStream().readAllBytes(), UTF_8).contains("v=6.");
    }

    private List<String> parties() {
        return Stream.concat(nodes.stream(), sentinels.stream()).toList();
    }

    private int numberOf(String party) {
        return 1 + parties().indexOf(party);
    }

    private void add(Path executable, String party) throws IOException {
        Path own = Files.createDirectory(directory.resolve(party));
        String host = network + ".0." + numberOf(party);
        processes.put(party, new ServerProcess(executable, own, host, party.startsWith("s")));
        open(party, network + ".1." + numberOf(party));
    }

    /** Has the others reach a party at a host. */
    private void open(String party, String host) throws IOException {
        InetSocketAddress address = process(party).address();
        String source = address.getHostString();
        InetSocketAddress door = relay.open(party, source, address, host);
        doors.put(party, host + " " + door.getPort());
        ports.add(party, address, host + ":" + door.getPort());
        if (setup.inCluster()) {
            InetSocketAddress bus = new InetSocketAddress(source, address.getPort() + ServerProcess.BUS_OFFSET);
            buses.put(party, relay.open(party, source, bus, host).getPort());
        }
    }

    private void configure(String party) throws IOException {
        List<String> all = nodes.contains(party) ? nodeLines(party) : sentinelLines(party);
        if (sends) { // else the address that it is bound to is that
            all.add("bind-source-addr " + process(party).address().getHostString());
        }
        process(party).configure(all);
    }

    private List<String> nodeLines(String node) {
        String[] door = door(node).split(" ", -1);
        List<String> lines = new ArrayList<>(List.of(
                "save \"\"",
                "appendonly no",
                "repl-diskless-sync-delay 0",
                "replica-announce-ip " + door[0],
                "replica-announce-port " + door[1],
                "replica-priority " + setup.priorities().getOrDefault(node, 100),
                "min-replicas-max-lag 2",
                "min-replicas-to-write " + setup.minReplicas(),
                "client-output-buffer-limit replica 1mb 1mb 0"));
        if (!setup.password().isEmpty()) {
            lines.add("requirepass " + setup.password());
            lines.add("masterauth " + setup.password());
        }
        if (setup.inCluster()) {
            lines.addAll(List.of(
                    "cluster-enabled yes",
                    "cluster-node-timeout " + setup.downAfter(),
                    "cluster-announce-ip " + door[0],
                    "cluster-announce-port " + door[1],
                    "cluster-announce-bus-port " + buses.get(node)));
        } else if (!node.equals(nodes.get(0))) {
            lines.add("replicaof " + door(nodes.get(0)));
        }
        return lines;
    }

    private List<String> sentinelLines(String sentinel) {
        String[] door = door(sentinel).split(" ", -1);
        String group = Ports.GROUP;
        List<String> lines = new ArrayList<>(List.of(
                "sentinel announce-ip " + door[0],
                "sentinel announce-port " + door[1],
                "sentinel monitor " + group + " " + door(nodes.get(0)) + " " + setup.quorum(),
                "sentinel down-after-milliseconds " + group + " " + setup.downAfter(),
                "sentinel failover-timeout " + group + " " + setup.failoverTimeout()));
        if (!setup.password().isEmpty()) {
            lines.add("sentinel auth-pass " + group + " " + setup.password());
        }
        return lines;
    }

    private ServerProcess process(String party) {
        ServerProcess process = processes.get(party);
        if (process == null) {
            throw new IllegalArgumentException("no such party: " + party);
        }
        return process;
    }

    private String door(String party) {
        return String.valueOf(doors.get(party));
    }

    private void start() {
        nodes.forEach(node -> process(node).start());
        nodes.forEach(this::awaitAnswer);
        if (setup.inCluster()) {
            meet();
        }
        require(
                "replicas in sync",
                () -> nodes.stream()
                        .allMatch(node -> node.equals(firstPrimary(node)) || inSync(node, firstPrimary(node))));
        sentinels.forEach(this::startSentinel);
        String all = ",slaves=" + (nodes.size() - 1) + ",sentinels=" + sentinels.size();
        require(
                "sentinels that know all",
                () -> sentinels.stream()
                        .allMatch(sentinel -> ask(sentinel, "INFO sentinel").contains(all)
                                && ask(sentinel, "ckquorum").equals("OK " + sentinels.size() + " usable")));
    }

    private String firstPrimary(String node) {
        return Setup.node((node.charAt(0) - 'A') / setup.nodes() * setup.nodes());
    }

    /** Makes the nodes a cluster, in which nobody is held down before it is complete. */
    private void meet() {
        nodes.forEach(node -> ask(node, NODE_TIMEOUT + PATIENT_MILLIS));
        List<String> primaries =
                nodes.stream().filter(node -> node.equals(firstPrimary(node))).toList();
        List<String> replicas = new ArrayList<>(nodes);
        replicas.removeAll(primaries);
        int epoch = 1; // each has its own, and primaries the greatest, so that none is changed when they meet
        for (String node : Stream.concat(replicas.stream(), primaries.stream()).toList()) {
            ask(node, "CLUSTER SET-CONFIG-EPOCH " + epoch++);
        }
        List<SlotRange> slots = SlotRange.evenSplit(primaries.size());
        for (int i = 0; i < primaries.size(); i++) {
            ask(
                    primaries.get(i),
                    IntStream.rangeClosed(slots.get(i).first(), slots.get(i).last())
                            .mapToObj(String::valueOf)
                            .collect(Collectors.joining(" ", "CLUSTER ADDSLOTS ", "")));
        }
        require(
                "nodes that know each other",
                () -> nodes.stream().filter(this::hasMet).count() == nodes.size());
        for (String node : replicas) {
            String order = "CLUSTER REPLICATE " + ask(firstPrimary(node), "CLUSTER MYID");
            require("a replica", () -> ask(node, order).equals("OK"));
        }
        require(
                "a cluster that knows itself",
                () -> nodes.stream()
                        .allMatch(node -> ask(node, "CLUSTER INFO").contains("cluster_state:ok")
                                && ask(node, "CLUSTER NODES")
                                                .lines()
                                                .filter(line -> line.contains("slave "))
                                                .count()
                                        == replicas.size()));
        nodes.forEach(node -> ask(node, NODE_TIMEOUT + setup.downAfter()));
    }

    /** {@return whether a node knows all others} It is told again of those that it does not know. */
    private boolean hasMet(String node) {
        List<String> known = ask(node, "CLUSTER NODES")
                .lines()
                .filter(line -> !line.contains("handshake"))
                .toList();
        List<String> unknown = nodes.stream()
                .filter(other -> known.stream()
                        .noneMatch(line -> line.contains(" " + door(other).replace(' ', ':') + "@")))
                .toList();
        unknown.forEach(other -> ask(node, "CLUSTER MEET " + door(other) + " " + buses.get(other)));
        return unknown.isEmpty();
    }

    private void startSentinel(String sentinel) {
        process(sentinel).start();
        awaitAnswer(sentinel);
        ask(sentinel, PERIODS); // which 6.2 does not have
        ports.listen(sentinel);
    }

    private void awaitAnswer(String party) {
        if (!await(() -> ask(party, "PING").equals("PONG"), limit())) {
            throw new IllegalStateException(
                    party + " must answer: " + process(party).log());
        }
    }

    private void require(String what, BooleanSupplier condition) {
        if (!await(condition, limit())) {
            throw new IllegalStateException("there must be " + what);
        }
    }

    private String ask(String party, String command) {
        return ports.ask(party, List.of(command)).get(0);
    }

    @Override
    public List<String> nodes() {
        return nodes;
    }

    @Override
    public List<String> sentinels() {
        return sentinels;
    }

    @Override
    public List<String> observers() {
        return setup.inCluster() ? nodes : sentinels;
    }

    @Override
    public List<String> ask(String party, List<String> commands) {
        return ports.ask(party, commands);
    }

    @Override
    public void crash(String party) {
        fullSyncs += nodes.contains(party) ? fullSyncsAt(party) : 0;
        process(party).kill();
    }

    @Override
    public void restart(String party) {
        if (party.startsWith("s")) {
            startSentinel(party);
        } else {
            process(party).start();
            awaitAnswer(party);
        }
    }

    @Override
    public void restartElsewhere(String node) {
        try {
            open(node, network + ".2." + numberOf(node));
            configure(node);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        restart(node);
    }

    @Override
    public void fillDisk(String node) {
        setDiskFull(node, true);
    }

    @Override
    public void freeDisk(String node) {
        setDiskFull(node, false);
    }

    private void setDiskFull(String node, boolean full) {
        try {
            process(node).setDiskFull(full);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void pause(String party) {
        process(party).signal("STOP");
    }

    @Override
    public void resume(String party) {
        process(party).signal("CONT");
    }

    @Override
    public void cut(Collection<String> some, Collection<String> others) {
        relay.cut(some, others);
    }

    @Override
    public void heal() {
        relay.heal();
    }

    @Override
    public void crashNextLeader() {
        crashingNextLeader = true;
        sentinels.forEach(sentinel -> ask(sentinel, "SENTINEL SIMULATE-FAILURE crash-after-election"));
    }

    @Override
    public @Nullable String primaryBy(String observer) {
        return ports.primaryBy(observer);
    }

    @Override
    public boolean leads(String node) {
        return ask(node, "role").equals("master");
    }

    @Override
    public boolean inSync(String node, String primary) {
        String leading = ask(primary, "INFO replication");
        String following = ask(node, "INFO replication");
        String offset = field(leading, "master_repl_offset");
        return field(following, "master_link_status").equals("up")
                && ask(node, "role").equals("slave of " + World.mention(primary))
                && !offset.isEmpty()
                && offset.equals(field(following, "slave_repl_offset"));
    }

    private static String field(String info, String name) {
        return info.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1))
                .findFirst()
                .orElse("");
    }

    private long fullSyncsAt(String node) {
        String count = field(ask(node, "INFO stats"), "sync_full");
        return count.isEmpty() ? 0 : Long.parseLong(count);
    }

    @Override
    public long fullSyncs() {
        return fullSyncs + nodes.stream().mapToLong(this::fullSyncsAt).sum();
    }

    @Override
    public List<Told> told() {
        return ports.told();
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration limit) {
        return Ports.await(
                () -> {
                    spareLaterLeaders();
                    return condition.getAsBoolean();
                },
                limit);
    }

    /** Once a leader has crashed as it was told to, the others are not to. */
    private void spareLaterLeaders() {
        if (crashingNextLeader
                && !sentinels.stream().allMatch(sentinel -> process(sentinel).isAlive())) {
            crashingNextLeader = false;
            sentinels.forEach(sentinel -> ask(sentinel, "SENTINEL SIMULATE-FAILURE help"));
        }
    }

    @Override
    public Duration limit() {
        return Duration.ofSeconds(40);
    }

    @Override
    public void close() {
        processes.values().forEach(ServerProcess::close);
        try (relay;
                ports) {
            deleteFiles();
        }
    }

    private void deleteFiles() {
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
