package io.kvorum.benchmarks;

import io.kvorum.core.ShardedStore;
import io.kvorum.slots.HashSlot;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** How many bytes of heap an entry takes in our store and in its peers, by what a full collection leaves. */
final class StoreMemory {
    private static final int ENTRIES = 1_000_000;
    private static final int VALUE = 100;

    private StoreMemory() {}

    static String table() {
        Map<String, Supplier<StorePeers.Peer>> peers = new LinkedHashMap<>();
        peers.put("kvorum", () -> ours(3));
        peers.put("kvorum, 1,000 shards", () -> ours(1_000));
        peers.put("kvorum, 16,384 shards", () -> ours(HashSlot.COUNT));
        peers.put("map", StorePeers::map);
        peers.put("caffeine-maximum", () -> StorePeers.caffeineWithMaximum(2L * ENTRIES));
        peers.put("caffeine-expiry", StorePeers::caffeineWithExpiry);
        StringBuilder table = new StringBuilder("| store | bytes per entry |\n|---|---|\n");
        peers.forEach(
                (name, peer) -> table.append(String.format(Locale.ROOT, "| %s | %.1f |%n", name, bytesPerEntry(peer))));
        return table.toString();
    }

    private static StorePeers.Peer ours(int shards) {
        ShardedStore store = ShardedStore.local(shards);
        return new StorePeers.Peer() {
            @Override
            public byte[] get(byte[] key) {
                return store.get(key);
            }

            @Override
            public void set(byte[] key, byte[] value) {
                store.set(key, value);
            }
        };
    }

    /** Each key is an array of its own, as it comes from a network, and belongs to the store that keeps it. */
    private static double bytesPerEntry(Supplier<StorePeers.Peer> maker) {
        byte[] value = new byte[VALUE];
        maker.get().set(key(0), value); // whatever is loaded at the first use is no entry's
        long before = usedBytes();
        StorePeers.Peer peer = maker.get();
        for (int i = 0; i < ENTRIES; i++) {
            peer.set(key(i), value);
        }
        long after = usedBytes();
        if (peer.get(key(0)).length != VALUE) {
            throw new AssertionError("the first entry is lost");
        }
        return (double) (after - before) / ENTRIES;
    }

    private static byte[] key(int number) {
        byte[] key = new byte[16];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (number >>> (i % 4 * 8));
        }
        return key;
    }

    private static long usedBytes() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        }
        return least;
    }
}
