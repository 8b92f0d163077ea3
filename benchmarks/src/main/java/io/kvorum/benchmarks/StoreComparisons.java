package io.kvorum.benchmarks;

import io.kvorum.benchmarks.Comparison.Batch;
import io.kvorum.benchmarks.Comparison.Contender;
import io.kvorum.benchmarks.StorePeers.Peer;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * Gets and sets through the sharded store of an application without a cluster, which is slot, route and table, beside
 * maps and caches that know no slots.
 */
final class StoreComparisons {
    private static final int BATCH_MILLIS = 20;
    private static final int SHARDS = 3;

    /**
     * Odd, so that it leads through all turns, in an order that has nothing to do with the one in which keys are used.
     */
    private static final int STRIDE = 7_919;

    private static final int PERCENT_OF_GETS = 90;
    private static final long LIFE_MILLIS = 3_600_000;

    private StoreComparisons() {}

    /** What is stored, and in which order it is used. */
    private record Load(String name, int entries, int valueLength, boolean skewed) {
        StoreKeys keys() {
            return new StoreKeys(entries, skewed);
        }

        byte[] value() {
            byte[] value = new byte[valueLength];
            new SplittableRandom(2).nextBytes(value);
            return value;
        }
    }

    /** All comparisons by their names. */
    static Map<String, Supplier<Comparison>> all() {
        Map<String, Supplier<Comparison>> all = new LinkedHashMap<>();
        for (Load load : List.of(
                new Load("1m-zipf", 1_000_000, 100, true),
                new Load("1k-zipf", 1_000, 100, true),
                new Load("100k-uniform", 100_000, 100, false),
                new Load("100k-zipf-1k", 100_000, 1_024, true))) {
            put(all, "store-get-" + load.name(), name -> get(name, load, false));
            put(all, "store-get-rewritten-" + load.name(), name -> get(name, load, true));
            put(all, "store-set-" + load.name(), name -> set(name, load));
            put(all, "store-mixed-" + load.name(), name -> mixed(name, load));
            put(all, "store-expiry-get-" + load.name(), name -> expiry(name, load, false));
            put(all, "store-expiry-set-" + load.name(), name -> expiry(name, load, true));
        }
        put(all, "store-grids-get", name -> grids(name, new Load("", 100_000, 100, true), false));
        put(all, "store-grids-set", name -> grids(name, new Load("", 100_000, 100, true), true));
        put(all, "store-slot-1m", name -> slots(name, new Load("", 1_000_000, 100, false)));
        return all;
    }

    private interface Named {
        Comparison of(String name);
    }

    private static void put(Map<String, Supplier<Comparison>> all, String name, Named comparison) {
        all.put(name, () -> comparison.of(name));
    }

    private static Map<String, Peer> peers(Load load) {
        Map<String, Peer> peers = new LinkedHashMap<>();
        peers.put("map", StorePeers.map());
        peers.put("caffeine-maximum", StorePeers.caffeineWithMaximum(load.entries() * 2L));
        peers.put("caffeine-expiry", StorePeers.caffeineWithExpiry());
        peers.put("ohc", StorePeers.ohc(load.entries() * (load.valueLength() + 200L) * 2));
        return peers;
    }

    private static KeyValueStore store(StoreKeys keys, byte[] value, boolean timed) {
        KeyValueStore store = ShardedStore.local(SHARDS);
        SetOptions options = timed ? renewed() : SetOptions.defaults();
        keys.forEach(key -> store.set(key, value, options));
        return store;
    }

    private static SetOptions renewed() {
        return SetOptions.defaults().withDeadline(System.currentTimeMillis() + LIFE_MILLIS);
    }

    private static void fill(Map<String, Peer> peers, StoreKeys keys, byte[] value) {
        for (Peer peer : peers.values()) {
            keys.forEach(key -> peer.set(key, value));
        }
    }

    // ---- ours has loops of its own; the peers share theirs, and with them a call through an interface, a few
    // nanoseconds

    /** The values lie as they were loaded, one key after the other; or many were set again since, in any order. */
    private static Comparison get(String name, Load load, boolean rewritten) {
        StoreKeys keys = load.keys();
        byte[] value = load.value();
        KeyValueStore store = store(keys, value, false);
        ByteBuf buffer = Unpooled.buffer(load.valueLength());
        List<Contender> contenders = new ArrayList<>();
        contenders.add(new Contender("kvorum", copied(store, keys)));
        int[] turn = new int[2];
        contenders.add(new Contender("kvorum-lent", operations -> {
            long sum = 0;
            for (int i = 0; i < operations; i++) {
                sum += store.lend(keys.at(turn[0]++), lent -> ends(lent.byteAt(0), lent.byteAt(lent.length() - 1)));
            }
            return sum;
        }));
        contenders.add(new Contender("kvorum-buffer", operations -> {
            long sum = 0;
            for (int i = 0; i < operations; i++) {
                buffer.clear();
                sum += store.get(keys.at(turn[1]++), buffer);
            }
            return sum;
        }));
        Map<String, Peer> peers = peers(load);
        addGets(contenders, peers, keys, value);
        if (rewritten) {
            rewrite(store::set, keys, value);
            peers.values().forEach(peer -> rewrite(peer::set, keys, value));
        }
        return new Comparison(name, contenders, BATCH_MILLIS, false);
    }

    private static void rewrite(BiConsumer<byte[], byte[]> set, StoreKeys keys, byte[] value) {
        for (int turn = 0; turn < StoreKeys.DRAWS; turn++) {
            set.accept(keys.at(turn * STRIDE), value);
        }
    }

