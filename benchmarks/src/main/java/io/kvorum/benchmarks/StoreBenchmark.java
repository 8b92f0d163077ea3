package io.kvorum.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of a get and of a set through the sharded store of an application without a cluster: slot, route, table.
 *
 * <p>Beside it a {@code ConcurrentHashMap}, which knows no slots, routes nothing and hands out the stored array itself;
 * its copying forms copy as a store must, so that nobody changes a value behind its back. And a Caffeine cache with a
 * bound that is never reached, used in the same way.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar StoreBenchmark -prof gc}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class StoreBenchmark {
    private static final int VALUE = 100;

    @Param("100000")
    int entries;

    private byte[][] keys;
    private byte[] value;
    private KeyValueStore store;
    private ConcurrentMap<ByteBuffer, byte[]> map;
    private Cache<ByteBuffer, byte[]> cache;

    /** Each thread walks the keys in its own order. */
    @State(Scope.Thread)
    public static class Walk {
        private final SplittableRandom random = new SplittableRandom(2);

        byte[] next(byte[][] keys) {
            return keys[random.nextInt(keys.length)];
        }
    }

    @Setup
    public void fill() {
        store = ShardedStore.local(3);
        map = new ConcurrentHashMap<>(entries * 2);
        cache = Caffeine.newBuilder().maximumSize(entries * 2L).build();
        keys = new byte[entries][];
        value = new byte[VALUE];
        new SplittableRandom(1).nextBytes(value);
        for (int i = 0; i < entries; i++) {
            keys[i] = ("key-" + (100_000_000_000L + i)).getBytes(UTF_8);
            store.set(keys[i], value);
            map.put(ByteBuffer.wrap(keys[i]), value.clone());
            cache.put(ByteBuffer.wrap(keys[i]), value.clone());
        }
    }

    @Benchmark
    public byte[] get(Walk walk) {
        return store.get(walk.next(keys));
    }

    @Benchmark
    public byte[] getFromMap(Walk walk) {
        return map.get(ByteBuffer.wrap(walk.next(keys))).clone();
    }

    @Benchmark
    public byte[] getFromCaffeine(Walk walk) {
        return cache.getIfPresent(ByteBuffer.wrap(walk.next(keys))).clone();
    }

    @Benchmark
    public void set(Walk walk) {
        store.set(walk.next(keys), value);
    }

    @Benchmark
    public byte[] setInMap(Walk walk) {
        return map.put(ByteBuffer.wrap(walk.next(keys)), value.clone());
    }

    @Benchmark
    public void setInCaffeine(Walk walk) {
        cache.put(ByteBuffer.wrap(walk.next(keys)), value.clone());
    }
}
