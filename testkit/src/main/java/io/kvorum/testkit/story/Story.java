package io.kvorum.testkit.story;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import io.kvorum.testkit.story.DataSet.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Plays what the library is for, on a whole cluster in this JVM, and says of each step what really came of it.
 *
 * <p>Takes the path of a file of tab-separated keys and values to load; without one it loads the names of all Unicode
 * characters. Exits with 1 if anything came out otherwise than promised, with 2 if the file cannot be loaded.
 */
public final class Story {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofMillis(50);
    private static final List<SlotSet> SLOTS =
            List.of(SlotSet.ofRange(0, 5500), SlotSet.ofRange(5501, 11_000), SlotSet.ofRange(11_001, 16_383));
    private static final ShardId FIRST = new ShardId("shard-1");
    private static final ShardId SECOND = new ShardId("shard-2");
    private static final ShardId THIRD = new ShardId("shard-3");
    private static final int WRITES_AROUND_THE_CRASH = 200;

    private static final LocalClusterSettings SETTINGS = LocalClusterSettings.defaults()
            .withSlots(SLOTS)
            .withAcknowledgement(Acknowledgement.MAJORITY)
            .withTimeout(Duration.ofMillis(500))
            .withLogCapacity(8 << 20)
            .withReplication(ReplicationSettings.defaults().withHeartbeatInterval(Duration.ofMillis(20)))
            .withFailover(SentinelSettings.defaults()
                    .withPingPeriod(Duration.ofMillis(50))
                    .withAskPeriod(Duration.ofMillis(50))
                    .withDownAfter(Duration.ofMillis(500)));

    private final Printer printer;
    private final DataSet data;
    private final LocalCluster cluster;
    private final Timeline timeline = new Timeline();

    private Story(Printer printer, DataSet data, LocalCluster cluster) {
        this.printer = printer;
        this.data = data;
        this.cluster = cluster;
    }

    /**
     * Plays the story and ends the JVM.
     *
     * @param arguments the path of a file, or nothing
     * @throws InterruptedException never: nobody interrupts the main thread
     */
    public static void main(String[] arguments) throws InterruptedException {
        System.exit(play(arguments));
    }

    private static int play(String[] arguments) throws InterruptedException {
        long started = System.nanoTime();
        DataSet data;
        try {
            data = arguments.length == 0 || arguments[0].isBlank()
                    ? DataSet.unicode()
                    : DataSet.of(Path.of(arguments[0]));
        } catch (MalformedFileException e) {
            System.err.println("nothing is loaded: " + e.getMessage());
            return 2;
        } catch (IOException e) {
            System.err.println("nothing is loaded: cannot read " + e.getMessage());
            return 2;
        }
        Printer printer = new Printer(System.out);
        long clusterStarted = System.nanoTime();
        try (LocalCluster cluster = LocalCluster.start(SETTINGS)) {
            new Story(printer, data, cluster).tell(clusterStarted);
        }
        System.out.printf(
                "%nThe end, after %.1f s: %s%n",
                (System.nanoTime() - started) / 1e9,
                printer.broken() == 0 ? "every promise was kept" : printer.broken() + " promises were BROKEN");
        return printer.broken() == 0 ? 0 : 1;
    }

    private void tell(long started) throws InterruptedException {
        cluster.onEvent(timeline::add);
        start(started);
        writeAndRead();
        load();
        ask();
        failOverByHand();
        LocalNode crashed = crashAPrimary();
        cutAShardOff();
        restartEmpty(crashed);
    }

    private void start(long started) {
        printer.step("Three shards of three nodes and three sentinels start");
        cluster.awaitReady(LIMIT);
        topology();
        printer.promise(
                cluster.uncovered().isEmpty(),
                "ready after %.0f ms, and every slot is served",
                (System.nanoTime() - started) / 1e6);
    }