    private static Batch copied(KeyValueStore store, StoreKeys keys) {
        int[] turn = new int[1];
        return operations -> {
            long sum = 0;
            for (int i = 0; i < operations; i++) {
                sum += ends(store.get(keys.at(turn[0]++)));
            }
            return sum;
        };
    }

    private static void addGets(List<Contender> contenders, Map<String, Peer> peers, StoreKeys keys, byte[] value) {
        fill(peers, keys, value);
        peers.forEach((peerName, peer) -> {
            int[] turn = new int[1];
            contenders.add(new Contender(peerName, operations -> {
                long sum = 0;
                for (int i = 0; i < operations; i++) {
                    sum += ends(peer.get(keys.at(turn[0]++)));
                }
                return sum;
            }));
        });
    }

    private static int ends(byte[] value) {
        return ends(value[0], value[value.length - 1]);
    }

    private static int ends(byte first, byte last) {
        return first + last;
    }

    private static Comparison set(String name, Load load) {
        StoreKeys keys = load.keys();
        byte[] value = load.value();
        List<Contender> contenders = new ArrayList<>();
        contenders.add(new Contender("kvorum", sets(store(keys, value, false), keys, value)));
        addSets(contenders, peers(load), keys, value);
        return new Comparison(name, contenders, BATCH_MILLIS, true);
    }

    private static Batch sets(KeyValueStore store, StoreKeys keys, byte[] value) {
        int[] turn = new int[1];
        return operations -> {
            for (int i = 0; i < operations; i++) {
                store.set(keys.at(turn[0]++), value);
            }
            return turn[0];
        };
    }

    private static void addSets(List<Contender> contenders, Map<String, Peer> peers, StoreKeys keys, byte[] value) {
        fill(peers, keys, value);
        peers.forEach((peerName, peer) -> {
            int[] turn = new int[1];
            contenders.add(new Contender(peerName, operations -> {
                for (int i = 0; i < operations; i++) {
                    peer.set(keys.at(turn[0]++), value);
                }
                return turn[0];
            }));
        });
    }

    private static Comparison mixed(String name, Load load) {
        StoreKeys keys = load.keys();
        byte[] value = load.value();
        KeyValueStore store = store(keys, value, false);
        Map<String, Peer> peers = peers(load);
        fill(peers, keys, value);
        List<Contender> contenders = new ArrayList<>();
        int[] ours = new int[1];
        contenders.add(new Contender("kvorum", operations -> {
            long sum = 0;
            for (int i = 0; i < operations; i++) {
                byte[] key = keys.at(ours[0]++);
                if (i % 100 < PERCENT_OF_GETS) {
                    sum += ends(store.get(key));
                } else {
                    store.set(key, value);
                }
            }
            return sum;
        }));
        peers.forEach((peerName, peer) -> {
            int[] turn = new int[1];
            contenders.add(new Contender(peerName, operations -> {
                long sum = 0;
                for (int i = 0; i < operations; i++) {
                    byte[] key = keys.at(turn[0]++);
                    if (i % 100 < PERCENT_OF_GETS) {
                        sum += ends(peer.get(key));
                    } else {
                        peer.set(key, value);
                    }
                }
                return sum;
            }));
        });
        return new Comparison(name, contenders, BATCH_MILLIS, true);
    }

    /** Ours with a deadline at each key, which each set renews, beside ours without. */
    private static Comparison expiry(String name, Load load, boolean sets) {
        StoreKeys keys = load.keys();
        byte[] value = load.value();
        KeyValueStore timed = store(keys, value, true);
        KeyValueStore plain = store(keys, value, false);
        int[] turn = new int[1];
        Batch renewing = operations -> {
            SetOptions options = renewed();
            for (int i = 0; i < operations; i++) {
                timed.set(keys.at(turn[0]++), value, options);
            }
            return turn[0];
        };
        return new Comparison(
                name,
                List.of(
                        new Contender("kvorum", sets ? renewing : copied(timed, keys)),
                        new Contender("kvorum-without", sets ? sets(plain, keys, value) : copied(plain, keys))),
                BATCH_MILLIS,
                false);
    }

    private static Comparison grids(String name, Load load, boolean sets) {
        StoreKeys keys = load.keys();
        byte[] value = load.value();
        KeyValueStore store = store(keys, value, false);
        Map<String, Peer> peers = new LinkedHashMap<>();
        peers.put("infinispan", StorePeers.infinispan());
        peers.put("hazelcast", StorePeers.hazelcast());
        List<Contender> contenders = new ArrayList<>();
        contenders.add(new Contender("kvorum", sets ? sets(store, keys, value) : copied(store, keys)));
        if (sets) {
            addSets(contenders, peers, keys, value);
        } else {
            addGets(contenders, peers, keys, value);
        }
        return new Comparison(name, contenders, BATCH_MILLIS, true);
    }

    /** All keys of one slot after the other; an operation is a key. */
    private static Comparison slots(String name, Load load) {
        KeyValueStore store = store(load.keys(), load.value(), false);
        SplittableRandom random = new SplittableRandom(3);
        Batch batch = operations -> {
            long[] seen = new long[1];
            while (seen[0] < operations) {
                for (byte[] key : store.keysInSlot(random.nextInt(HashSlot.COUNT), Integer.MAX_VALUE)) {
                    seen[0] += key.length == 0 ? 0 : 1;
                }
            }
            return seen[0];
        };
        return new Comparison(name, List.of(new Contender("kvorum", batch)), BATCH_MILLIS, false);
    }
}
