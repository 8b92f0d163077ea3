package io.kvorum.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.snapshot.Snapshots;
import io.kvorum.core.typed.AsyncTypedStore;
import io.kvorum.core.typed.Codec;
import io.kvorum.core.typed.TypedStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What people write who know other stores. Each intent is here in the form that the store has for it; where that is
 * another one than the first that comes to mind, a comment says which it stands for and why.
 */
final class InstinctTest {
    private record User(String name, int age) {
        static User parse(byte[] bytes) {
            String[] parts = new String(bytes, UTF_8).split(",", -1);
            return new User(parts[0], Integer.parseInt(parts[1]));
        }

        byte[] format() {
            return (name + "," + age).getBytes(UTF_8);
        }
    }

    private final Executor executor = Runnable::run;

    @Test
    void makingAStore() {
        KeyValueStore bytes = ShardedStore.local(4);
        ShardedStore same = ShardedStore.local(4);
        KeyValueStore built = ShardedStore.builder().shards(4).build();
        // ShardedStore.local(4, settings): the builder takes whatever is not the default
        KeyValueStore withSettings = ShardedStore.builder()
                .shards(4)
                .settings(StoreSettings.defaults())
                .build();
        // withMaxMemory, withMemoryLimit: a limit says in the same place what happens when it is met
        StoreSettings limited =
                StoreSettings.defaults().withLimit(MemoryLimit.bytes(1 << 20, MemoryLimit.WhenFull.EVICT));
        // LocalStore.create()
        LocalStore local = new LocalStore();
        LocalStore localToo = new LocalStore(limited);
        KeyValueStore asStore = localToo; // localToo.store(): it is one

        for (KeyValueStore store : List.of(bytes, same, built, withSettings, local, asStore)) {
            store.set("k".getBytes(UTF_8), "v".getBytes(UTF_8), Duration.ofSeconds(1));
            assertEquals(1, store.size());
            store.close();
        }
        try (KeyValueStore store = ShardedStore.local(1)) {
            assertEquals(0, store.size());
        }
    }

    @Test
    void makingATypedStore() {
        KeyValueStore bytes = ShardedStore.local(4);
        // Store.of: the class says how it differs from the store below it
        TypedStore<String, Long> numbers = TypedStore.of(bytes, Codec.text(), Codec.decimal());
        TypedStore<String, String> texts = TypedStore.of(bytes, Codec.text(), Codec.text());
        // Codec.json(User.class): the library needs no JSON library; two functions of yours make a codec
        TypedStore<String, User> users = TypedStore.of(bytes, Codec.text(), Codec.of(User::format, User::parse));

        users.set("u", new User("Ada", 36));
        assertEquals(new User("Ada", 36), users.get("u"));
        texts.set("t", "x");
        numbers.set("n", 7L);
        // n.prefixed("tenant1:"): the codec of the keys makes all of a key, its prefix too
        Codec<String> ofTenant = Codec.of(
                key -> ("tenant1:" + key).getBytes(UTF_8),
                key -> new String(key, UTF_8).substring("tenant1:".length()));
        TypedStore<String, String> tenant = TypedStore.of(bytes, ofTenant, Codec.text());
        tenant.set("t", "theirs");
        assertEquals("x", texts.get("t"));
        assertEquals("theirs", texts.get("tenant1:t"));
        // NearCache.of(n, 1000), n.withNearCache(1000)
        try (TypedStore<String, Long> near = TypedStore.nearCached(bytes, Codec.text(), Codec.decimal(), 1_000)) {
            assertEquals(7L, near.get("n"));
        }
    }

    @Test
    void usingKeys() {
        TypedStore<String, Long> n = TypedStore.of(ShardedStore.local(4), Codec.text(), Codec.decimal());

        n.set("a", 1L, Duration.ofMinutes(1));
        // SetOptions.ttl(...)
        assertTrue(n.set("a", 1L, SetOptions.defaults().withDuration(Duration.ofMinutes(1))));
        boolean set = n.setIfAbsent("b", 1L);
        Long v = n.computeIfAbsent("a", k -> 1L);
        Long w = n.getOrDefault("a", 1L);
        Optional<Long> o = n.find("a");
        boolean c = n.contains("a");
        Long inc = n.increment("a");
        Long inc2 = n.increment("a", 1);
        Long gas = n.getAndSet("a", 2L);
        boolean cas = n.compareAndSet("a", 2L, 3L);
        assertTrue(set && c && cas);
        assertEquals(List.of(1L, 1L, 1L, 2L, 3L, 3L), List.of(v, w, o.orElseThrow(), inc, inc2, gas));
        boolean ex = n.expire("a", Duration.ofSeconds(3));
        // Duration ttl = n.ttl("a"): a key may have none
        Optional<Duration> ttl = n.timeToLive("a");
        boolean pe = n.persist("a");
        assertTrue(ex && pe && ttl.isPresent());
        assertTrue(n.delete("b"));
        assertFalse(n.remove("b"));
        assertEquals(3L, n.getAndDelete("a"));
    }

