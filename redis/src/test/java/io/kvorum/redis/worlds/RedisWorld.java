package io.kvorum.redis.worlds;

import static java.nio.charset.StandardCharsets.UTF_8;

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
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Redis servers and Redis Sentinels, each in a process. Each has an address of loopback, and a {@link Relay} stands
 * between them; the clients of the scenario go past it.
 */
final class RedisWorld implements World {
    private static final int FIRST_NETWORK = 20;
    private static final int NETWORKS = 200;

    /** The network of the next world. Builds that run at the same time begin with different ones, as a rule. */
    private static final AtomicInteger NEXT =
            new AtomicInteger((int) (ProcessHandle.current().pid() % NETWORKS));

    private static final int DOWN_AFTER_MILLIS = 2_000;

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
        nodes = IntStream.range(0, setup.nodes()).mapToObj(Setup::node).toList();
        sentinels =
                IntStream.range(0, setup.sentinels()).mapToObj(Setup::sentinel).toList();
        ports = new Ports(setup.password(), setup.majority());
        try {
            directory = Files.createTempDirectory("kvorum-worlds");
            relay = new Relay();
            boolean sends = isSince7(executable);
            String network = "127." + (FIRST_NETWORK + NEXT.getAndIncrement() % NETWORKS);
            for (int i = 0; i < setup.nodes(); i++) {
                add(executable, nodes.get(i), network, i + 1);
            }
            for (int i = 0; i < setup.sentinels(); i++) {
                add(executable, sentinels.get(i), network, 100 + i);
            }
            for (String node : nodes) {
                configure(node, sends, nodeLines(node));
            }
            for (String sentinel : sentinels) {
                configure(sentinel, sends, sentinelLines(sentinel));
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

    private void add(Path executable, String party, String network, int number) throws IOException {
        String host = network + ".0." + number;
        Path own = Files.createDirectory(directory.resolve(party));
        ServerProcess process = new ServerProcess(executable, own, host, party.startsWith("s"));
        processes.put(party, process);
        InetSocketAddress door = relay.open(party, host, process.address(), network + ".1." + number);
        doors.put(party, door.getHostString() + " " + door.getPort());
        ports.add(party, process.address(), door.getHostString() + ":" + door.getPort());
    }

    private void configure(String party, boolean sends, List<String> lines) throws IOException {
        List<String> all = new ArrayList<>(lines);
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
                "min-replicas-to-write " + setup.minReplicas()));
        if (!setup.password().isEmpty()) {
            lines.add("requirepass " + setup.password());
            lines.add("masterauth " + setup.password());
        }
        if (!node.equals(nodes.get(0))) {
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
                "sentinel down-after-milliseconds " + group + " " + DOWN_AFTER_MILLIS,
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
        require("replicas in sync", () -> nodes.stream().skip(1).allMatch(node -> inSync(node, nodes.get(0))));
        sentinels.forEach(this::startSentinel);
        String all = ",slaves=" + (nodes.size() - 1) + ",sentinels=" + sentinels.size();
        require(
                "sentinels that know all",
                () -> sentinels.stream()
                        .allMatch(sentinel -> ask(sentinel, "INFO sentinel").contains(all)
                                && ask(sentinel, "ckquorum").equals("OK " + sentinels.size() + " usable")));
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
    public @Nullable String primaryBy(String sentinel) {
        return ports.primaryBy(sentinel);
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
        ports.close();
        processes.values().forEach(ServerProcess::close);
        relay.close();
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
