package io.kvorum.core.typed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyFilter;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.KeyspaceSubscription;
import io.kvorum.core.LocalStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.snapshot.Snapshots;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lines that people write before they have read the documentation, each in the form that there is. */
final class FirstLinesTest {
    private final ShardedStore bytes = ShardedStore.local(4);
    private final TypedStore<String, Long> n = TypedStore.of(bytes, Codec.text(), Codec.decimal());

    /** A value with a codec of its own. */
    record User(int age) {}

    @Test
    void makingAStore() {
        try (KeyValueStore store = ShardedStore.local(1)) {
            assertEquals(0, store.size());
        }
        KeyValueStore four = ShardedStore.builder().shards(4).build();
        KeyValueStore withSettings = ShardedStore.builder()
                .shards(4)
                .settings(StoreSettings.defaults().withStripes(16))
                .build();
        StoreSettings limited =
                StoreSettings.defaults().withLimit(MemoryLimit.bytes(1 << 20, MemoryLimit.WhenFull.EVICT));
        LocalStore local = new LocalStore();
        LocalStore localWithSettings = new LocalStore(limited);
        TypedStore<String, User> users = TypedStore.of(
                four,
                Codec.text(),
                Codec.of(
                        user -> ByteBuffer.allocate(4).putInt(user.age()).array(),
                        encoded -> new User(ByteBuffer.wrap(encoded).getInt())));
        users.set("ada", new User(36));

        assertEquals(new User(36), users.get("ada"));
        assertEquals(0, withSettings.size() + local.size() + localWithSettings.size());
        try (TypedStore<String, Long> near = TypedStore.nearCached(bytes, Codec.text(), Codec.decimal(), 1_000)) {
            near.set("a", 1L);
            assertEquals(1L, near.get("a"));
        }
    }

    @Test
    void oneKey() {
        n.set("a", 1L, Duration.ofMinutes(1));
        n.set("a", 1L, SetOptions.defaults().withDuration(Duration.ofMinutes(1)));
        boolean set = n.setIfAbsent("a", 1L);
        Long loaded = n.computeIfAbsent("a", k -> 1L);
        Long or = n.getOrDefault("a", 1L);
        Optional<Long> found = n.find("a");
        boolean contains = n.contains("a");
        long sum = n.increment("a") + n.increment("a", 1);
        Long before = n.getAndSet("a", 2L);
        boolean swapped = n.compareAndSet("a", 2L, 3L);
        Optional<Duration> ttl = n.timeToLive("a");
        boolean expires = n.expire("a", Duration.ofSeconds(3));
        boolean persisted = n.persist("a");
        Long computed = n.compute("a", x -> x == null ? 1 : x + 1);

        assertEquals(List.of(false, true, true, true, true), List.of(set, contains, swapped, expires, persisted));
        assertEquals(List.of(1L, 1L, 5L, 3L, 4L), List.of(loaded, or, sum, before, computed));
        assertEquals(Optional.of(1L), found);
        assertEquals(Optional.empty(), ttl);
        assertEquals(4L, n.getAndDelete("a"));
        assertTrue(!n.delete("a") && !n.remove("a"));
        bytes.set("k".getBytes(UTF_8), "v".getBytes(UTF_8), Duration.ofSeconds(1));
        assertTrue(bytes.rename("{t}a".getBytes(UTF_8), "{t}b".getBytes(UTF_8)) == false);
    }

    @Test
    void severalKeys() {
        n.setAll(Map.of("{x}a", 1L, "{x}b", 2L));
        Map<String, Long> many = n.getAll(List.of("{x}a", "{x}b"));
        n.setEach(Map.of("a", 1L, "b", 2L)); // in any slots, not atomically
        Map<String, Long> each = n.getEach(List.of("a", "b", "c"));
        Map<String, Long> map = n.asMap();
        long sum = 0;
        for (String key : n.keys()) {
            sum += n.getOrDefault(key, 0L);
        }
        StringBuilder shown = new StringBuilder();
        n.keys(KeyFilter.glob("{x}*")).forEach(shown::append);
        n.forEach((key, value) -> shown.append(key).append(value));

        assertEquals(Map.of("{x}a", 1L, "{x}b", 2L), many);
        assertEquals(Map.of("a", 1L, "b", 2L), each);
        assertEquals(4, map.size());
        assertEquals(6, sum);
        assertTrue(shown.length() > 10);
        assertEquals(4, n.size());
        assertEquals(4, bytes.size());
        assertTrue(
                bytes.scan(ScanCursor.START, ScanOptions.defaults()).keys().size() <= 4); // a page ends with its shard
        assertEquals(1, n.deleteEach(List.of("a", "none")));
        assertEquals(3, n.clear());
    }

    @Test
    void transactions() {
        Long result = n.transact("a", keys -> {
            keys.set("a", 3L);
            return keys.increment("a");
        });
        n.update("a", keys -> keys.set("a", keys.getOrDefault("a", 0L) + 1));

        assertEquals(4L, result);
        assertEquals(5L, n.get("a"));
    }

    @Test
    void listeningAndAsynchronously() {
        CompletionStage<Long> later = n.async(Runnable::run).changing(keys -> keys.increment("a"));
        assertEquals(1L, later.toCompletableFuture().join());
        try (KeyspaceSubscription subscription =
                bytes.subscribe(KeyFilter.glob("a*"), event -> {}, Runnable::run, 1_000)) {
            n.set("a", 2L);
            assertEquals(1, subscription.delivered());
        }
        assertNotNull(new LocalStore().stats());
        assertTrue(n.toString().startsWith("TypedStore["));
    }

    @Test
    void snapshots(@TempDir Path directory) throws IOException {
        n.set("a", 1L);
        Path file = directory.resolve("x.snap");
        Snapshots.write(bytes, file);
        n.clear();
        Snapshots.load(bytes, file);

        assertEquals(1L, n.get("a"));
    }
}
