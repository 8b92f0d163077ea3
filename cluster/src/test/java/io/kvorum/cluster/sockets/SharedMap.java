package io.kvorum.cluster.sockets;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A state of an application's own: a map whose records and snapshot entries are lines {@code key=value}. */
public final class SharedMap implements ReplicatedState {
    private final ReplicationLog log;
    private Map<String, String> map = new TreeMap<>();

    public SharedMap(ReplicationLog log) {
        this.log = log;
    }

    /** Writes at the primary, once there is room; returns the position after the record. */
    public LogPosition put(String key, String value, Duration patience) {
        log.awaitRoom(0, patience.toNanos()); // before the lock, which the node may need
        return put(key, value);
    }

    private synchronized LogPosition put(String key, String value) {
        log.append(0, Unpooled.copiedBuffer(key + "=" + value + "\n", UTF_8)); // refused unless this is the primary
        map.put(key, value);
        return log.end();
    }

    synchronized int size() {
        return map.size();
    }

    /** {@return a number that is equal for equal maps} */
    synchronized int digest() {
        return map.hashCode();
    }

    public synchronized boolean contains(String key) {
        return map.containsKey(key);
    }

    @Override
    public synchronized void apply(int slot, ByteBuf payload) {
        addLines(payload, map);
    }

    private static void addLines(ByteBuf lines, Map<String, String> target) {
        lines.toString(UTF_8).lines().forEach(line -> {
            String[] words = line.split("=", 2);
            target.put(words[0], words[1]);
        });
    }

    private synchronized List<String> keys() {
        return List.copyOf(map.keySet());
    }

    private synchronized String line(String key) {
        return key + "=" + map.get(key) + "\n";
    }

    private synchronized void replace(Map<String, String> newer) {
        map = newer;
    }

    @Override
    public SnapshotScan snapshot() {
        Iterator<String> keys = keys().iterator();
        return new SnapshotScan() {
            @Override
            public boolean next(ByteBuf target, int maxBytes) {
                boolean some = keys.hasNext();
                int limit = target.writerIndex() + maxBytes;
                while (keys.hasNext() && target.writerIndex() < limit) {
                    target.writeCharSequence(line(keys.next()), UTF_8);
                }
                return some;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Restoration restore() {
        Map<String, String> aside = new TreeMap<>();
        return new Restoration() {
            @Override
            public void load(ByteBuf entries) {
                addLines(entries, aside);
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                addLines(payload, aside);
            }

            @Override
            public void complete() {
                replace(aside);
            }

            @Override
            public void abort() {}
        };
    }
}
