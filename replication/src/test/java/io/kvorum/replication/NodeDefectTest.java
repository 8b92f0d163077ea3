package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static io.kvorum.replication.TestShard.SHARD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A node that a defect ends keeps no buffer. */
final class NodeDefectTest {
    private static final long EPOCH = Epoch.of(1, 1);
    private static final NodeId SENTINEL = new NodeId("S1");

    /** An allocator that has only so many buffers. */
    private static final class Scarce extends AbstractByteBufAllocator {
        private final List<ByteBuf> given = new ArrayList<>();
        private int left;

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            if (left-- <= 0) {
                throw new OutOfMemoryError("no buffer left");
            }
            given.add(new UnpooledHeapByteBuf(this, initialCapacity, maxCapacity));
            return given.get(given.size() - 1);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            return newHeapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    private final Scarce allocator = new Scarce();
    private final ReplicationLog log = ReplicationLog.inMemory(ReplicationLog.MIN_CAPACITY);
    private final ShardNode node = new ShardNode(
            TestShard.SETTINGS,
            new NodeIdentity(SHARD, A),
            log,
            new MapState(),
            allocator,
            new Promise(1, 1, 0, null, false),
            false,
            0);

    private void step() {
        node.ready().messages().forEach(envelope -> envelope.message().release());
        node.promiseSaved();
    }

    private void acknowledge(NodeId from, LogPosition position, boolean complete) {
        node.receive(from, new Ack(SHARD, EPOCH, 1, 1, 1, position, complete, Taken.TAKEN, 0, 0), 0);
    }

    private void begin() {
        node.fence(EPOCH, SENTINEL);
        MemberList members = new MemberList(List.of(new Member(A, 1), new Member(B, 1), new Member(C, 1)));
        node.begin(EPOCH, SENTINEL, members, List.of(), false, 0);
        step();
        step();
    }

    private void endsWithoutABuffer() {
        allocator.left = 1;
        assertThrows(OutOfMemoryError.class, node::ready);
        node.fail();
        step();

        assertEquals(1, allocator.given.size());
        assertEquals(0, allocator.given.get(0).refCnt());
    }

    /** The part of a full sync has two. */
    @Test
    void theFirstBufferOfAPartIsReleasedAlthoughThereIsNoSecond() {
        begin();
        acknowledge(B, LogPosition.START, false);

        endsWithoutABuffer();
    }

    @Test
    void aBatchThatWasReadIsReleasedAlthoughTheNextOneCannotBe() {
        begin();
        LogPosition begun = log.end();
        log.append(1, Unpooled.wrappedBuffer("key=value".getBytes(StandardCharsets.US_ASCII)));
        acknowledge(B, LogPosition.START, true);
        acknowledge(C, begun, true);

        endsWithoutABuffer();
    }
}
