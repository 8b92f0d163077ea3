package io.kvorum.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.replication.ReplicationMessage.Heartbeat;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationMessage.StaleEpoch;
import io.kvorum.replication.Transport;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Transport} does: it may lose, repeat and delay messages, but what it delivers is what was sent, it
 * never blocks or throws, and it lets go of every buffer.
 */
public abstract class TransportContract {
    private static final NodeId SENDER = new NodeId("node-1");
    private static final NodeId RECEIVER = new NodeId("node-2");
    private static final NodeId NOBODY = new NodeId("node-3");
    private static final ShardId SHARD = new ShardId("shard-1");
    private static final long EPOCH = Epoch.of(3, 1);
    private static final LogPosition POSITION = new LogPosition(EPOCH, 4_711);

    /** For use by subclasses. */
    protected TransportContract() {}

    /**
     * Starts what a node needs to send and to receive. A test starts {@code node-1} and {@code node-2}; nobody ever
     * starts {@code node-3}. What was started is ended after the test, by the subclass.
     *
     * @param node the node
     * @param receiver takes the messages for it, with their senders, on any thread; owns their buffers
     * @return what it sends with
     * @throws Exception if it cannot be started
     */
    protected abstract Transport start(NodeId node, BiConsumer<NodeId, ReplicationMessage> receiver) throws Exception;

    /** {@return how long to wait at most for what must happen} A wait ends as soon as it has. */
    protected Duration limit() {
        return Duration.ofSeconds(30);
    }

    /**
     * Waits until a condition holds. By default by looking at it again and again; a transport in virtual time lets that
     * pass.
     *
     * @param condition the condition
     * @param limit how long to wait at most
     * @return whether it came to hold
     */
    protected boolean await(BooleanSupplier condition, Duration limit) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > limit.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        return true;
    }

    private static ByteBuf bytes(int length, int seed) {
        byte[] content = new byte[length];
        new Random(seed).nextBytes(content);
        return Unpooled.copiedBuffer(content);
    }

    private static List<ReplicationMessage> oneOfEachShape() {
        return List.of(
                new Heartbeat(SHARD, EPOCH, 1, POSITION, -1),
                new StaleEpoch(SHARD, EPOCH),
                new Append(SHARD, EPOCH, 2, POSITION, 17, bytes(1_000, 1)),
                new Append(SHARD, EPOCH, 3, POSITION, 17, Unpooled.buffer()),
                new SnapshotPart(SHARD, EPOCH, 4, 5, 6, 7, 8, POSITION, null, bytes(10, 2), bytes(100_000, 3)));
    }

    /** What a message says, with the bytes of its buffers. */
    private static String content(ReplicationMessage message) {
        if (message instanceof Append append) {
            return append.sequence() + " " + append.previous() + " " + append.committed() + " "
                    + ByteBufUtil.hexDump(append.records());
        } else if (message instanceof SnapshotPart part) {
            return part.sequence() + " " + part.incarnation() + " " + part.life() + " " + part.sync() + " "
                    + part.part() + " " + part.start() + " " + part.end() + " "
                    + ByteBufUtil.hexDump(part.records()) + " " + ByteBufUtil.hexDump(part.entries());
        }
        return message.toString();
    }

    @Test
    protected void whatIsDeliveredIsWhatWasSentByWhomItSays() throws Exception {
        Set<String> received = ConcurrentHashMap.newKeySet();
        Set<NodeId> senders = ConcurrentHashMap.newKeySet();
        Transport transport = start(SENDER, (from, message) -> message.release());
        start(RECEIVER, (from, message) -> {
            senders.add(from);
            received.add(content(message));
            message.release();
        });
        Set<String> sent = ConcurrentHashMap.newKeySet();
        oneOfEachShape().forEach(message -> {
            sent.add(content(message));
            message.release();
        });
        assertTrue(
                sendUntil(transport, () -> received.containsAll(sent)),
                () -> "of " + sent.size() + " messages these arrived: " + received.size());
        assertEquals(sent, received);
        assertEquals(Set.of(SENDER), senders);
    }

    /** Sends again what may have been lost. */
    private boolean sendUntil(Transport transport, BooleanSupplier condition) {
        for (int i = 0; i < 60; i++) {
            oneOfEachShape().forEach(message -> transport.send(RECEIVER, message));
            if (await(condition, limit().dividedBy(60))) {
                return true;
            }
        }
        return false;
    }

    @Test
    protected void everyBufferIsLetGo() throws Exception {
        List<ByteBuf> buffers = new ArrayList<>();
        Transport transport = start(SENDER, (from, message) -> message.release());
        start(RECEIVER, (from, message) -> message.release());
        for (NodeId to : List.of(RECEIVER, NOBODY)) {
            for (int i = 0; i < 20; i++) {
                ByteBuf records = bytes(500, i);
                ByteBuf entries = bytes(500, -i);
                buffers.add(records);
                buffers.add(entries);
                transport.send(to, new SnapshotPart(SHARD, EPOCH, i, 1, 1, 1, i, POSITION, null, records, entries));
            }
        }
        assertTrue(
                await(() -> buffers.stream().allMatch(buffer -> buffer.refCnt() == 0), limit()),
                "buffers must be released, whether their messages arrived or not");
    }

    @Test
    protected void aReceiverThatIsNotThereHoldsNobodyUp() throws Exception {
        Transport transport = start(SENDER, (from, message) -> message.release());
        assertTimeoutPreemptively(limit(), () -> {
            for (int i = 0; i < 10_000; i++) {
                transport.send(NOBODY, new Append(SHARD, EPOCH, i, POSITION, 0, bytes(100, i)));
                transport.send(RECEIVER, new Heartbeat(SHARD, EPOCH, i, POSITION, 0));
            }
        });
    }

    @Test
    protected void manySendersDoNotMixTheirMessages() throws Exception {
        int senders = 4;
        int each = 200;
        Set<String> sent = ConcurrentHashMap.newKeySet();
        List<String> received = new CopyOnWriteArrayList<>();
        Transport transport = start(SENDER, (from, message) -> message.release());
        start(RECEIVER, (from, message) -> {
            received.add(content(message));
            message.release();
        });
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < senders; i++) {
            int number = i;
            threads.add(new Thread(() -> {
                for (int n = 0; n < each; n++) {
                    int sequence = number * each + n;
                    Append append = new Append(SHARD, EPOCH, sequence, POSITION, n, bytes(sequence, sequence));
                    sent.add(content(append));
                    transport.send(RECEIVER, append);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(senders * each, sent.size(), "no sender may be stopped by an exception");
        assertTrue(await(() -> !received.isEmpty(), limit()), "something must arrive");
        assertTrue(sent.containsAll(received), "each message must be one that was sent");
    }
}
