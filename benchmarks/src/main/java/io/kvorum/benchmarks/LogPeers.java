package io.kvorum.benchmarks;

import io.kvorum.replication.BenchmarkLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.jctools.queues.MpscArrayQueue;

/**
 * A replication log and what could stand in its place: several writers hand records to one reader, which copies them
 * out in batches. The peers forget what was read; the log retains it for a second reader or one that comes back.
 */
final class LogPeers {
    static final int PAYLOAD = 116;
    static final int BATCH = 64 << 10;
    private static final int CAPACITY = 16 << 20;
    private static final int SLOT = 42;

    private LogPeers() {}

    /** Bounded: a writer waits where there is no room. */
    interface Peer {
        void append();

        /** Copies at the most {@link #BATCH} bytes of records out, and returns how many records they were. */
        int drain();
    }

    static Map<String, Peer> all() {
        Map<String, Peer> all = new LinkedHashMap<>();
        all.put("kvorum", kvorum());
        all.put("agrona", agrona());
        all.put("jctools", jctools());
        all.put("locked-queue", lockedQueue());
        return all;
    }

    private static byte[] payload() {
        byte[] bytes = new byte[PAYLOAD];
        new SplittableRandom(1).nextBytes(bytes);
        return bytes;
    }

    static Peer kvorum() {
        BenchmarkLog log = new BenchmarkLog(CAPACITY);
        ByteBuf payload = Unpooled.wrappedBuffer(payload());
        ByteBuf batch = Unpooled.buffer(BATCH);
        return new Peer() {
            @Override
            public void append() {
                log.append(SLOT, payload);
            }

            @Override
            public int drain() {
                batch.clear();
                return log.drain(batch, BATCH) / (8 + PAYLOAD);
            }
        };
    }

    static Peer agrona() {
        ManyToOneRingBuffer ring = new ManyToOneRingBuffer(
                new UnsafeBuffer(ByteBuffer.allocateDirect(CAPACITY + RingBufferDescriptor.TRAILER_LENGTH)));
        byte[] payload = payload();
        byte[] batch = new byte[BATCH];
        int limit = BATCH / PAYLOAD;
        int[] at = new int[1];
        return new Peer() {
            @Override
            public void append() {
                int index;
                while ((index = ring.tryClaim(1, PAYLOAD)) < 0) {
                    idle();
                }
                ring.buffer().putBytes(index, payload, 0, PAYLOAD);
                ring.commit(index);
            }

            @Override
            public int drain() {
                at[0] = 0;
                return ring.read(
                        (type, buffer, index, length) -> {
                            buffer.getBytes(index, batch, at[0], length);
                            at[0] += length;
                        },
                        limit);
            }
        };
    }

    static Peer jctools() {
        MpscArrayQueue<byte[]> queue = new MpscArrayQueue<>(CAPACITY / 128);
        byte[] payload = payload();
        byte[] batch = new byte[BATCH];
        int limit = BATCH / PAYLOAD;
        int[] at = new int[1];
        return new Peer() {
            @Override
            public void append() {
                byte[] copy = payload.clone();
                while (!queue.offer(copy)) {
                    idle();
                }
            }

            @Override
            public int drain() {
                at[0] = 0;
                return queue.drain(
                        copy -> {
                            System.arraycopy(copy, 0, batch, at[0], copy.length);
                            at[0] += copy.length;
                        },
                        limit);
            }
        };
    }

    /** What one would write without a log. */
    static Peer lockedQueue() {
        int capacity = CAPACITY / 128;
        Queue<byte[]> queue = new ArrayDeque<>(capacity);
        byte[] payload = payload();
        byte[] batch = new byte[BATCH];
        int limit = BATCH / PAYLOAD;
        return new Peer() {
            @Override
            public void append() {
                byte[] copy = payload.clone();
                while (true) {
                    synchronized (queue) {
                        if (queue.size() < capacity) {
                            queue.add(copy);
                            return;
                        }
                    }
                    idle();
                }
            }

            @Override
            public int drain() {
                synchronized (queue) {
                    int count = 0;
                    for (byte[] copy; count < limit && (copy = queue.poll()) != null; count++) {
                        System.arraycopy(copy, 0, batch, count * PAYLOAD, PAYLOAD);
                    }
                    return count;
                }
            }
        };
    }

    @SuppressWarnings("ThreadPriorityCheck") // with fewer cores than threads, somebody waits for this one
    static void idle() {
        Thread.yield();
    }
}
