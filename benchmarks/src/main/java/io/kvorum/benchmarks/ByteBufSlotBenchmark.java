package io.kvorum.benchmarks;

import io.kvorum.core.ByteBufSlot;
import io.lettuce.core.cluster.SlotHash;
import io.netty.buffer.ByteBuf;
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
 * The cost of finding the slot of a key in netty's {@link ByteBuf}, by its length and kind, beside Lettuce. Lettuce
 * takes only a {@link ByteBuffer}: once it is given one that is at hand, once it makes one of the {@link ByteBuf}.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar quick ByteBufSlotBenchmark}. A result worth quoting
 * allocates nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class ByteBufSlotBenchmark {
    @Param({"16", "64"})
    int length;

    @Param({"false", "true"})
    boolean direct;

    private ByteBuf[] keys = {};
    private ByteBuffer[] buffers = {};
    private int next;

    @Setup
    public void draw() {
        keys = SlotKeys.byteBufs(length, direct);
        buffers = SlotKeys.buffers(length, direct);
    }

    @Benchmark
    public int kvorum() {
        return ByteBufSlot.of(keys[next++ & (SlotKeys.COUNT - 1)]);
    }

    @Benchmark
    public int lettuceOfAByteBuffer() {
        return SlotHash.getSlot(buffers[next++ & (SlotKeys.COUNT - 1)]);
    }

    @Benchmark
    public int lettuceOfNioBuffer() {
        return SlotHash.getSlot(keys[next++ & (SlotKeys.COUNT - 1)].nioBuffer());
    }
}
