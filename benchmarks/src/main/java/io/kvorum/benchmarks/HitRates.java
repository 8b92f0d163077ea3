package io.kvorum.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/**
 * How often a store that evicts by weight still has what is asked for, beside a Caffeine cache with the same weights
 * and the same limit. What is not there is set. The traces are drawn anew, the same in each run.
 */
final class HitRates {
    private static final int KEYS = 20_000;
    private static final int REQUESTS = 200_000;
    private static final int WARM_UP = 50_000;
    private static final int LEAST = 100;
    private static final int MOST = 1_000_000;
    private static final double SKEW = 0.99;
    private static final int SCAN_EVERY = 5_000;
    private static final int SCAN_LENGTH = 1_000;
    private static final int LOOP_KEYS = 4_000;
    private static final byte[] VALUE = new byte[MOST];

    private HitRates() {}

    /** Which key each request asks for. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Trace(String name, int[] keys) {}

    /** How long the value of each key is. */
    private record Sizes(String name, IntUnaryOperator of) {
        long sum(int keys) {
            long sum = 0;
            for (int key = 0; key < keys; key++) {
                sum += weight(key);
            }
            return sum;
        }

        int weight(int key) {
            return bytesOf(key).length + of.applyAsInt(key) + MemoryLimit.EVICTING_OVERHEAD;
        }
    }

    /** What is asked, and told to keep a value if it has none. */
    private interface Contender {
        boolean has(int key);

        void put(int key);
    }

    static String table() {
        StringBuilder table =
                new StringBuilder("| trace | values | limit, of all | hits: kvorum | of 4 stripes | caffeine "
                        + "| bytes hit: kvorum | of 4 stripes | caffeine |\n|---|---|---|---|---|---|---|---|---|\n");
        for (Sizes sizes : List.of(new Sizes("1 kB", key -> 1_000), new Sizes("100 B to 1 MB", HitRates::anySize))) {
            for (Trace trace : List.of(zipf(), scanned(), loop())) {
                for (int percent : List.of(2, 10)) {
                    long limit = sizes.sum(KEYS) * percent / 100;
                    double[] ours = rates(trace, sizes, ours(sizes, limit, StoreSettings.defaults()));
                    double[] few = rates(
                            trace,
                            sizes,
                            ours(sizes, limit, StoreSettings.defaults().withStripes(4)));
                    double[] theirs = rates(trace, sizes, caffeine(sizes, limit));
                    table.append(String.format(
                            Locale.ROOT,
                            "| %s | %s | %d %% | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |%n",
                            trace.name(),
                            sizes.name(),
                            percent,
                            ours[0],
                            few[0],
                            theirs[0],
                            ours[1],
                            few[1],
                            theirs[1]));
                }
            }
        }
        return table.toString();
    }

    /** Of any order of magnitude alike, and nothing to do with how often the key is asked for. */
    private static int anySize(int key) {
        double drawn = new SplittableRandom(key).nextDouble();
        return (int) (LEAST * Math.pow((double) MOST / LEAST, drawn));
    }

    private static Trace zipf() {
        return new Trace("zipf 0.99", draw(new SplittableRandom(1)));
    }

    /** The same with a walk through keys that are asked for once, now and then. */
    private static Trace scanned() {
        int[] drawn = draw(new SplittableRandom(2));
        int next = KEYS;
        for (int i = 0; i < REQUESTS; i++) {
            if (i % SCAN_EVERY < SCAN_LENGTH) {
                drawn[i] = next++;
            }
        }
        return new Trace("zipf 0.99 with scans", drawn);
    }

    private static Trace loop() {
        int[] keys = new int[REQUESTS];
        for (int i = 0; i < REQUESTS; i++) {
            keys[i] = i % LOOP_KEYS;
        }
        return new Trace("loop through a fifth", keys);
    }

    private static int[] draw(SplittableRandom random) {
        double[] shares = new double[KEYS];
        double sum = 0;
        for (int i = 0; i < KEYS; i++) {
            sum += 1 / Math.pow(i + 1, SKEW);
            shares[i] = sum;
        }
        int[] keys = new int[REQUESTS];
        for (int i = 0; i < REQUESTS; i++) {
            int found = Arrays.binarySearch(shares, random.nextDouble() * sum);
            keys[i] = Math.min(KEYS - 1, found < 0 ? -found - 1 : found);
        }
        return keys;
    }

    /** Returns the part of the requests that were hits, and that of the bytes asked for. */
    private static double[] rates(Trace trace, Sizes sizes, Contender contender) {
        long hits = 0;
        long bytes = 0;
        long bytesHit = 0;
        for (int i = 0; i < REQUESTS; i++) {
            int key = trace.keys()[i];
            boolean hit = contender.has(key);
            if (!hit) {
                contender.put(key);
            }
            if (i >= WARM_UP) {
                bytes += sizes.of().applyAsInt(key);
                hits += hit ? 1 : 0;
                bytesHit += hit ? sizes.of().applyAsInt(key) : 0;
            }
        }
        return new double[] {(double) hits / (REQUESTS - WARM_UP), (double) bytesHit / bytes};
    }

    /** Each stripe evicts by itself: one that holds a handful of entries knows little of what is asked for often. */
    private static Contender ours(Sizes sizes, long limit, StoreSettings settings) {
        KeyValueStore store = ShardedStore.builder()
                .settings(settings)
                .limit(MemoryLimit.bytes(limit, MemoryLimit.WhenFull.EVICT))
                .build();
        return new Contender() {
            @Override
            public boolean has(int key) {
                return store.touch(bytesOf(key));
            }

            @Override
            public void put(int key) {
                store.set(bytesOf(key), Arrays.copyOf(VALUE, sizes.of().applyAsInt(key)));
            }
        };
    }

    private static Contender caffeine(Sizes sizes, long limit) {
        Cache<Integer, Integer> cache = Caffeine.newBuilder()
                .maximumWeight(limit)
                .weigher((Integer key, Integer length) -> sizes.weight(key))
                .executor(Runnable::run)
                .build();
        return new Contender() {
            @Override
            public boolean has(int key) {
                return cache.getIfPresent(key) != null;
            }

            @Override
            public void put(int key) {
                cache.put(key, sizes.of().applyAsInt(key));
            }
        };
    }

    private static byte[] bytesOf(int key) {
        return Integer.toString(key).getBytes(US_ASCII);
    }
}
