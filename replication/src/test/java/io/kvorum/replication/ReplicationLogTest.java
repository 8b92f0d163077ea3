package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ReplicationLogTest {
    private static final int CAPACITY = 1 << 10;

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final ReplicationLog log = new ReplicationLog(allocator, CAPACITY);

    @AfterEach
    void nothingLeaks() {
        log.close();
        log.close();
        assertEquals(0, allocator.metric().usedHeapMemory());
    }

    private static ByteBuf bytes(int length, int seed) {
        byte[] bytes = new byte[length];
        new SplittableRandom(seed).nextBytes(bytes);
        return Unpooled.wrappedBuffer(bytes);
    }

    private ByteBuf read(long from, int maxBytes) {
        ByteBuf target = Unpooled.buffer();
        log.read(from, target, maxBytes);
        return target;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, (1 << 10) - 1, 1 << 9, (1 << 30) + 1, -1024})
    void theCapacityIsAPowerOfTwoInRange(int capacity) {
        assertThrows(IllegalArgumentException.class, () -> new ReplicationLog(allocator, capacity));
    }

    @Test
    void theGateIsClosedAtFirst() {
        RefusedException refused = assertThrows(RefusedException.class, () -> log.append(1, bytes(3, 1)));

        assertEquals(RefusedException.Kind.READ_ONLY, refused.kind());
        assertEquals(1, refused.slot());
        assertEquals(LogPosition.START, log.end());
        assertFalse(log.isWritable());
    }

    @Test
    void aLeadershipBeginsWithARecordOfItsEpoch() {
        assertEquals(16, log.begin(7));

        assertEquals(new LogPosition(7, 16), log.end());
        assertEquals("7@0", log.history().toString());
        ByteBuf record = read(0, 100);
        assertEquals(Records.EPOCH, Records.tag(record, 0));
        assertEquals(7, Records.epoch(record, 0));
        assertTrue(log.isWritable());
    }

    @Test
    void aReaderSeesWhatWasAppended() {
        log.begin(1);
        long end = log.append(16383, bytes(5, 1));
        ByteBuf record = read(16, 100);

        assertEquals(29, end);
        assertEquals(13, record.readableBytes());
        assertEquals(16383, Records.tag(record, 0));
        assertEquals(bytes(5, 1), Records.payload(record, 0));
    }

    @Test
    void badRecordsAreRefusedAndLeaveNoTrace() {
        log.begin(1);
        assertThrows(IllegalArgumentException.class, () -> log.append(-1, bytes(1, 1)));
        assertThrows(IllegalArgumentException.class, () -> log.append(16384, bytes(1, 1)));
        assertThrows(IllegalArgumentException.class, () -> log.append(0, bytes(log.maxPayload() + 1, 1)));
        assertEquals(16, log.end().offset());

        log.append(0, bytes(log.maxPayload(), 1));
        assertEquals(16 + CAPACITY / 2, log.end().offset());
    }

    @Test
    void theOldestRecordsGiveWay() {
        log.begin(1);
        for (int i = 0; i < 8; i++) {
            log.append(i, bytes(120, i)); // 128 bytes each: the epoch's record and one other do not fit any more
        }
        assertEquals(16, log.firstOffset());
        log.append(8, bytes(112, 8));

        assertEquals(144, log.firstOffset());
        assertEquals(-1, log.read(16, Unpooled.buffer(), 1000));
        assertEquals(128, read(144, 128).readableBytes());
        assertEquals(bytes(120, 1), Records.payload(read(144, 128), 0));
    }

    /** P10: the boundary of what is retained is exact. */
    @Test
    void readsAreExactAtTheBounds() {
        log.begin(1);
        for (int i = 0; i < 20; i++) {
            log.append(i, bytes(120, i));
        }
        long first = log.firstOffset();
        long end = log.end().offset();

        assertEquals(-1, log.read(first - 1, Unpooled.buffer(), 1000));
        assertTrue(log.read(first, Unpooled.buffer(), 1000) > 0);
        assertEquals(0, log.read(end, Unpooled.buffer(), 1000));
        assertThrows(IllegalArgumentException.class, () -> log.read(end + 1, Unpooled.buffer(), 1000));
    }

    @Test
    void aReadCopiesWholeRecords() {
        log.begin(1);
        log.append(1, bytes(10, 1));
        log.append(2, bytes(20, 2));
        log.append(3, bytes(30, 3));

        assertEquals(16, read(0, 1).readableBytes()); // one record at least
        assertEquals(16 + 18, read(0, 16 + 18 + 27).readableBytes());
        assertEquals(16 + 18 + 28, read(0, 16 + 18 + 28).readableBytes());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void anythingRetainedReadsAsItWasAppended(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        log.begin(1);
        List<Long> offsets = new ArrayList<>();
        List<ByteBuf> payloads = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            ByteBuf payload = bytes(random.nextInt(60), i);
            offsets.add(log.end().offset());
            payloads.add(payload);
            log.append(i % 16384, payload);
            int from = offsets.size() - 1 - random.nextInt(Math.min(offsets.size(), 12));
            if (offsets.get(from) < log.firstOffset()) {
                continue;
            }
            ByteBuf records = read(offsets.get(from), random.nextInt(1, 300));
            Records.check(records);
            int at = from;
            for (int index = 0; index < records.writerIndex(); index += Records.size(records, index)) {
                assertEquals(payloads.get(at++), Records.payload(records, index), "seed=" + seed);
            }
            assertTrue(at > from);
        }
    }

    @Test
    void aReplicaTakesWhatWasRead() {
        log.begin(1);
        for (int i = 0; i < 5; i++) {
            log.append(i, bytes(10, i));
        }
        log.begin(4);
        ByteBuf records = read(0, 1000);
        try (ReplicationLog other = new ReplicationLog(allocator, CAPACITY)) {
            other.take(records);

            assertEquals(log.end(), other.end());
            assertEquals(log.history(), other.history());
            assertEquals(7, other.countFrom(0));
            assertEquals(1, other.countFrom(log.end().offset() - 16));
        }
    }

    @Test
    void moreThanTheLogHoldsIsTakenButNotRetained() {
        ByteBuf records = Unpooled.buffer();
        for (int i = 0; i < 10; i++) {
            records.writeInt(200).writeInt(i).writeBytes(bytes(200, i));
        }
        log.take(records);

        assertEquals(2080, log.end().offset());
        assertEquals(2080, log.firstOffset());
    }

    @Test
    void aClosedLogTakesNothing() {
        log.begin(1);
        log.close();

        assertThrows(IllegalStateException.class, () -> log.append(1, bytes(1, 1)));
        assertThrows(IllegalStateException.class, () -> log.read(0, Unpooled.buffer(), 1));
        assertFalse(log.isWritable());
    }

    /** P22: once the gate is closed, the end is final, whatever the writers do. */
    @Test
    void writersInFlightAreOverWhenTheGateIsClosed() throws Exception {
        int writers = 4;
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try (ReplicationLog shared = new ReplicationLog(allocator, 1 << 20)) {
            for (long epoch = 1; epoch <= 50; epoch++) {
                shared.begin(epoch);
                CountDownLatch started = new CountDownLatch(writers);
                List<Future<Integer>> counts = new ArrayList<>();
                for (int i = 0; i < writers; i++) {
                    counts.add(threads.submit(() -> {
                        started.countDown();
                        for (int appended = 0; ; appended++) {
                            try {
                                shared.append(3, bytes(4, appended));
                            } catch (RefusedException e) {
                                return appended;
                            }
                        }
                    }));
                }
                long begin = shared.history().leaderships().get((int) epoch - 1).firstOffset() + Records.EPOCH_RECORD;
                started.await();
                shared.refuse(new ReplicationLog.Refusal(RefusedException.Kind.FENCED, null, null, null, epoch));
                LogPosition end = shared.end();

                long appended = 0;
                for (Future<Integer> count : counts) {
                    appended += count.get();
                }
                assertEquals(end, shared.end());
                assertEquals(end.offset(), begin + appended * 12);
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
