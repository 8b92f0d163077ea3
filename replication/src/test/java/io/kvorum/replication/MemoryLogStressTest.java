package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Writers and readers in threads of their own, on a log so short that it wraps all the time. */
@Tag("races")
final class MemoryLogStressTest {
    private static final int WRITERS = 3;
    private static final int RECORDS = 30_000;
    private static final long MINUTE = 60_000_000_000L;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Future<?>> running = new ArrayList<>();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    private void start(Callable<?> task) {
        running.add(threads.submit(task));
    }

    private void join() throws InterruptedException, ExecutionException {
        for (Future<?> task : running) {
            task.get();
        }
    }

    /** The writer's number, the record's number, and bytes that follow from both. */
    private static void write(ByteBuf payload, int writer, int number) {
        payload.clear().writeByte(writer).writeInt(number);
        int fill = new SplittableRandom(number).nextInt(150);
        for (int i = 0; i < fill; i++) {
            payload.writeByte(writer + number + i);
        }
    }

    /** Checks whole records, and that those of each writer follow each other, by the last numbers seen. */
    private static int check(ByteBuf records, int[] last, boolean gapless) {
        Records.check(records);
        ByteBuf expected = Unpooled.buffer(256);
        int count = 0;
        for (int index = 0; index < records.writerIndex(); index += Records.size(records, index)) {
            if (Records.kind(records, index) != Records.DATA) {
                continue;
            }
            ByteBuf payload = Records.payload(records, index);
            int writer = payload.getByte(0);
            int number = payload.getInt(1);
            write(expected, writer, number);
            assertEquals(expected, payload);
            assertEquals(writer, Records.slot(records, index));
            assertTrue(gapless ? number == last[writer] + 1 : number > last[writer]);
            last[writer] = number;
            count++;
        }
        return count;
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 10, 1 << 14, 1 << 17})
    void aReaderThatHoldsSeesEveryRecordOnceAndOneThatDoesNotSeesWholeRecords(int capacity) throws Exception {
        MachineLog log = (MachineLog) ReplicationLog.inMemory(capacity);
        LogCursor cursor = log.openCursor(log.begin(1, null, null));
        AtomicBoolean over = new AtomicBoolean();
        for (int i = 0; i < WRITERS; i++) {
            int writer = i;
            start(() -> {
                ByteBuf payload = Unpooled.buffer(256);
                for (int number = 1; number <= RECORDS; number++) {
                    write(payload, writer, number);
                    while (true) {
                        log.awaitRoom(writer, MINUTE);
                        try {
                            log.append(writer, payload);
                            break;
                        } catch (io.kvorum.slots.topology.RefusedException e) { // others took the reserve
                            assertEquals(Kind.OVERLOADED, e.kind());
                            Thread.onSpinWait();
                        }
                    }
                }
                return null;
            });
        }
        start(() -> {
            ByteBuf batch = Unpooled.buffer();
            int[] last = new int[WRITERS];
            for (int count = 0; count < WRITERS * RECORDS; ) {
                batch.clear();
                assertTrue(cursor.read(batch, 2_000) >= 0);
                count += check(batch, last, true);
                cursor.advanceTo(cursor.position());
            }
            over.set(true);
            return null;
        });
        start(() -> {
            ByteBuf batch = Unpooled.buffer();
            int[] last = new int[WRITERS];
            for (long at = 0; !over.get(); ) {
                batch.clear();
                int length = log.read(at, batch, 2_000);
                if (length < 0) {
                    assertEquals(0, batch.readableBytes());
                    at = log.firstOffset();
                } else {
                    check(batch, last, false);
                    at += length;
                }
            }
            return null;
        });
        join();
    }

    @Test
    void snapshotsAreConsistent() throws Exception {
        MachineLog log = (MachineLog) ReplicationLog.inMemory(1 << 12);
        AtomicBoolean over = new AtomicBoolean();
        log.begin(1, null, null);
        start(
                () -> { // the node
                    Refusal refusal = new Refusal(Kind.FENCED, null, null, null, null, 0);
                    for (long epoch = 2; epoch < 5_000; epoch++) {
                        log.refuse(refusal);
                        log.begin(epoch, null, null);
                        log.appendMembers(new Roster(MemberList.of(new Member(new NodeId("a"), epoch)), List.of()));
                    }
                    over.set(true);
                    return null;
                });
        start(
                () -> { // a writer
                    ByteBuf payload = Unpooled.wrappedBuffer(new byte[30]);
                    while (!over.get()) {
                        try {
                            log.append(1, payload);
                        } catch (io.kvorum.slots.topology.RefusedException e) {
                            assertEquals(Kind.FENCED, e.kind());
                        }
                    }
                    return null;
                });
        start(() -> {
            long last = 0;
            while (!over.get()) {
                MachineLog.Snapshot snapshot = log.snapshot();
                List<LogHistory.Leadership> leaderships = snapshot.history().leaderships();
                LogHistory.Leadership newest = leaderships.get(leaderships.size() - 1);
                assertEquals(newest.epoch(), snapshot.end().epoch());
                assertTrue(snapshot.end().offset() >= newest.firstOffset() + Records.BEGIN_RECORD);
                assertTrue(snapshot.members().at().offset() <= snapshot.end().offset());
                assertTrue(snapshot.firstOffset() <= snapshot.end().offset());
                assertTrue(snapshot.end().offset() >= last);
                last = snapshot.end().offset();
                assertTrue(log.end().compareTo(snapshot.end()) >= 0);
            }
            return null;
        });
        join();
    }
}
