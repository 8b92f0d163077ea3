package io.kvorum.resp.story;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.resp.RespCluster;
import io.kvorum.resp.RespMode;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Plays, through ports as a Redis client sees them, the session by which one convinces oneself that a master with two
 * slaves and three sentinels is highly available, and says of each step whether the answers were the server's. Exits
 * with 1 if one was not.
 */
public final class SessionStory {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String GROUP = "redis-cluster";
    private static final String PASSWORD = "SECRET";
    private static final ShardId SHARD = new ShardId("shard-1");

    private final LocalCluster cluster;
    private final RespCluster ports;
    private int broken;

    private SessionStory(LocalCluster cluster, RespCluster ports) {
        this.cluster = cluster;
        this.ports = ports;
    }

    /**
     * Plays the session and ends the JVM.
     *
     * @param arguments none
     * @throws IOException if a port that should be open is not
     */
    public static void main(String[] arguments) throws IOException {
        System.exit(play());
    }

    private static int play() throws IOException {
        long started = System.nanoTime();
        try (LocalCluster cluster = LocalCluster.builder()
                        .shards(1)
                        .failover(SentinelSettings.defaults().withDownAfter(Duration.ofMillis(500)))
                        .start();
                RespCluster ports = RespCluster.builder(cluster)
                        .mode(RespMode.SENTINEL)
                        .password(PASSWORD)
                        .groupNames(shard -> GROUP)
                        .start()) {
            SessionStory story = new SessionStory(cluster, ports);
            story.tell();
            System.out.printf(
                    Locale.ROOT,
                    "%nThe session's end, after %.1f s: %s%n",
                    (System.nanoTime() - started) / 1e9,
                    story.broken == 0 ? "every answer was the server's" : story.broken + " answers were BROKEN");
            return story.broken == 0 ? 0 : 1;
        }
    }

    private void tell() throws IOException {
        cluster.awaitReady(LIMIT);
        LocalNode first = cluster.primaryOf(SHARD);
        NodeId slave = replica();
        step("A Redis client at a master with two slaves and three sentinels");
        expect(at(first.id(), "INFO replication").contains("role:master"), "%s says that it is the master", first.id());
        expect(
                at(slave, "INFO replication").contains("master_port:" + ports.port(first.id())),
                "%s says that it is a slave of it",
                slave);
        expectMaster(first.id());
        answer(at(first.id(), "SET key-01 value-01"), "OK", "SET key-01 value-01 at the master");
        answer(at(first.id(), "WAIT 2 10000"), "2", "WAIT 2");
        answer(
                at(slave, "SET key-01 value-02"),
                "-READONLY You can't write against a read only replica.",
                "SET key-01 value-02 at a slave");
        List<String> read = new ArrayList<>();
        for (LocalNode node : cluster.nodes()) {
            read.add(at(node.id(), "GET key-01"));
        }
        answer(String.join(" ", read), "value-01 value-01 value-01", "GET key-01 at each of them");

        step("SENTINEL failover");
        String order = "SENTINEL failover " + GROUP;
        answer(Shell.run(ports.port(sentinels().get(0)), order), "OK", order);
        LocalNode second = another(first);
        expectMaster(second.id());
        answer(at(first.id(), "ROLE").substring(0, 5), "slave", "ROLE of the former master");

        step("SHUTDOWN of the master");
        try {
            at(second.id(), "SHUTDOWN");
        } catch (IOException e) { // as from a server that ends
            say("%s closed its connections", second.id());
        }
        LocalNode third = another(second);
        expectMaster(third.id());
        answer(at(third.id(), "GET key-01"), "value-01", "GET key-01 at the new master");
        answer(at(third.id(), "SET key-01 value-03"), "OK", "SET key-01 value-03");
        second.restart();
        cluster.awaitReady(LIMIT);
        expect(
                at(second.id(), "INFO replication").contains("master_port:" + ports.port(third.id())),
                "%s is back, as a slave of %s",
                second.id(),
                third.id());
        answer(at(second.id(), "GET key-01"), "value-03", "GET key-01 there");
    }

    private NodeId replica() {
        return cluster.topology().shards().get(0).replicas().get(0);
    }

    private List<NodeId> sentinels() {
        return cluster.sentinels().stream().map(sentinel -> sentinel.id()).toList();
    }

    /** Waits for another master that takes writes, whom the slaves follow and all sentinels know. */
    private LocalNode another(LocalNode before) {
        cluster.runUntil(() -> cluster.primaryOf(SHARD) != before, LIMIT);
        cluster.awaitReady(LIMIT);
        cluster.runUntil(
                () -> knownBy(cluster.primaryOf(SHARD).id()) == sentinels().size(), LIMIT);
        return cluster.primaryOf(SHARD);
    }

    /** {@return how many sentinels take a node for the master} */
    private long knownBy(NodeId master) {
        return cluster.sentinels().stream()
                .filter(sentinel -> master.equals(sentinel.driver().primaryOf(SHARD)))
                .count();
    }

    private void expectMaster(NodeId master) throws IOException {
        List<String> said = new ArrayList<>();
        for (NodeId sentinel : sentinels()) {
            said.add(Shell.run(ports.port(sentinel), "SENTINEL get-master-addr-by-name " + GROUP));
        }
        String address = "127.0.0.1 " + ports.port(master);
        answer(String.join(", ", said), String.join(", ", address, address, address), "the master by each sentinel");
    }

    private String at(NodeId node, String command) throws IOException {
        try {
            return Shell.run(ports.port(node), "AUTH " + PASSWORD, command);
        } catch (EOFException e) { // a node that changes its role throws its clients off, and they dial again
            return Shell.run(ports.port(node), "AUTH " + PASSWORD, command);
        }
    }

    private void answer(String answer, String expected, String what) {
        expect(answer.equals(expected), "%s: %s", what, answer);
    }

    private void expect(boolean holds, String format, Object... arguments) {
        broken += holds ? 0 : 1;
        say((holds ? "ok: " : "BROKEN: ") + format, arguments);
    }

    private static void step(String title) {
        System.out.printf(Locale.ROOT, "%n%s%n", title);
    }

    private static void say(String format, Object... arguments) {
        System.out.println("   " + String.format(Locale.ROOT, format, arguments));
    }
}
