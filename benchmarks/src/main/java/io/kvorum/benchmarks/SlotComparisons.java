package io.kvorum.benchmarks;

import io.kvorum.benchmarks.Comparison.Contender;
import io.kvorum.core.ByteBufSlot;
import io.kvorum.slots.HashSlot;
import io.lettuce.core.cluster.SlotHash;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.util.JedisClusterCRC16;

/** The slot of a key, ours and the clients' beside each other. */
final class SlotComparisons {
    private static final int MASK = SlotKeys.COUNT - 1;

    private SlotComparisons() {}

    static List<Comparison> all() {
        List<Comparison> all = new ArrayList<>();
        for (int length : new int[] {4, 8, 16, 32, 64, 256}) {
            all.add(bytes(length));
        }
        all.add(text("ascii-16", SlotKeys.ascii(16)));
        all.add(text("ascii-64", SlotKeys.ascii(64)));
        all.add(text("cyrillic-16", SlotKeys.cyrillic(16)));
        for (int length : new int[] {16, 64}) {
            all.add(buffer("heap-buffer-" + length, SlotKeys.buffers(length, false)));
            all.add(buffer("direct-buffer-" + length, SlotKeys.buffers(length, true)));
            all.add(byteBuf("heap-byte-buf-" + length, length, false));
            all.add(byteBuf("direct-byte-buf-" + length, length, true));
        }
        return List.copyOf(all);
    }

    private static Comparison bytes(int length) {
        byte[][] keys = SlotKeys.bytes(length);
        return new Comparison(
                "bytes-" + length,
                List.of(
                        new Contender("kvorum", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += HashSlot.of(keys[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("jedis", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += JedisClusterCRC16.getSlot(keys[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("lettuce", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += SlotHash.getSlot(keys[i & MASK]);
                            }
                            return sum;
                        })));
    }

    private static Comparison text(String name, String[] keys) {
        return new Comparison(
                name,
                List.of(
                        new Contender("kvorum", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += HashSlot.of(keys[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("jedis", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += JedisClusterCRC16.getSlot(keys[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("lettuce", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += SlotHash.getSlot(keys[i & MASK]);
                            }
                            return sum;
                        })));
    }

    private static Comparison buffer(String name, ByteBuffer[] keys) {
        return new Comparison(
                name,
                List.of(
                        new Contender("kvorum", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += HashSlot.of(keys[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("lettuce", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += SlotHash.getSlot(keys[i & MASK]);
                            }
                            return sum;
                        })));
    }

    /** Lettuce takes no {@link ByteBuf}: it gets a {@link ByteBuffer} that is at hand, and one that has to be made. */
    private static Comparison byteBuf(String name, int length, boolean direct) {
        ByteBuf[] keys = SlotKeys.byteBufs(length, direct);
        ByteBuffer[] buffers = SlotKeys.buffers(length, direct);
        return new Comparison(
                name,
                List.of(
                        new Contender("kvorum", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += ByteBufSlot.of(keys[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("lettuce of a ByteBuffer", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += SlotHash.getSlot(buffers[i & MASK]);
                            }
                            return sum;
                        }),
                        new Contender("lettuce of nioBuffer()", operations -> {
                            long sum = 0;
                            for (int i = 0; i < operations; i++) {
                                sum += SlotHash.getSlot(keys[i & MASK].nioBuffer());
                            }
                            return sum;
                        })));
    }
}
