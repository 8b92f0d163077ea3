package io.kvorum.redis;

import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys of a server that knows nothing of slots: all are looked at by SCAN. The position in a cursor is the server's
 * own, and its slot the first one of the scan.
 */
final class ScannedKeyspace implements Keyspace {
    private final Connections connections;

    ScannedKeyspace(Connections connections) {
        this.connections = connections;
    }

    @Override
    public int count(int slot) {
        return keys(slot, Integer.MAX_VALUE).size();
    }

    @Override
    public List<byte[]> keys(int slot, int limit) {
        DistinctKeys found = new DistinctKeys();
        Keyspace.forEach(
                connections,
                connections.servers().placeOf(slot),
                keys -> keys.stream()
                        .filter(key -> HashSlot.of(key) == slot && found.size() < limit)
                        .forEach(found::add));
        return found.toList();
    }

    @Override
    public ScanPage page(ScanCursor cursor, ScanOptions options) {
        Keyspace.check(cursor, options);
        io.lettuce.core.ScanCursor from = io.lettuce.core.ScanCursor.of(Long.toUnsignedString(cursor.position()));
        ScanArgs count = ScanArgs.Builder.limit(options.count());
        KeyScanCursor<byte[]> page =
                Waiting.read(connections.send(cursor.slot(), false, commands -> commands.scan(from, count)));
        List<byte[]> keys = new ArrayList<>();
        for (byte[] key : page.getKeys()) {
            int slot = HashSlot.of(key);
            if (slot >= cursor.slot()
                    && slot <= options.lastSlot()
                    && options.filter().accepts(key)) {
                keys.add(key);
            }
        }
        long next = Long.parseUnsignedLong(page.getCursor());
        return new ScanPage(keys, next == 0 ? Keyspace.after(options.lastSlot()) : new ScanCursor(cursor.slot(), next));
    }

    @Override
    public long drop(int slot) {
        return Keyspace.clear(connections, SlotSet.ofRange(slot, slot));
    }
}
