package io.kvorum.benchmarks;

import io.kvorum.benchmarks.Comparison.Contender;
import io.kvorum.core.ByteBufSlot;
import io.kvorum.slots.HashSlot;
import io.lettuce.core.cluster.SlotHash;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * The slot of a key, ours and the clients' beside each other. Each contender has a loop of its own: in a shared one the
 * compiler would no more know which of them it calls.
 */
final class SlotComparisons {
    private static final int MASK = SlotKeys.COUNT - 1;

    private SlotComparisons() {}

    /** All comparisons by their names; each draws its keys when it is asked for, and so sees none but these. */
    static Map<String, Supplier<Comparison>> all() {
        Map<String, Supplier<Comparison>> all = new LinkedHashMap<>();
        for (int length : new int[] {4, 8, 16, 32, 64, 256}) {
            String name = "slot-bytes-" + length;
            all.put(name, () -> bytes(name, SlotKeys.bytes(length)));
        }
        all.put("slot-ascii-16", () -> text("slot-ascii-16", SlotKeys.ascii(16)));
        all.put("slot-ascii-64", () -> text("slot-ascii-64", SlotKeys.ascii(64)));
        all.put(
                "slot-ascii-64-after-cyrillic",
                () -> textAfterCyrillic("slot-ascii-64-after-cyrillic", SlotKeys.ascii(64)));
        all.put("slot-cyrillic-16", () -> text("slot-cyrillic-16", SlotKeys.cyrillic(16)));
        for (int length : new int[] {16, 64}) {
            for (boolean direct : new boolean[] {false, true}) {
                String kind = direct ? "direct" : "heap";
                String buffer = "slot-" + kind + "-buffer-" + length;
                String byteBuf = "slot-" + kind + "-byte-buf-" + length;
                all.put(buffer, () -> buffer(buffer, SlotKeys.buffers(length, direct)));
                all.put(byteBuf, () -> byteBuf(byteBuf, length, direct));
            }
        }
        return all;
    }

    private static Comparison bytes(String name, byte[][] keys) {
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

    /**
     * The JVM keeps a string with a letter beyond Latin-1 in another form, and reads all strings slower once it has.
     */
    private static Comparison textAfterCyrillic(String name, String[] keys) {
        for (String key : SlotKeys.cyrillic(16)) {
            HashSlot.of(key);
        }
        return text(name, keys);
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
