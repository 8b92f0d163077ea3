package io.kvorum.testkit.simulation;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The smallest state worth replicating: numbered keys with a number each.
 *
 * <p>Confined to one thread.
 */
final class MapState implements ReplicatedState {
    private static final int ENTRY = Integer.BYTES + Long.BYTES;

    private NavigableMap<Integer, Long> values = new TreeMap<>();

    /** Writes an effect as a record's payload; {@code 0} deletes. The rest of the payload is padding. */
    static void encode(int key, long value, int padding, ByteBuf target) {
        target.writeInt(key).writeLong(value).writeZero(padding);
    }

    private static void apply(Map<Integer, Long> values, ByteBuf payload) {
        int key = payload.getInt(payload.readerIndex());
        long value = payload.getLong(payload.readerIndex() + Integer.BYTES);
        if (value == 0) {
            values.remove(key);
        } else {
            values.put(key, value);
        }
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        apply(values, payload);
    }

    long get(int key) {
        return values.getOrDefault(key, 0L);
    }

    long digest() {
        long digest = 0;
        for (Map.Entry<Integer, Long> entry : values.entrySet()) {
            digest += Randomness.hash(entry.getKey(), entry.getValue(), 0);
        }
        return digest;
    }

    @Override
    public SnapshotScan snapshot() {
        return new SnapshotScan() {
            private int after = -1;

            @Override
            public boolean next(ByteBuf target, int maxBytes) {
                int written = 0;
                Map.Entry<Integer, Long> entry;
                while (written < maxBytes && (entry = values.higherEntry(after)) != null) {
                    target.writeInt(entry.getKey()).writeLong(entry.getValue());
                    after = entry.getKey();
                    written += ENTRY;
                }
                return written > 0;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Restoration restore() {
        return new Restoration() {
            private @Nullable NavigableMap<Integer, Long> replacement = new TreeMap<>();

            @Override
            public void load(ByteBuf entries) {
                for (int i = entries.readerIndex(); i < entries.writerIndex(); i += ENTRY) {
                    replacement().put(entries.getInt(i), entries.getLong(i + Integer.BYTES));
                }
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                MapState.apply(replacement(), payload);
            }

            @Override
            public void complete() {
                values = replacement();
                replacement = null;
            }

            @Override
            public void abort() {
                replacement();
                replacement = null;
            }

            private NavigableMap<Integer, Long> replacement() {
                if (replacement == null) {
                    throw new IllegalStateException("the restoration has ended");
                }
                return replacement;
            }
        };
    }
}
