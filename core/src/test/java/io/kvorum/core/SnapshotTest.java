package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Replicas.Change;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "{0}")
@EnumSource(Tables.class)
final class SnapshotTest {
    private static final long NOW = 1_000;

    private final FixedClock clock = new FixedClock(NOW);
    private final List<Change> changes = new ArrayList<>();
    private final LocalStore store;

    SnapshotTest(Tables engine) {
        this.store =
                new LocalStore(engine.settings(), 7, clock, (slot, change) -> changes.add(Change.copyOf(slot, change)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 100, 1_000, 1_000_000})
    void holdsEveryEntryWhateverTheSizeOfItsChunks(int maxBytes) {
        fill(500);
        LocalStore other = Replicas.empty(3);
        other.set(bytes("stays not"), bytes("x"));
        Replicas.load(other, Replicas.chunks(store, maxBytes));

        assertEquals(store.digest(), other.digest());
        assertEquals(store.size(), other.size());
    }

    @Test
    void keepsToTheSizeOfAChunk() {
        fill(500);
        for (ByteBuf chunk : Replicas.chunks(store, 200)) {
            assertTrue(chunk.readableBytes() < 300, () -> "a chunk of " + chunk.readableBytes());
        }
    }

    @Test
    void ofAnEmptyStoreHasNoChunk() {
        ByteBuf target = Unpooled.buffer().writeByte(1);
        try (SnapshotScan scan = store.replicatedState().snapshot()) {
            assertFalse(scan.next(target, 100));
            assertFalse(scan.next(target, 100));
            assertThrows(IllegalArgumentException.class, () -> scan.next(target, 0));
        }
        assertEquals(1, target.writerIndex());

        LocalStore other = Replicas.empty(3);
        other.set(bytes("a"), bytes("b"));
        Replicas.load(other, List.of());
        assertEquals(0, other.size());
    }

    @Test
    void isAppendedToWhatTheBufferHolds() {
        fill(20);
        ByteBuf target = Unpooled.buffer().writeByte(1);
        try (SnapshotScan scan = store.replicatedState().snapshot()) {
            while (scan.next(target, 50)) {}
        }
        target.readByte();
        LocalStore other = Replicas.empty(3);
        Replicas.load(other, List.of(target));

        assertEquals(store.digest(), other.digest());
    }

    @Test
    void endsWhenItIsClosed() {
        fill(20);
        SnapshotScan scan = store.replicatedState().snapshot();
        scan.next(Unpooled.buffer(), 1);
        scan.close();
        scan.close();

        assertFalse(scan.next(Unpooled.buffer(), 1));
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 100);
    }

    /**
     * The records since the scan began, sent as a primary sends them: each before the chunk that was written after it.
     */
    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void withTheRecordsSinceItsStartIsTheStore(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = random.nextInt(400); i > 0; i--) {
            write(random);
        }
        changes.clear();
        LocalStore other = Replicas.empty(seed);
        Restoration restoration = other.replicatedState().restore();
        int sent = 0;
        try (SnapshotScan scan = store.replicatedState().snapshot()) {
            ByteBuf chunk = Unpooled.buffer();
            boolean more = true;
            while (more) {
                int upTo = changes.size();
                for (int i = random.nextInt(4); i > 0; i--) {
                    write(random); // after the records were taken, before the chunk is: the chunk is ahead of them
                }
                chunk.clear();
                more = scan.next(chunk, 1 + random.nextInt(300));
                for (; sent < upTo; sent++) {
                    restoration.apply(
                            changes.get(sent).slot(), changes.get(sent).payload());
                }
                restoration.load(chunk);
                if (random.nextInt(10) == 0) {
                    restoration.load(chunk);
                }
                for (int i = random.nextInt(4); i > 0; i--) {
                    write(random);
                }
            }
        }
        for (; sent < changes.size(); sent++) {
            restoration.apply(changes.get(sent).slot(), changes.get(sent).payload());
        }
        restoration.complete();

        assertEquals(store.digest(), other.digest());
        assertEquals(store.size(), other.size());
    }

    @Test
    void aReplacementIsNotSeenBeforeItIsComplete() {
        fill(50);
        LocalStore other = Replicas.empty(3);
        other.set(bytes("old"), bytes("1"));
        Restoration restoration = other.replicatedState().restore();
        Replicas.chunks(store, 100).forEach(restoration::load);

        assertEquals("1", text(other.get(bytes("old"))));
        assertEquals(1, other.size());
        restoration.complete();
        assertEquals(store.digest(), other.digest());
        assertThrows(IllegalStateException.class, restoration::complete);
    }

    @Test
    void aReplacementThatIsAbortedLeavesTheOldState() {
        fill(50);
        LocalStore other = Replicas.empty(3);
        other.set(bytes("old"), bytes("1"));
        long digest = other.digest();
        Restoration restoration = other.replicatedState().restore();
        Replicas.chunks(store, 100).forEach(restoration::load);
        restoration.abort();

        assertEquals(digest, other.digest());
        assertThrows(IllegalStateException.class, () -> restoration.load(Unpooled.EMPTY_BUFFER));
    }

    @Test
    void aScanGoesOnOverTheStateThatWasReplaced() {
        fill(50);
        long digest = store.digest();
        LocalStore other = Replicas.empty(3);
        Restoration copy = other.replicatedState().restore();
        try (SnapshotScan scan = store.replicatedState().snapshot()) {
            ByteBuf chunk = Unpooled.buffer();
            scan.next(chunk, 1);
            Restoration empty = store.replicatedState().restore();
            empty.complete();
            store.set(bytes("new"), bytes("1"));
            while (scan.next(chunk, 100)) {}
            copy.load(chunk);
        }
        copy.complete();

        assertEquals(digest, other.digest());
        assertEquals(1, store.size());
    }

    @Test
    void anyDamageToItIsNoticed() {
        fill(5);
        ByteBuf chunk = Replicas.chunks(store, 1_000_000).get(0);
        for (int bit = 0; bit < chunk.readableBytes() * 8; bit++) {
            ByteBuf damaged = chunk.copy();
            damaged.setByte(bit >> 3, damaged.getByte(bit >> 3) ^ 1 << (bit & 7));
            Restoration restoration = store.replicatedState().restore();
            assertThrows(IllegalArgumentException.class, () -> restoration.load(damaged));
            restoration.abort();
        }
        for (int length = 1; length < chunk.readableBytes(); length++) {
            ByteBuf cut = chunk.slice(0, length);
            Restoration restoration = store.replicatedState().restore();
            assertThrows(IllegalArgumentException.class, () -> restoration.load(cut));
            restoration.abort();
        }
        assertEquals(10, store.size());
    }

    private void fill(int count) {
        for (int i = 0; i < count; i++) {
            store.set(bytes("k" + i), bytes("v" + i), SetOptions.defaults().withDeadline(NOW + 1 + i));
            store.set(bytes("{one slot}" + i), bytes("v" + i));
        }
        clock.set(NOW + 3); // what has expired and was not deleted is part of a snapshot
    }

    private void write(SplittableRandom random) {
        byte[] key = bytes((random.nextBoolean() ? "{t}" : "k") + random.nextInt(60));
        byte[] value = new byte[random.nextInt(40)];
        random.nextBytes(value);
        switch (random.nextInt(4)) {
            case 0 -> store.delete(key);
            case 1 -> store.set(key, value, SetOptions.defaults().withDeadline(NOW + 1 + random.nextInt(100)));
            case 2 -> store.expireAt(key, NOW + random.nextInt(100));
            default -> store.set(key, value);
        }
    }
}