    private void topology() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("shard", "slots", "count", "epoch", "primary", "replicas"));
        for (Shard shard : cluster.topology().shards()) {
            rows.add(List.of(
                    shard.id().value(),
                    shard.slots().toString(),
                    String.valueOf(shard.slots().size()),
                    Epoch.toString(shard.epoch()),
                    shard.primary().value(),
                    joined(shard.replicas())));
        }
        printer.table(rows);
    }

    private void writeAndRead() {
        printer.step("A write, read from every node of its shard; a replica refuses to take one");
        byte[] key = bytes("key-01");
        cluster.client().set(key, bytes("value-01"));
        LocalNode primary = cluster.primaryFor(key);
        printer.say("key-01 is in slot %d, owned by %s, led by %s", HashSlot.of(key), primary.shard(), primary.id());
        inSync(primary.shard());
        for (LocalNode node : cluster.nodes(primary.shard())) {
            String value = text(node.store()
                    .store(Acknowledgement.LOCAL, ReadLevel.LOCAL, LIMIT)
                    .get(key));
            printer.promise(value.equals("value-01"), "%s (%s) reads %s", node.id(), role(node), value);
        }
        LocalNode replica = cluster.nodes(primary.shard()).stream()
                .filter(node -> node != primary)
                .findFirst()
                .orElseThrow();
        refusedAt(replica, key, "value-02");
        printer.promise(text(cluster.client().get(key)).equals("value-01"), "key-01 still is value-01");
    }

    /** Tries a write at a node that must not take it. */
    private void refusedAt(LocalNode node, byte[] key, String value) {
        try {
            node.store().store(Acknowledgement.MAJORITY, ReadLevel.LOCAL, LIMIT).set(key, bytes(value));
            printer.promise(false, "%s took %s", node.id(), value);
        } catch (RefusedException e) {
            printer.promise(
                    e.kind() == RefusedException.Kind.READ_ONLY || e.kind() == RefusedException.Kind.FENCED,
                    "%s refuses %s: %s",
                    node.id(),
                    value,
                    described(e));
        }
    }

    private static String described(RefusedException e) {
        return e.kind() + ", slot " + e.slot() + " of " + e.shard() + (e.node() == null ? "" : ", at " + e.node())
                + ", whose primary is " + e.primary() + " in epoch " + Epoch.toString(e.epoch());
    }

    private void load() {
        printer.step("Real data is loaded: " + data.entries().size() + " " + data.description());
        long start = System.nanoTime();
        Pipeline pipeline = new Pipeline();
        int part = Math.max(1, data.entries().size() / 5);
        int loaded = 0;
        for (Map.Entry<String, String> entry : data.entries().entrySet()) {
            byte[] key = bytes(entry.getKey());
            byte[] value = bytes(entry.getValue());
            pipeline.add(() -> cluster.primaryFor(key).store().write(Acknowledgement.MAJORITY, LIMIT, store -> {
                store.set(key, value);
                return true;
            }));
            loaded++;
            if (loaded % part == 0) {
                printer.say("%7d written, %,.0f a second", loaded, loaded / ((System.nanoTime() - start) / 1e9));
            }
        }
        boolean done = pipeline.drain(LIMIT);
        double seconds = (System.nanoTime() - start) / 1e9;
        printer.promise(
                done,
                "%d pairs, each on a majority of its shard, in %.2f s: %,.0f a second%s",
                loaded,
                seconds,
                loaded / seconds,
                repeated(pipeline));
        readBack(data.entries(), "pairs");
        for (Shard shard : cluster.topology().shards()) {
            printer.say(
                    "%s holds %d keys",
                    shard.id(), cluster.node(shard.primary()).size());
        }
    }

    /** Reads all of these from the primaries, each read confirmed by a majority, and compares. */
    private void readBack(Map<String, String> expected, String what) {
        long start = System.nanoTime();
        AtomicInteger lost = new AtomicInteger();
        Pipeline pipeline = new Pipeline();
        expected.forEach((key, value) -> {
            byte[] bytes = bytes(key);
            pipeline.add(() -> cluster.primaryFor(bytes)
                    .store()
                    .read(ReadLevel.CONFIRMED, LIMIT, store -> text(store.get(bytes)))
                    .thenAccept(found -> {
                        if (!found.equals(value)) {
                            lost.incrementAndGet();
                        }
                    }));
        });
        boolean done = pipeline.drain(LIMIT);
        printer.promise(
                done && lost.get() == 0,
                "%d %s read back in %.2f s, %d lost%s",
                expected.size(),
                what,
                (System.nanoTime() - start) / 1e9,
                lost.get(),
                repeated(pipeline));
    }

    private static String repeated(Pipeline pipeline) {
        return pipeline.repeated() == 0 ? "" : "; " + pipeline.repeated() + " requests were repeated";
    }

    private void ask() {
        printer.step("The sentinels are asked");
        LocalSentinel asked = cluster.sentinels().get(0);
        SentinelDriver sentinel = asked.driver();
        printer.say("%s knows the primary of %s: %s", asked.id(), FIRST, sentinel.primaryOf(FIRST));
        sentinel.primaries().forEach((shard, primary) -> printer.say("the primary of %s: %s", shard, primary));
        printer.say("the replicas of %s: %s", FIRST, joined(sentinel.replicas(FIRST)));
        printer.say("the sentinels of %s: %s", FIRST, joined(sentinel.sentinels()));
        QuorumCheck check = sentinel.quorumCheck();
        printer.promise(
                check.quorumReachable() && check.votesReachable(),
                "%d of %d sentinels are usable; a quorum needs %d, an election %d",
                check.usable(),
                check.sentinels(),
                check.quorum(),
                check.votes());
        printer.promise(cluster.primaryOf(FIRST).id().equals(sentinel.primaryOf(FIRST)), "sentinels and client agree");
    }

    private void failOverByHand() {
        printer.step("A failover of " + SECOND + " by hand");
        LocalNode before = cluster.primaryOf(SECOND);
        long start = System.nanoTime();
        cluster.sentinels().get(0).driver().failOver(SECOND);
        boolean switched = cluster.await(
                () -> timeline.hasSwitched(SECOND, start) && isFollowing(before, cluster.primaryOf(SECOND)), LIMIT);
        printer.table(timeline.failover(SECOND, start));
        printer.promise(
                switched && cluster.primaryOf(SECOND) != before,
                "%s leads %s after %.0f ms, no more %s",
                cluster.primaryOf(SECOND).id(),
                SECOND,
                (System.nanoTime() - start) / 1e6,
                before.id());
        refusedAt(before, bytes(keyIn(SECOND, "by-hand")), "too-late");
        inSync(SECOND);
    }

    private LocalNode crashAPrimary() throws InterruptedException {
        LocalNode crashed = cluster.primaryOf(FIRST);
        printer.step("The primary of " + FIRST + ", " + crashed.id() + ", crashes while a client writes");
        BusyWriter writer = BusyWriter.start(cluster.client(), keyIn(FIRST, "busy") + ":");
        boolean began = cluster.await(() -> writer.count() >= WRITES_AROUND_THE_CRASH, LIMIT);
        long crashedAt = System.nanoTime();
        int before = writer.count();
        crashed.crash();
        boolean switched = cluster.await(
                () -> timeline.hasSwitched(FIRST, crashedAt) && writer.count() >= before + WRITES_AROUND_THE_CRASH,
                LIMIT);
        writer.stop();
        printer.table(timeline.failover(FIRST, crashedAt));
        printer.promise(
                began && switched && cluster.primaryOf(FIRST) != crashed,
                "%s leads %s; no write was acknowledged for %.0f ms",
                cluster.primaryOf(FIRST).id(),
                FIRST,
                writer.longestPauseAfter(crashedAt) / 1e6);
        printer.say(
                "%d writes acknowledged, %d refused, %d with unknown outcome",
                writer.acknowledged().size(), writer.refused(), writer.unknown());
        readBack(writer.acknowledged(), "acknowledged writes");
        return crashed;
    }

    private void cutAShardOff() {
        printer.step("All nodes of " + THIRD + " are cut off from everything");
        byte[] inside = bytes(keyIn(THIRD, "cut"));
        byte[] outside = bytes(keyIn(SECOND, "cut"));
        long cutAt = System.nanoTime();
        cluster.isolate(cluster.nodes(THIRD).stream().map(LocalNode::id).toArray(NodeId[]::new));
        SlotSet uncovered = cluster.uncovered();
        printer.promise(uncovered.equals(SLOTS.get(2)), "the cluster does not serve the slots %s", uncovered);
        try {
            cluster.clusterClient().withTimeout(PATIENCE).store().set(inside, bytes("cut"));
            printer.promise(false, "a write to %s was taken", THIRD);
        } catch (RefusedException e) {
            printer.promise(e.kind() == RefusedException.Kind.CLUSTER_DOWN, "a write is refused: %s", described(e));
        }
        cluster.client().set(outside, bytes("others go on"));
        printer.promise(text(cluster.client().get(outside)).equals("others go on"), "the other shards go on");
        boolean noticed = cluster.await(() -> timeline.hasObjectivelyDown(THIRD, cutAt), LIMIT);
        printer.promise(
                noticed,
                "after %.0f ms the sentinels agree that %s has no primary",
                (System.nanoTime() - cutAt) / 1e6,
                THIRD);
        cluster.heal();
        long healed = System.nanoTime();
        boolean serves = succeeds(cluster.client(), inside, "healed", LIMIT);
        printer.promise(
                serves && cluster.uncovered().isEmpty(),
                "healed: after %.0f ms every slot is served again",
                (System.nanoTime() - healed) / 1e6);
        inSync(THIRD);
        printer.say(
                "%s leads %s in epoch %s",
                cluster.primaryOf(THIRD).id(),
                THIRD,
                Epoch.toString(cluster.primaryOf(THIRD).status().epoch()));
        Map<String, String> inShard = new LinkedHashMap<>(data.entries());
        inShard.keySet().removeIf(key -> !SLOTS.get(2).contains(HashSlot.of(key)));
        readBack(inShard, "pairs of " + THIRD);
    }

    private void restartEmpty(LocalNode crashed) {
        printer.step("The node that crashed, " + crashed.id() + ", comes back without its data");
        long start = System.nanoTime();
        crashed.restart();
        inSync(FIRST);
        printer.promise(
                crashed.status().role() == NodeRole.REPLICA && isFollowing(crashed, cluster.primaryOf(FIRST)),
                "%s follows %s and has caught up after %.0f ms",
                crashed.id(),
                crashed.status().primary(),
                (System.nanoTime() - start) / 1e6);
        printer.promise(cluster.await(() -> timeline.hasFullSync(crashed.id(), start), LIMIT), "it took a full sync");
        topology();
        cluster.awaitReady(LIMIT);
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("shard", "node", "role", "position", "keys", "digest"));
        boolean equal = true;
        for (Shard shard : cluster.topology().shards()) {
            long digest = cluster.node(shard.primary()).digest();
            for (LocalNode node : cluster.nodes(shard.id())) {
                equal &= node.digest() == digest;
                rows.add(List.of(
                        shard.id().value(),
                        node.id().value(),
                        role(node),
                        node.status().position().toString(),
                        String.valueOf(node.size()),
                        String.format(Locale.ROOT, "%016x", node.digest())));
            }
        }
        printer.table(rows);
        printer.promise(equal, "the nodes of each shard have equal digests");
    }

    private void inSync(ShardId shard) {
        boolean inSync = cluster.await(
                () -> {
                    LocalNode primary = cluster.primaryOf(shard);
                    return cluster.nodes(shard).stream()
                            .filter(LocalNode::isRunning)
                            .allMatch(node -> node.status().complete()
                                    && node.status()
                                            .position()
                                            .equals(primary.status().position()));
                },
                LIMIT);
        if (!inSync) {
            printer.promise(false, "the nodes of %s have caught up within %s", shard, LIMIT);
        }
    }

    private static boolean isFollowing(LocalNode node, LocalNode primary) {
        return primary.id().equals(node.status().primary());
    }

    private static boolean succeeds(KeyValueStore store, byte[] key, String value, Duration limit) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < limit.toNanos()) {
            try {
                store.set(key, bytes(value));
                return true;
            } catch (RefusedException | OutcomeUnknownException e) { // not yet
                LockSupport.parkNanos(1_000_000);
            }
        }
        return false;
    }

    /** {@return a key of a shard, whose tag keeps whatever is appended in the same slot} */
    private String keyIn(ShardId shard, String name) {
        for (int i = 0; ; i++) {
            String key = "{" + name + "-" + i + "}";
            Shard owner = cluster.topology().shardOf(HashSlot.of(key));
            if (owner != null && owner.id().equals(shard)) {
                return key;
            }
        }
    }

    private static String role(LocalNode node) {
        return node.status().role() == NodeRole.PRIMARY ? "primary" : "replica";
    }

    private static String joined(List<NodeId> ids) {
        return String.join(", ", ids.stream().map(NodeId::value).toList());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static String text(byte @Nullable [] bytes) {
        return bytes == null ? "nothing" : new String(bytes, UTF_8);
    }
}