    @Test
    void usingSeveralKeys() {
        TypedStore<String, Long> n = TypedStore.of(ShardedStore.local(4), Codec.text(), Codec.decimal());

        n.setAll(Map.of("{x}a", 1L, "{x}b", 2L));
        Map<String, Long> many = n.getAll(List.of("{x}a", "{x}b"));
        assertEquals(Map.of("{x}a", 1L, "{x}b", 2L), many);
        // n.getAll(List.of("a", "b")): keys of several slots are not read at one moment, and the name says so
        n.setEach(Map.of("a", 3L, "b", 4L));
        assertEquals(Map.of("a", 3L, "b", 4L), n.getEach(List.of("a", "b")));
        // boolean n.deleteAll(...)
        assertEquals(2, n.deleteEach(List.of("{x}a", "{x}b")));

        List<String> seen = new ArrayList<>();
        ConcurrentMap<String, Long> map = n.asMap();
        for (String k : n.keys()) {
            seen.add(k);
        }
        // n.scan(KeyFilter.all())
        n.keys(KeyFilter.glob("a*")).forEach(seen::add);
        n.forEach((k, x) -> seen.add(k));
        assertEquals(5, seen.size());
        assertEquals(2, map.size());
        assertEquals(2, n.size());

        n.transact("a", keys -> {
            keys.set("a", 3L);
            return null;
        });
        // n.transact(n.slotOf("a"), keys -> { ... }) without a result
        n.update("a", keys -> keys.set("a", 4L));
        // n.update("a", x -> x + 1), n.compute("a", (k, x) -> x + 1): the key is known to whoever names it
        assertEquals(5L, n.compute("a", x -> x == null ? 1 : x + 1));
        // bytes.flush(): everything is deleted by clear, and nothing waits to be written
        assertEquals(2, n.clear());
    }

    @Test
    void usingItAsynchronously() {
        TypedStore<String, Long> n = TypedStore.of(ShardedStore.local(4), Codec.text(), Codec.decimal());
        n.set("a", 1L);

        // n.async(): there is no thread pool behind the caller's back. AsyncStore.of(n, executor)
        AsyncTypedStore<String, Long> async = n.async(executor);
        CompletionStage<Long> as = async.get("a");
        CompletableFuture<Long> as2 = async.get("a").toCompletableFuture();
        assertEquals(as.toCompletableFuture().join(), as2.join());
    }

    @Test
    void usingTheStoreAsAWhole(@TempDir Path directory) throws IOException {
        ShardedStore bytes = ShardedStore.local(4);
        List<KeyspaceEvent> events = new ArrayList<>();

        // subscribe(filter, listener): whose thread runs the listener, and how much may wait, is the caller's to say
        KeyspaceSubscription subscription = bytes.subscribe(KeyFilter.glob("a*"), events::add, executor, 1_000);
        bytes.set("a".getBytes(UTF_8), "1".getBytes(UTF_8));
        subscription.close();
        assertEquals(1, events.size());
        // bytes.stats(): of the stores in this JVM; `new StoreMetrics(...)` is in kvorum-metrics
        assertEquals(0, bytes.stats().sets(), "it counts from the first question on");
        assertFalse(bytes.rename("no such key".getBytes(UTF_8), "no such key".getBytes(UTF_8)));
        // bytes.snapshot(path): a store does not know about files
        Path file = directory.resolve("x.snap");
        Snapshots.write(bytes, file);
        assertTrue(Files.size(file) > 0);
        // bytes.scan(ScanOptions.defaults()): page by page, since others write meanwhile
        int scanned = 0;
        for (ScanCursor cursor = ScanCursor.START; !cursor.isEnd(); ) {
            ScanPage page = bytes.scan(cursor, ScanOptions.defaults());
            scanned += page.keys().size();
            cursor = page.next();
        }
        assertEquals(1, scanned);
        assertEquals(1, bytes.size()); // bytes.stream().count()
        bytes.clear();
        assertEquals(0, bytes.size());
    }
}
