package io.kvorum.benchmarks;

import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of a record in the replication log: appended by a writer, and copied out in a batch for a replica.
 *
 * <p>Beside it a locked queue of copies, which is what one would write without a log; it lets go of what was read, so a
 * second reader or a replica that comes back would find nothing.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar LogAppendBenchmark -prof gc}. A result worth quoting
 * allocates nothing ({@code gc.alloc.rate.norm} is 0).
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class LogAppendBenchmark {
    private static final int RECORDS = 256;
    private static final int PAYLOAD = 116;
    private static final int BATCH = 64 << 10;
    private static final int CAPACITY = 16 << 20;
    private static final int SLOT = 42;

    private final ByteBufAllocator allocator = UnpooledByteBufAllocator.DEFAULT;
    private final Queue<byte[]> queue = new ArrayDeque<>(RECORDS);
    private ReplicationLog log;
    private ByteBuf payload;
    private ByteBuf batch;
    private long read;

    @Setup
    public void open() {
        log = new ReplicationLog(allocator, CAPACITY);
        NodeId node = new NodeId("node");
        ShardNode primary = new ShardNode(
                ReplicationSettings.defaults(),
                new NodeIdentity(new ShardId("shard"), node),
                log,
                new Nothing(),
                allocator,
                ShardNode.Start.fresh());
        primary.fence(1);
        primary.promote(1, LogPosition.START, List.of(node));
        byte[] bytes = new byte[PAYLOAD];
        new SplittableRandom(1).nextBytes(bytes);
        payload = allocator.buffer(PAYLOAD).writeBytes(bytes);
        batch = allocator.buffer(BATCH);
        read = log.end().offset();
    }

    @TearDown
    public void close() {
        payload.release();
        batch.release();
        log.close();
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int appendAndDrain() {
        for (int i = 0; i < RECORDS; i++) {
            log.append(SLOT, payload);
        }
        batch.clear();
        int drained = log.read(read, batch, BATCH);
        read += drained;
        return drained;
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int lockedQueueOfCopies() {
        for (int i = 0; i < RECORDS; i++) {
            byte[] copy = new byte[PAYLOAD];
            payload.getBytes(0, copy);
            synchronized (queue) {
                queue.add(copy);
            }
        }
        batch.clear();
        synchronized (queue) {
            for (byte[] copy = queue.poll(); copy != null; copy = queue.poll()) {
                batch.writeBytes(copy);
            }
        }
        return batch.readableBytes();
    }

    /** The log alone is measured: no record is applied and no replica asks for a snapshot. */
    private static final class Nothing implements ReplicatedState {
        @Override
        public void apply(int slot, ByteBuf record) {}

        @Override
        public SnapshotScan snapshot() {
            throw new IllegalStateException("nobody asks for a snapshot");
        }

        @Override
        public Restoration restore() {
            throw new IllegalStateException("nobody restores");
        }
    }
}
