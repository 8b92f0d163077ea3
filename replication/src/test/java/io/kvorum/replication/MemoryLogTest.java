package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MemoryLogTest {
    private static final int CAPACITY = 1 << 10;

    private final MachineLog log = log(CAPACITY);

    private static MachineLog log(int capacity) {
        return (MachineLog) ReplicationLog.inMemory(capacity);
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
        assertThrows(IllegalArgumentException.class, () -> ReplicationLog.inMemory(capacity));
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
        assertEquals(16, log.begin(7, null, null));

        assertEquals(new LogPosition(7, 16), log.end());
        assertEquals("7@0", log.history().toString());
        ByteBuf record = read(0, 100);
        assertEquals(Records.BEGIN, Records.kind(record, 0));
        assertEquals(7, Records.epoch(record, 0));
        assertTrue(log.isWritable());
    }

    @Test
    void aReaderSeesWhatWasAppended() {
        log.begin(1, null, null);
        long end = log.append(16383, bytes(5, 1));
        ByteBuf record = read(16, 100);

        assertEquals(29, end);
        assertEquals(13, record.readableBytes());
        assertEquals(16383, Records.slot(record, 0));
        assertEquals(bytes(5, 1), Records.payload(record, 0));
    }

    @Test
    void badRecordsAreRefusedAndLeaveNoTrace() {
        log.begin(1, null, null);
        assertThrows(IllegalArgumentException.class, () -> log.append(-1, bytes(1, 1)));
        assertThrows(IllegalArgumentException.class, () -> log.append(16384, bytes(1, 1)));
        assertThrows(IllegalArgumentException.class, () -> log.append(0, bytes(log.maxPayload() + 1, 1)));
        assertEquals(16, log.end().offset());

        log.append(0, bytes(log.maxPayload(), 1));
        assertEquals(16 + CAPACITY / 2, log.end().offset());
    }

    @Test
    void theOldestRecordsGiveWay() {
        log.begin(1, null, null);
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

    @ParameterizedTest
    @ValueSource(ints = {1 << 10, 1 << 14, 1 << 15, 1 << 16})
    void whatIsRetainedFitsTheCapacity(int capacity) {
        MachineLog small = log(capacity);
        small.begin(1, null, null);
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 2_000; i++) {
            small.append(i, bytes(random.nextInt(Math.min(300, small.maxPayload())), i));

            assertTrue(small.firstOffset() >= small.end().offset() - capacity);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 13, 1 << 14, 1 << 15, 1 << 16})
    void whatIsRetainedOfALongBatchFitsTheCapacity(int capacity) {
        MachineLog small = log(capacity);
        small.begin(1, null, null);
        while (small.end().offset() < 3L * capacity + 1_000) {
            small.append(1, bytes(92, 1));
        }
        ByteBuf batch = Unpooled.buffer();
        while (batch.readableBytes() <= capacity - 200) {
            batch.writeLong(Records.header(192, Records.DATA, 1)).writeBytes(bytes(192, 1));
        }
        small.take(batch);

        assertTrue(small.firstOffset() >= small.end().offset() - capacity);
        assertEquals(batch.readableBytes() / 200, small.countFrom(small.end().offset() - batch.readableBytes()));
    }

    /** P10: the boundary of what is retained is exact. */
    @Test
    void readsAreExactAtTheBounds() {
        log.begin(1, null, null);
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
        log.begin(1, null, null);
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
        log.begin(1, null, null);
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
        log.begin(1, null, null);
        for (int i = 0; i < 5; i++) {
            log.append(i, bytes(10, i));
        }
        log.begin(4, null, null);
        ByteBuf records = read(0, 1000);
        try (MachineLog other = log(CAPACITY)) {
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

    /** The record is in, so the writer must not hear that it is not; the next one wakes the node. */
    @Test
    void aWakeUpThatFailsIsRunAgainByTheNextAppend() {
        log.begin(1, null, null);
        int[] calls = {0};
        log.wakeWhen(log.end().offset(), () -> {
            if (calls[0]++ == 0) {
                throw new StackOverflowError("a writer that is deep in its stack");
            }
        });
        long before = log.end().offset();
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));
        assertTrue(log.end().offset() > before);
        assertEquals(1, calls[0]);
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));

        assertEquals(2, calls[0]);
    }

    @Test
    void aClosedLogTakesNothing() {
        log.begin(1, null, null);
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
        try (MachineLog shared = log(1 << 20)) {
            for (long epoch = 1; epoch <= 50; epoch++) {
                shared.begin(epoch, null, null);
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
                long begin = shared.history().leaderships().get((int) epoch - 1).firstOffset() + Records.BEGIN_RECORD;
                started.await();
                shared.refuse(new Refusal(RefusedException.Kind.FENCED, null, null, null, null, epoch));
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

    @Test
    void aLogGrowsToItsCapacityBeforeItDropsAnything() {
        int capacity = 1 << 20;
        MachineLog large = log(capacity);
        large.begin(1, null, null);
        int records = (capacity - 16) / 1000;
        for (int i = 0; i < records; i++) {
            large.append(i, bytes(992, i));
            int oldest = i / 2;
            ByteBuf read = Unpooled.buffer();
            large.read(16 + oldest * 1000L, read, 1);
            assertEquals(bytes(992, oldest), Records.payload(read, 0));
        }
        assertEquals(0, large.firstOffset());

        large.append(0, bytes(992, 0)); // a chunk of 8 KiB gives way, and what hangs over its end
        assertEquals(16 + 9 * 1000, large.firstOffset());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aFullLogDropsWholeRecordsChunkByChunk(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int capacity = 1 << 16;
        MachineLog large = log(capacity);
        large.begin(1, null, null);
        for (int i = 0; i < 5_000; i++) {
            large.append(
                    1, bytes(random.nextInt(10) == 0 ? random.nextInt(large.maxPayload()) : random.nextInt(200), i));
            if (random.nextInt(50) == 0) {
                MachineLog primary = log(capacity);
                primary.reset(large.end(), large.history(), LogMembers.NONE);
                primary.admit();
                for (int j = random.nextInt(5); j >= 0; j--) {
                    primary.append(2, bytes(random.nextInt(9_000), j));
                }
                ByteBuf batch = Unpooled.buffer();
                primary.read(large.end().offset(), batch, capacity);
                large.take(batch);
            }
            long retained = large.end().offset() - large.firstOffset();
            assertTrue(retained <= capacity);
            ByteBuf all = Unpooled.buffer();
            assertEquals(retained, large.read(large.firstOffset(), all, capacity), "seed=" + seed);
            Records.check(all);
            assertTrue(large.firstOffset() == 0 || retained > capacity / 4, "seed=" + seed);
        }
    }

    @Test
    void aWakeUpIsRunOnceWhenTheEndPassesItsOffset() {
        log.begin(1, null, null);
        List<Long> woken = new ArrayList<>();
        log.wakeWhen(32, () -> woken.add(log.end().offset()));

        log.append(1, bytes(8, 1));
        assertEquals(List.of(), woken);
        log.append(1, bytes(0, 1));
        assertEquals(List.of(40L), woken);
        log.append(1, bytes(8, 1));
        assertEquals(List.of(40L), woken);
    }

    @Test
    void aWakeUpForTheRecordsThatAreThereIsRunAtOnce() {
        log.begin(1, null, null);
        List<Long> woken = new ArrayList<>();
        log.wakeWhen(16, () -> woken.add(16L));
        log.wakeWhen(15, () -> woken.add(15L));
        log.append(1, bytes(8, 1));

        assertEquals(List.of(15L), woken);
    }

    @Test
    void controlRecordsWakeNobody() {
        List<Long> woken = new ArrayList<>();
        log.wakeWhen(0, () -> woken.add(0L));
        log.begin(1, null, null);
        assertEquals(List.of(), woken);

        log.close();
        log.wakeWhen(0, () -> woken.add(1L));
        assertEquals(List.of(), woken);
    }

    @Test
    void aPayloadThatCannotBeReadLeavesNoTrace() {
        log.begin(1, null, null);
        ByteBuf released = Unpooled.buffer(8).writeLong(1);
        released.release();

        assertThrows(
                IllegalStateException.class, () -> log.append(1, released)); // netty's, of a module that is not read
        assertEquals(16, log.end().offset());
        assertEquals(28, log.append(1, bytes(4, 1)));
    }

    @Test
    void directAndHeapBuffersAreTheSame() {
        log.begin(1, null, null);
        ByteBuf direct = Unpooled.directBuffer(16);
        direct.writeBytes(bytes(16, 5)).skipBytes(3);
        log.append(1, direct);
        ByteBuf target = Unpooled.directBuffer(64);
        log.read(16, target, 100);

        assertEquals(direct, Records.payload(target, 0));
        assertEquals(3, direct.readerIndex());
        direct.release();
        target.release();
    }

    @Test
    void aBatchWhoseEpochsGoBackIsRefusedWhole() {
        log.begin(5, null, null);
        ByteBuf batch = Unpooled.buffer().writeInt(8).writeInt(1 << 24).writeLong(5);

        assertThrows(IllegalArgumentException.class, () -> log.take(batch));
        assertEquals(new LogPosition(5, 16), log.end());
        assertEquals("5@0", log.history().toString());
    }
}
