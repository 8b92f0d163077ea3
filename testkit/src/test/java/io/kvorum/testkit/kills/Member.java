package io.kvorum.testkit.kills;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelCodec;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationCodec;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * One process of three: a node and a sentinel. Its network is whoever started it: it writes {@code to NAME FRAME} and
 * reads {@code from NAME FRAME}, a line each; every other line that it reads is an order. It ends with its standard
 * input, so that it cannot outlive whoever started it.
 */
final class Member {
    static final List<NodeId> NAMES = List.of(new NodeId("one"), new NodeId("two"), new NodeId("three"));

    private static final ShardId SHARD = new ShardId("shard");
    private static final ClusterTopology TOPOLOGY = ClusterTopology.EMPTY.apply(
            ClusterTopology.EMPTY.version(),
            List.of(
                    new TopologyChange.AddShard(SHARD, 0, NAMES.get(0), NAMES.subList(1, 3)),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(0, 16_383), SHARD)));
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int LONGEST_FRAME = 16 << 20;

    private final ReplicationCodec replication = new ReplicationCodec(LONGEST_FRAME);
    private final SentinelCodec sentinels = new SentinelCodec(LONGEST_FRAME);
    private final Map<NodeId, Consumer<NodeAnswer>> answers = new ConcurrentHashMap<>();
    private final ClusterSentinel sentinel;
    private final ClusterNode node;

    private Member(NodeId name, Path directory) throws IOException {
        Scheduler scheduler = Scheduler.of(Executors.newScheduledThreadPool(2));
        sentinel = ClusterSentinel.builder(name, SentinelList.of(NAMES), TOPOLOGY)
                .directory(directory)
                .settings(SentinelSettings.defaults()
                        .withOperationTimeout(Duration.ofSeconds(30)) // of JVMs that have just started
                        .withAttemptTimeout(Duration.ofSeconds(10)))
                .transport((to, message) -> send(to, sentinels.encode(message)))
                .gateway(this::command)
                .scheduler(scheduler)
                .start();
        node = ClusterNode.builder(SHARD, name)
                .directory(directory)
                .topology(sentinel::topology)
                .transport(this::replicate)
                .logCapacity(1 << 20)
                .allocator(UnpooledByteBufAllocator.DEFAULT)
                .scheduler(scheduler)
                .start();
    }

    /** Starts a member: its name, and its directory. */
    public static void main(String[] arguments) {
        ExecutorService orders = Executors.newSingleThreadExecutor();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            Member member = new Member(new NodeId(arguments[0]), Path.of(arguments[1]));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", -1);
                if (words[0].equals("from")) {
                    member.take(new NodeId(words[1]), Base64.getDecoder().decode(words[2]));
                } else {
                    orders.execute(() -> System.out.println("answer " + member.carryOut(words)));
                }
            }
            Runtime.getRuntime().halt(0);
        } catch (Throwable e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private void replicate(NodeId to, ReplicationMessage message) {
        ByteBuf frame = Unpooled.buffer();
        try {
            replication.encode(message, frame);
            send(to, ByteBufUtil.getBytes(frame));
        } finally {
            message.release();
        }
    }

    private void command(NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        answers.put(to, answer); // one does for all: an answer names its command
        send(to, sentinels.encode(command));
    }

    private static void send(NodeId to, byte[] frame) {
        System.out.println("to " + to + " " + Base64.getEncoder().encodeToString(frame));
    }

    private void take(NodeId from, byte[] frame) {
        if (frame[1] == 'R') {
            node.receive(from, replication.decode(Unpooled.wrappedBuffer(frame)));
            return;
        }
        ByteBuffer bytes = ByteBuffer.wrap(frame);
        switch (sentinels.kind(bytes)) {
            case MESSAGE -> sentinel.receive(from, sentinels.decodeMessage(bytes));
            case ANSWER -> {
                Consumer<NodeAnswer> answer = answers.get(from);
                if (answer != null) { // or it is for an earlier life
                    answer.accept(sentinels.decodeAnswer(bytes));
                }
            }
            case COMMAND ->
                node.execute(sentinels.decodeCommand(bytes), answer -> send(from, sentinels.encode(answer)));
        }
    }

    private String carryOut(String[] words) {
        try {
            return switch (words[0]) {
                case "bootstrap" ->
                    sentinel.bootstrap(SHARD).toCompletableFuture().join().toString();
                case "write" -> write(words[1]);
                case "has" -> has(words[1]);
                case "primary" -> {
                    Shard shard = Objects.requireNonNull(sentinel.topology().shard(SHARD));
                    yield shard.primary().value();
                }
                case "serves" -> String.valueOf(node.status().writable());
                case "complete" -> String.valueOf(node.status().complete());
                default -> "unknown order";
            };
        } catch (CompletionException e) {
            return "failed: " + e.getCause();
        } catch (RuntimeException e) {
            return "failed: " + e;
        }
    }

    /** Writes keys until a write fails, and tells of each as soon as a majority has it. */
    private String write(String prefix) {
        for (int i = 0; ; i++) {
            String key = prefix + i;
            byte[] bytes = key.getBytes(UTF_8);
            node.store()
                    .write(Acknowledgement.MAJORITY, TIMEOUT, store -> {
                        store.set(bytes, bytes);
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
            System.out.println("acknowledged " + key);
        }
    }

    private String has(String key) {
        byte[] bytes = key.getBytes(UTF_8);
        return String.valueOf(node.store()
                        .read(ReadLevel.CONFIRMED, TIMEOUT, store -> store.get(bytes))
                        .toCompletableFuture()
                        .join()
                != null);
    }
}
