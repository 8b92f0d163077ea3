package io.kvorum.failover;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A replicated state of the smallest kind: the numbers that were written. */
final class Numbers implements ReplicatedState {
    private Set<Long> numbers = new TreeSet<>();

    void add(long number) {
        numbers.add(number);
    }

    boolean has(long number) {
        return numbers.contains(number);
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        numbers.add(payload.getLong(payload.readerIndex()));
    }

    @Override
    public SnapshotScan snapshot() {
        Iterator<Long> left = List.copyOf(numbers).iterator();
        return new SnapshotScan() {
            @Override
            public boolean next(ByteBuf target, int maxBytes) {
                if (!left.hasNext()) {
                    return false;
                }
                for (int written = 0; written < maxBytes && left.hasNext(); written += Long.BYTES) {
                    target.writeLong(left.next());
                }
                return true;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Restoration restore() {
        Set<Long> aside = new TreeSet<>();
        return new Restoration() {
            @Override
            public void load(ByteBuf entries) {
                for (int at = entries.readerIndex(); at < entries.writerIndex(); at += Long.BYTES) {
                    aside.add(entries.getLong(at));
                }
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                aside.add(payload.getLong(payload.readerIndex()));
            }

            @Override
            public void complete() {
                numbers = aside;
            }

            @Override
            public void abort() {}
        };
    }
}
