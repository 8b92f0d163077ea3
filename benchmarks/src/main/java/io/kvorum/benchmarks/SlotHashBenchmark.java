package io.kvorum.benchmarks;

import io.kvorum.slots.HashSlot;
import io.lettuce.core.cluster.SlotHash;
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
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * The cost of finding the slot of a key in a byte array, by its length, beside the two clients.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar quick SlotHashBenchmark}. A result worth quoting allocates
 * nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class SlotHashBenchmark {
    @Param({"4", "8", "16", "32", "64", "256"})
    int length;

    private byte[][] keys = {};
    private int next;

    @Setup
    public void draw() {
        keys = SlotKeys.bytes(length);
    }

    @Benchmark
    public int kvorum() {
        return HashSlot.of(keys[next++ & (SlotKeys.COUNT - 1)]);
    }

    @Benchmark
    public int jedis() {
        return JedisClusterCRC16.getSlot(keys[next++ & (SlotKeys.COUNT - 1)]);
    }

    @Benchmark
    public int lettuce() {
        return SlotHash.getSlot(keys[next++ & (SlotKeys.COUNT - 1)]);
    }
}
