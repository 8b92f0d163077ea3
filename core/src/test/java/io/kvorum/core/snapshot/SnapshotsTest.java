package io.kvorum.core.snapshot;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.ChangeTooLongException;
import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.Replicas;
import io.kvorum.core.Replicas.Change;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.Watcher;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SnapshotsTest {
    private static final long NOW = 1_000;

    private final FixedClock clock = new FixedClock(NOW);
    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);
    private final List<Change> log = new ArrayList<>();
    private final LocalStore logged = new LocalStore(
            StoreSettings.defaults().withStripes(2), 8, clock, (slot, change) -> log.add(Change.copyOf(slot, change)));

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 40);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void whatIsLoadedIsWhatWasWrittenWhateverTheStripesAndTheSizeOfAChunk(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        fill(store, random, random.nextInt(500));
        fill(logged, random, random.nextInt(500));
        byte[] snapshot = snapshot(store, SlotSet.ALL, 1 + random.nextInt(2_000));

        SnapshotSummary verified = Snapshots.verify(source(snapshot), SnapshotLimits.defaults());
        SnapshotSummary loaded = Snapshots.load(logged, source(snapshot), SnapshotLimits.defaults());

        assertEquals(store.digest(), logged.digest());
        assertEquals(store.size(), logged.size());
        assertEquals(verified, loaded);
        assertEquals(store.size(), loaded.entries());
        assertEquals(snapshot.length, loaded.bytes());
        LocalStore replica = Replicas.empty(seed);
        Replicas.apply(replica, log);
        assertEquals(store.digest(), replica.digest(), "the log must tell of it all");
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void slotsThatItDoesNotCoverStay(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        fill(store, random, 300);
        fill(logged, random, 300);
        int first = random.nextInt(HashSlot.COUNT);
        SlotSet slots = SlotSet.ofRange(first, first + random.nextInt(HashSlot.COUNT - first))
                .union(SlotSet.of(slot("{t}")));
        LocalStore expected = Replicas.empty(1);
        copy(logged, slots.complement(), expected);
        copy(store, slots, expected);
        byte[] snapshot = snapshot(store, slots, 1 + random.nextInt(2_000));

        SnapshotSummary summary = Snapshots.load(logged, source(snapshot), SnapshotLimits.defaults());

        assertEquals(expected.digest(), logged.digest());
        assertEquals(slots, summary.slots());
    }

    @Test
    void ofNothingEmptiesTheSlotsThatItCovers() throws IOException {
        logged.set(bytes("{t}a"), bytes("1"));
        logged.set(bytes("{u}a"), bytes("1"));
        Snapshots.load(logged, source(snapshot(store, SlotSet.of(slot("{t}")), 100)), SnapshotLimits.defaults());

        assertNull(logged.get(bytes("{t}a")));
        assertEquals("1", text(logged.get(bytes("{u}a"))));
        Snapshots.load(logged, source(snapshot(store, SlotSet.EMPTY, 100)), SnapshotLimits.defaults());
        assertEquals(1, logged.size());
    }

    @Test
    void saysWhatItHolds() throws IOException {
        store.set(bytes("a"), bytes("1"));
        store.set(bytes("b"), bytes("2"));
        ByteArrayOutputStream target = new ByteArrayOutputStream();
        SnapshotSummary written = Snapshots.write(store, target);
        SnapshotSummary read = Snapshots.verify(source(target.toByteArray()), SnapshotLimits.defaults());

        assertEquals(new SnapshotSummary(1, Instant.ofEpochMilli(NOW), SlotSet.ALL, 2, 1, target.size()), written);
        assertEquals(written, read);
    }

    @Test
    void aSlotIsReplacedInOneChangeOfWhichTheWatchersAreTold() throws IOException {
        store.set(bytes("{t}both"), bytes("new"));
        store.set(bytes("{t}only there"), bytes("new"));
        logged.set(bytes("{t}both"), bytes("old"));
        logged.set(bytes("{t}only here"), bytes("old"));
        log.clear();
        List<String> told = new ArrayList<>();
        Engines.only(logged).watchers().add(new Watcher() {
            @Override
            public void changed(int slot, byte[] key, Cause cause) {
                told.add(text(key) + " " + cause);
            }

            @Override
            public void replaced() {
                told.add("replaced");
            }
        });
        Snapshots.load(logged, source(snapshot(store, SlotSet.ALL, 100)), SnapshotLimits.defaults());

        assertEquals(1, log.size());
        told.sort(null);
        assertEquals(List.of("{t}both SET", "{t}only here DELETED", "{t}only there SET"), told);
    }

    @Test
    void deadlinesAreKeptAndWhatHasExpiredDoesNotComeBack() throws IOException {
        store.set(bytes("{t}kept"), bytes("1"), SetOptions.defaults().withDeadline(NOW + 50));
        store.set(
                bytes("{t}expires on the way"),
                bytes("1"),
                SetOptions.defaults().withDeadline(NOW + 20));
        store.set(bytes("{t}expired"), bytes("1"), SetOptions.defaults().withDeadline(NOW + 10));
        logged.set(bytes("{t}expired"), bytes("old"));
        logged.set(bytes("{t}expires on the way"), bytes("old"));
        clock.set(NOW + 11);
        byte[] snapshot = snapshot(store, SlotSet.ALL, 1);
        assertEquals(
                2, Snapshots.verify(source(snapshot), SnapshotLimits.defaults()).entries());
        clock.set(NOW + 21);
        Snapshots.load(logged, source(snapshot), SnapshotLimits.defaults());

        assertEquals(1, logged.size());
        assertEquals(NOW + 50, logged.deadlineOf(bytes("{t}kept")).orElseThrow());
        clock.set(NOW + 51);
        assertNull(logged.get(bytes("{t}kept")));
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 40, 200, 1_000})
    void whatTheSinkFindsTooLongIsDoneInSteps(int longest) throws IOException {
        fillSlot(store, 40);
        store.set(bytes("{t}"), bytes("1"));
        List<Change> sent = new ArrayList<>();
        LocalStore target = new LocalStore(StoreSettings.defaults(), 8, clock, (slot, change) -> {
            if (change.readableBytes() > longest) {
                throw new ChangeTooLongException(change.readableBytes(), longest);
            }
            sent.add(Change.copyOf(slot, change));
        });
        for (int i = 0; i < 40; i++) {
            target.set(bytes("{t}old" + i), bytes("1"));
        }
        Snapshots.load(target, source(snapshot(store, SlotSet.ALL, 100)), SnapshotLimits.defaults());

        assertEquals(store.digest(), target.digest());
        LocalStore replica = Replicas.empty(1);
        Replicas.apply(replica, sent);
        assertEquals(store.digest(), replica.digest());
    }

    @Test
    void whatTheSinkFindsTooLongByItselfEndsTheLoading() throws IOException {
        store.set(bytes("{t}long"), new byte[100]);
        LocalStore target = new LocalStore(StoreSettings.defaults(), 8, clock, (slot, change) -> {
            if (change.readableBytes() > 50) {
                throw new IllegalArgumentException("too long");
            }
        });
        byte[] snapshot = snapshot(store, SlotSet.ALL, 100);

        assertThrows(
                IllegalArgumentException.class,
                () -> Snapshots.load(target, source(snapshot), SnapshotLimits.defaults()));
        assertEquals(0, target.size());
    }

    @Test
    void aRefusalEndsTheLoadingAfterTheSlotsBefore() throws IOException {
        fill(store, new SplittableRandom(1), 200);
        int middle = slot("{t}");
        LocalStore target = new LocalStore(StoreSettings.defaults(), 8, clock, (slot, change) -> {
            if (slot == middle) {
                throw new RefusedException(RefusedException.Kind.FENCED, "fenced", slot, null, null, null, -1);
            }
        });
        LocalStore expected = Replicas.empty(1);
        copy(store, SlotSet.ofRange(0, middle - 1), expected);
        byte[] snapshot = snapshot(store, SlotSet.ALL, 100);

        RefusedException refusal = assertThrows(
                RefusedException.class, () -> Snapshots.load(target, source(snapshot), SnapshotLimits.defaults()));
        assertEquals(middle, refusal.slot());
        assertEquals(expected.digest(), target.digest());
    }

    @Test
    void aMemoryLimitHoldsAsForAnyWrite() throws IOException {
        fillSlot(store, 10);
        byte[] snapshot = snapshot(store, SlotSet.ALL, 100);
        LocalStore refusing = limited(MemoryLimit.entries(9, MemoryLimit.WhenFull.REFUSE));
        refusing.set(bytes("{t}old"), bytes("1"));
        RefusedException refusal = assertThrows(
                RefusedException.class, () -> Snapshots.load(refusing, source(snapshot), SnapshotLimits.defaults()));
        assertEquals(RefusedException.Kind.OUT_OF_MEMORY, refusal.kind());
        assertEquals("1", text(refusing.get(bytes("{t}old"))));
        assertEquals(1, refusing.size());

        LocalStore evicting = limited(MemoryLimit.entries(20, MemoryLimit.WhenFull.EVICT));
        evicting.set(bytes("{t}old"), bytes("1"));
        Snapshots.load(evicting, source(snapshot), SnapshotLimits.defaults());
        assertEquals(store.digest(), evicting.digest());
    }

    private LocalStore limited(MemoryLimit limit) {
        return new LocalStore(StoreSettings.defaults().withLimit(limit), 8, clock);
    }

    @Test
    void aSmallSlotIsOfOneMoment() throws IOException {
        fillSlot(store, 20);
        // The stream is written to without a lock: there a writer changes every slot that is still to come.
        OutputStream writer = new OutputStream() {
            private int generation;

            @Override
            public void write(int b) {
                change();
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                change();
            }

            private void change() {
                generation++;
                for (String tag : List.of("{t}", "{u}", "{v}")) {
                    store.transact(slot(tag), keys -> {
                        for (int i = 0; i < 5; i++) {
                            keys.set(bytes(tag + i), bytes("" + generation));
                        }
                        return null;
                    });
                }
            }
        };
        ByteArrayOutputStream copy = new ByteArrayOutputStream();
        OutputStream both = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                writer.write(b);
                copy.write(b);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                writer.write(bytes, offset, length);
                copy.write(bytes, offset, length);
            }
        };
        Snapshots.write(store, SlotSet.ALL, both, 300);
        LocalStore loaded = Replicas.empty(1);
        Snapshots.load(loaded, source(copy.toByteArray()), SnapshotLimits.defaults());

        for (String tag : List.of("{t}", "{u}", "{v}")) {
            byte[] first = loaded.get(bytes(tag + 0));
            for (int i = 1; i < 5; i++) {
                assertArrayEquals(first, loaded.get(bytes(tag + i)), tag);
            }
        }
    }

    @Test
    void anEntryThatIsLongerThanAChunkHasOneOfItsOwn() throws IOException {
        store.set(bytes("{t}1"), new byte[3 << 20]);
        store.set(bytes("{t}2"), new byte[10]);
        byte[] snapshot = snapshot(store, SlotSet.ALL, SnapshotFormat.CHUNK_LENGTH);
        Snapshots.load(logged, source(snapshot), SnapshotLimits.defaults());

        assertEquals(store.digest(), logged.digest());
        assertTrue(snapshot.length < (3 << 20) + 200);
    }

    static byte[] snapshot(LocalStore store, SlotSet slots, int chunkLength) throws IOException {
        ByteArrayOutputStream target = new ByteArrayOutputStream();
        Snapshots.write(store, slots, target, chunkLength);
        return target.toByteArray();
    }

    static ByteArrayInputStream source(byte[] snapshot) {
        return new ByteArrayInputStream(snapshot);
    }

    private static int slot(String key) {
        return HashSlot.of(bytes(key));
    }

    private static void fillSlot(LocalStore target, int count) {
        for (int i = 0; i < count; i++) {
            target.set(bytes("{t}" + i), bytes("v" + i));
        }
    }

    private static void fill(LocalStore target, SplittableRandom random, int count) {
        for (int i = 0; i < count; i++) {
            byte[] key = bytes((random.nextBoolean() ? "{t}" : "k") + random.nextInt(300));
            byte[] value = new byte[random.nextInt(60)];
            random.nextBytes(value);
            target.set(
                    key,
                    value,
                    random.nextBoolean()
                            ? SetOptions.defaults()
                            : SetOptions.defaults().withDeadline(NOW + 1 + random.nextInt(100)));
        }
    }

    private static void copy(LocalStore from, SlotSet slots, LocalStore to) {
        slots.forEach(slot -> from.forEachInSlot(slot, entry -> to.setAll(List.of(entry))));
    }

    @Test
    void aSlotOfVeryManyKeysIsLoaded() throws IOException {
        LocalStore source = Replicas.empty(1);
        for (int i = 0; i < 140_000; i++) {
            source.set(bytes("{tenant-7}:" + i), bytes("v" + i));
        }
        LocalStore target = Replicas.empty(2);
        Snapshots.load(target, source(snapshot(source, SlotSet.ALL, 1 << 20)), SnapshotLimits.defaults());

        assertEquals(source.digest(), target.digest());
    }
}
