package io.kvorum.benchmarks;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.SplittableRandom;
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
 * <p>Beside it a {@code ConcurrentHashMap}, which knows no slots, routes nothing and hands out the stored array itself,
 * and a Caffeine cache with a bound that is never reached. A set copies the value in all of them.
 *
 * <p>For ratios of close contenders, see the {@code compare} command of {@link Benchmarks}; this one is for allocation
 * and for several threads. Run: {@code java -jar benchmarks/target/benchmarks.jar StoreBenchmark -prof gc -t 2}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgsAppend = {"-Xms4g", "-Xmx4g", "-XX:+AlwaysPreTouch"})
public class StoreBenchmark {
    private static final int VALUE = 100;

    @Param("1000000")
    int entries;

    private byte[] value;
    private KeyValueStore store;
    private StorePeers.Peer map;
    private StorePeers.Peer cache;

    /** Each thread uses the keys in the same order, but begins somewhere else. */
    @State(Scope.Thread)
    public static class Walk {
        private final ByteBuf buffer = Unpooled.buffer(VALUE);
        private StoreKeys keys;
        private int turn = (int) Thread.currentThread().getId() * 100_003;

        @Setup
        public void draw(StoreBenchmark all) {
            keys = new StoreKeys(all.entries, true);
        }

        byte[] next() {
            return keys.at(turn++);
        }
    }

    @Setup
    public void fill() {
        store = ShardedStore.local(3);
        map = StorePeers.map();
        cache = StorePeers.caffeineWithMaximum(entries * 2L);
        value = new byte[VALUE];
        new SplittableRandom(1).nextBytes(value);
        new StoreKeys(entries, true).forEach(key -> {
            store.set(key, value);
            map.set(key, value);
            cache.set(key, value);
        });
        System.gc(); // what is stored is old by the time it is used
    }

    @Benchmark
    public byte[] get(Walk walk) {
        return store.get(walk.next());
    }

    @Benchmark
    public byte getIntoBuffer(Walk walk) {
        walk.buffer.clear();
        store.get(walk.next(), walk.buffer);
        return walk.buffer.getByte(VALUE - 1);
    }

    @Benchmark
    public Integer getLent(Walk walk) {
        return store.lend(walk.next(), lent -> lent.byteAt(0) + lent.byteAt(lent.length() - 1));
    }

    @Benchmark
    public int getFromMap(Walk walk) {
        return ends(map.get(walk.next()));
    }

    @Benchmark
    public int getFromCaffeine(Walk walk) {
        return ends(cache.get(walk.next()));
    }

    private static int ends(byte[] value) {
        return value[0] + value[value.length - 1];
    }

    @Benchmark
    public void set(Walk walk) {
        store.set(walk.next(), value);
    }

    @Benchmark
    public void setInMap(Walk walk) {
        map.set(walk.next(), value);
    }

    @Benchmark
    public void setInCaffeine(Walk walk) {
        cache.set(walk.next(), value);
    }
}
