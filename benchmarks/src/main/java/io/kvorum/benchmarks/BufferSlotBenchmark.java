package io.kvorum.benchmarks;

import io.kvorum.slots.HashSlot;
import io.lettuce.core.cluster.SlotHash;
import java.nio.ByteBuffer;
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
 * The cost of finding the slot of a key in a {@link ByteBuffer}, by its length and kind, beside Lettuce (Jedis takes
 * none).
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar quick BufferSlotBenchmark}. A result worth quoting
 * allocates nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class BufferSlotBenchmark {
    @Param({"16", "64"})
    int length;

    @Param({"false", "true"})
    boolean direct;

    private ByteBuffer[] keys = {};
    private int next;

    @Setup
    public void draw() {
        keys = SlotKeys.buffers(length, direct);
    }

    @Benchmark
    public int kvorum() {
        return HashSlot.of(keys[next++ & (SlotKeys.COUNT - 1)]);
    }

    /** Lettuce moves the position of the buffer that it is given to its end and back. */
    @Benchmark
    public int lettuce() {
        return SlotHash.getSlot(keys[next++ & (SlotKeys.COUNT - 1)]);
    }
}
