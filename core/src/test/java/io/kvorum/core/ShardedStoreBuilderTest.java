package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.snapshot.Snapshots;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ShardedStoreBuilderTest {
    @Test
    void aLimitIsThatOfTheWholeStore() {
        ShardedStore store = ShardedStore.builder()
                .shards(4)
                .limit(MemoryLimit.entries(400, MemoryLimit.WhenFull.REFUSE))
                .build();
        int taken = 0;
        for (int i = 0; i < 1_000; i++) {
            try {
                store.set(bytes("k" + i), bytes("v"));
                taken++;
            } catch (RefusedException e) {
                assertEquals(RefusedException.Kind.OUT_OF_MEMORY, e.kind());
            }
        }
        assertEquals(400, taken);
        assertEquals(400, store.size());
        assertThrows(
                IllegalArgumentException.class,
                () -> ShardedStore.builder()
                        .shards(4)
                        .limit(MemoryLimit.entries(3, MemoryLimit.WhenFull.REFUSE))
                        .build());
        assertThrows(
                IllegalArgumentException.class,
                () -> ShardedStore.builder().shards(0).build());
    }

    @Test
    void aSchedulerDeletesWhatHasExpiredUntilTheStoreIsClosed() {
        List<Runnable> tasks = new ArrayList<>();
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1) {
            @Override
            public java.util.concurrent.ScheduledFuture<?> scheduleWithFixedDelay(
                    Runnable task, long initial, long delay, TimeUnit unit) {
                tasks.add(task);
                return super.scheduleWithFixedDelay(task, 1, 1, TimeUnit.DAYS);
            }
        };
        FixedClock clock = new FixedClock(1_000);
        ShardedStore store = ShardedStore.builder()
                .shards(2)
                .clock(clock)
                .scheduler(scheduler)
                .build();
        for (int i = 0; i < 100; i++) {
            store.set(bytes("k" + i), bytes("v"), Duration.ofMillis(100));
        }
        clock.set(2_000);
        tasks.get(0).run();
        assertEquals(0, store.size());

        store.close();
        store.close();
        assertEquals(
                0,
                scheduler.getQueue().stream()
                        .filter(task -> !((java.util.concurrent.Future<?>) task).isCancelled())
                        .count());
        scheduler.shutdownNow();
        store.set(bytes("k"), bytes("v"));
        assertEquals("ShardedStore[2 local shards, 1 keys]", store.toString());
    }

    @Test
    void aSnapshotOfAllShardsIsOneFile(@TempDir Path directory) throws IOException {
        ShardedStore store = ShardedStore.builder().shards(4).build();
        for (int i = 0; i < 1_000; i++) {
            store.set(bytes("k" + i), bytes("v" + i));
        }
        Path file = directory.resolve("x.snap");
        List<Integer> done = new ArrayList<>();
        assertEquals(
                1_000,
                Snapshots.write(store, file, (slotsDone, slots, bytes) -> done.add(slotsDone))
                        .entries());
        try (java.util.stream.Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(file), files.toList());
        }
        assertEquals(16_384, done.get(done.size() - 1));
        ShardedStore other = ShardedStore.builder().shards(3).build();
        other.set(bytes("old"), bytes("v"));
        Snapshots.load(other, file);
        assertEquals(1_000, other.size());
        assertEquals("v7", text(other.get(bytes("k7"))));
    }

    @Test
    void aSubscriptionMayBeToSomeKeys() {
        ShardedStore store = ShardedStore.builder().shards(2).build();
        List<String> heard = new ArrayList<>();
        try (KeyspaceSubscription subscription = store.subscribe(
                KeyFilter.glob("a*"), event -> heard.add(String.valueOf(text(event.key()))), Runnable::run, 100)) {
            store.set(bytes("a1"), bytes("v"));
            store.set(bytes("b1"), bytes("v"));
            store.set(bytes("a2"), bytes("v"));

            assertEquals(2, subscription.sequence());
        }
        assertEquals(List.of("a1", "a2"), heard);
        assertTrue(store.toString().startsWith("ShardedStore["));
    }

    @Test
    void thereMayBeAShardForEachSlot() {
        ShardedStore store = ShardedStore.local(HashSlot.COUNT);
        for (int i = 0; i < 1_000; i++) {
            store.set(bytes("k" + i), bytes("v" + i));
        }
        for (int i = 0; i < 1_000; i++) {
            assertArrayEquals(bytes("v" + i), store.get(bytes("k" + i)));
        }
        assertEquals(1_000, store.size());
        assertEquals(0, store.expire(10));
        assertThrows(IllegalArgumentException.class, () -> ShardedStore.local(HashSlot.COUNT + 1));
    }
}
