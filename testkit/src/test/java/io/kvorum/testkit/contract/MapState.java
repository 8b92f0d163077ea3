package io.kvorum.testkit.contract;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A replicated state of a user: a map of strings, whose records are {@code key=value}. */
class MapState implements ReplicatedState {
    private Map<String, String> map = new TreeMap<>();

    Map<String, String> map() {
        return map;
    }

    static void put(Map<String, String> target, String entry) {
        int equals = entry.indexOf('=');
        target.put(entry.substring(0, equals), entry.substring(equals + 1));
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        put(map, payload.toString(UTF_8));
    }

    @Override
    public SnapshotScan snapshot() {
        Iterator<String> keys = List.copyOf(map.keySet()).iterator();
        return new SnapshotScan() {
            @Override
            public boolean next(ByteBuf target, int maxBytes) {
                int limit = target.writerIndex() + maxBytes;
                boolean more = keys.hasNext();
                while (keys.hasNext() && target.writerIndex() < limit) {
                    String key = keys.next();
                    target.writeCharSequence(key + "=" + map.get(key) + "\n", UTF_8);
                }
                return more;
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
                entries.toString(UTF_8).lines().forEach(entry -> put(aside, entry));
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                put(aside, payload.toString(UTF_8));
            }

            @Override
            public void complete() {
                map = aside;
            }

            @Override
            public void abort() {}
        };
    }
}
