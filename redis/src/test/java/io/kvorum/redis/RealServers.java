package io.kvorum.redis;

import io.lettuce.core.RedisURI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Some servers that belong together. */
final class RealServers implements AutoCloseable {
    /** Of nodes of a cluster: long enough that a busy machine is no dead server, and that nobody takes over unasked. */
    private static final String[] IN_CLUSTER = {"--cluster-enabled", "yes", "--cluster-node-timeout", "10000"};

    private final List<RealServer> servers = new ArrayList<>();

    /** Starts a server alone. */
    static RealServers single(Path executable) {
        RealServers all = new RealServers();
        all.add(executable);
        return all;
    }

    /** Starts a cluster of three primaries. */
    static RealServers cluster(Path executable) {
        RealServers all = new RealServers();
        try {
            for (int i = 0; i < 3; i++) {
                all.add(executable, IN_CLUSTER);
            }
            for (int i = 0; i < 3; i++) {
                RealServer server = all.get(i);
                String slots = IntStream.range(16_384 * i / 3, 16_384 * (i + 1) / 3)
                        .mapToObj(String::valueOf)
                        .collect(Collectors.joining(" "));
                expect("OK", server.ask("CLUSTER ADDSLOTS " + slots));
                expect("OK", server.ask("CLUSTER SET-CONFIG-EPOCH " + (i + 1)));
            }
            await("all know all", () -> all.servers.stream().filter(all::hasMet).count() == 3);
            await(
                    "the cluster is complete",
                    () -> all.servers.stream()
                            .allMatch(server -> server.ask("CLUSTER INFO").contains("cluster_state:ok")
                                    && server.ask("CLUSTER INFO").contains("cluster_slots_ok:16384")));
        } catch (RuntimeException | Error e) {
            all.close();
            throw e;
        }
        return all;
    }

    /** Adds a replica of one of the servers to a cluster. */
    RealServer addReplica(Path executable, RealServer primary) {
        RealServer replica = add(executable, IN_CLUSTER);
        await("all know all", () -> servers.stream().filter(this::hasMet).count() == servers.size());
        String order = "CLUSTER REPLICATE " + primary.ask("CLUSTER MYID");
        await("the replica knows its primary", () -> replica.ask(order).equals("OK"));
        await(
                "the replica is connected and knows all",
                () -> replica.ask("INFO replication").contains("master_link_status:up")
                        && replica.ask("CLUSTER INFO").contains("cluster_slots_ok:16384"));
        return replica;
    }

    /** {@return whether a server knows all others} It is told again of those that it does not know. */
    private boolean hasMet(RealServer server) {
        List<String> known = server.ask("CLUSTER NODES")
                .lines()
                .filter(line -> !line.contains("handshake"))
                .toList();
        List<RealServer> unknown = servers.stream()
                .filter(other -> known.stream().noneMatch(line -> line.contains(":" + other.port() + "@")))
                .toList();
        unknown.forEach(other -> server.ask("CLUSTER MEET 127.0.0.1 " + other.port()));
        return unknown.isEmpty();
    }

    /** Starts a primary, a replica, and three sentinels after them, of which two must agree. */
    static RealServers sentinels(Path executable) {
        RealServers all = new RealServers();
        try {
            RealServer primary = all.add(executable);
            RealServer replica = all.add(executable, "--replicaof", "127.0.0.1", "" + primary.port());
            await(
                    "the replica is connected",
                    () -> replica.ask("INFO replication").contains("master_link_status:up"));
            for (int i = 0; i < 3; i++) {
                RealServer sentinel = all.add(executable, "--sentinel");
                expect("OK", sentinel.ask("SENTINEL MONITOR group 127.0.0.1 " + primary.port() + " 2"));
                expect("OK", sentinel.ask("SENTINEL SET group down-after-milliseconds 1000"));
                expect("OK", sentinel.ask("SENTINEL SET group failover-timeout 10000"));
            }
            await(
                    "all know all",
                    () -> all.servers.subList(2, 5).stream()
                            .allMatch(sentinel -> sentinel.ask("INFO sentinel").contains("slaves=1,sentinels=3")));
        } catch (RuntimeException | Error e) {
            all.close();
            throw e;
        }
        return all;
    }

    private static void expect(String expected, String answer) {
        if (!expected.equals(answer)) {
            throw new IllegalStateException("must be answered by " + expected + ": " + answer);
        }
    }

    /** Waits until a condition holds. */
    static void await(String what, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(30)) {
                throw new AssertionError(what + ": not within 30 seconds");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        }
    }

    RealServer add(Path executable, String... options) {
        RealServer server = RealServer.start(executable, options);
        servers.add(server);
        return server;
    }

    RealServer get(int number) {
        return servers.get(number);
    }

    /** Returns the servers that have data, all but sentinels. */
    List<RealServer> ofData() {
        return servers.stream()
                .filter(server -> !server.ask("INFO server").contains("redis_mode:sentinel"))
                .toList();
    }

    /** Returns the servers as a store is told of them. */
    RedisURI[] uris() {
        List<RealServer> sentinels = new ArrayList<>(servers);
        sentinels.removeAll(ofData());
        if (sentinels.isEmpty()) {
            return servers.stream().map(RealServer::uri).toArray(RedisURI[]::new);
        }
        RedisURI.Builder uri = RedisURI.builder().withSentinelMasterId("group");
        sentinels.forEach(sentinel -> uri.withSentinel("127.0.0.1", sentinel.port()));
        return new RedisURI[] {uri.build()};
    }

    @Override
    public void close() {
        servers.forEach(RealServer::close);
    }
}
