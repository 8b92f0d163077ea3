package io.kvorum.core.snapshot;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.Replicas;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Snapshots of a store that threads write to. */
@Timeout(60)
@Tag("races")
final class SnapshotThreadsTest {
    private static final int TAGS = 200;
    private static final int KEYS_OF_THE_LARGE_SLOT = 3_000;

    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final AtomicBoolean done = new AtomicBoolean();

    @AfterEach
    void close() {
        done.set(true);
        executor.shutdownNow();
    }

    @Test
    void holdWhatWasThereThroughoutAndSmallSlotsAsTheyWere() throws Exception {
        LocalStore store = new LocalStore(StoreSettings.defaults().withStripes(4), 7, new FixedClock(1_000));
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < TAGS; i++) {
            writePair(store, i, 0);
            store.set(bytes("{" + i + "}stays"), bytes("" + i));
        }
        for (int i = 0; i < KEYS_OF_THE_LARGE_SLOT; i++) {
            store.set(bytes("{large}" + i), bytes("" + i));
        }
        Future<?> writer = executor.submit(() -> {
            for (int generation = 1; !done.get(); generation++) {
                writePair(store, random.nextInt(TAGS), generation);
                store.set(bytes("{large}more" + random.nextInt(1_000)), new byte[random.nextInt(100)]);
                store.delete(bytes("{large}more" + random.nextInt(1_000)));
            }
        });
        SlotSet some = SlotSet.ofRange(0, HashSlot.COUNT / 2).union(SlotSet.of(HashSlot.of(bytes("{large}"))));
        for (int round = 0; round < 20; round++) {
            SlotSet slots = round % 2 == 0 ? SlotSet.ALL : some;
            LocalStore loaded = Replicas.empty(round);
            byte[] snapshot = SnapshotsTest.snapshot(store, slots, 500);
            Snapshots.load(loaded, SnapshotsTest.source(snapshot), SnapshotLimits.defaults());
            check(loaded, slots);
        }
        done.set(true);
        writer.get();
    }

    private static void writePair(LocalStore store, int tag, int generation) {
        store.transact(HashSlot.of(bytes("{" + tag + "}")), keys -> {
            keys.set(bytes("{" + tag + "}a"), bytes("" + generation));
            keys.set(bytes("{" + tag + "}b"), bytes("" + generation));
            return null;
        });
    }

    private static void check(LocalStore loaded, SlotSet slots) {
        for (int i = 0; i < TAGS; i++) {
            if (slots.contains(HashSlot.of(bytes("{" + i + "}")))) {
                byte[] value = loaded.get(bytes("{" + i + "}a"));
                assertNotNull(value);
                assertArrayEquals(value, loaded.get(bytes("{" + i + "}b")));
                assertArrayEquals(bytes("" + i), loaded.get(bytes("{" + i + "}stays")));
            } else {
                assertEquals(0, loaded.countInSlot(HashSlot.of(bytes("{" + i + "}"))));
            }
        }
        for (int i = 0; i < KEYS_OF_THE_LARGE_SLOT; i++) {
            assertArrayEquals(bytes("" + i), loaded.get(bytes("{large}" + i)));
        }
    }
}
