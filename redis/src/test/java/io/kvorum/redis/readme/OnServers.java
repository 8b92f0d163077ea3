package io.kvorum.redis.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.redis.RedisStore;
import io.lettuce.core.RedisURI;
import java.util.stream.Stream;

public final class OnServers {
    static long visit(KeyValueStore store, String page) { // knows nothing of where the keys are
        return store.increment(page.getBytes(UTF_8));
    }

    public static void main(String[] uris) {
        try (KeyValueStore store = uris.length == 0
                ? ShardedStore.local(4) // in this JVM
                : RedisStore.connect(Stream.of(uris).map(RedisURI::create).toArray(RedisURI[]::new))) {
            System.out.println(visit(store, "home") + " visits, counted by " + store);
        }
    }
}
