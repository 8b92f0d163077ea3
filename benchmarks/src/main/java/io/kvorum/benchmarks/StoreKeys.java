package io.kvorum.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Keys of 16 bytes and the order in which they are used, drawn beforehand, so that no contender pays for chance. */
final class StoreKeys {
    private static final int DRAWS = 1 << 20;
    private static final double SKEW = 0.99;

    final byte[][] keys;
    private final int[] order = new int[DRAWS];

    /**
     * Draws the keys.
     *
     * @param count how many
     * @param skewed whether they are used as often as by Zipf's law with an exponent of 0.99, or each as often as any
     */
    StoreKeys(int count, boolean skewed) {
        keys = new byte[count][];
        for (int i = 0; i < count; i++) {
            keys[i] =
                    ("key-" + (100_000_000_000L + i * 7_919L)).substring(0, 16).getBytes(US_ASCII);
        }
        SplittableRandom random = new SplittableRandom(1);
        double[] shares = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += skewed ? 1 / Math.pow(i + 1, SKEW) : 1;
            shares[i] = sum;
        }
        int[] ranked = random.ints(0, Integer.MAX_VALUE).distinct().limit(count).toArray();
        long[] shuffled = new long[count];
        for (int i = 0; i < count; i++) {
            shuffled[i] = (long) ranked[i] << 32 | i;
        }
        Arrays.sort(shuffled);
        for (int i = 0; i < DRAWS; i++) {
            int found = Arrays.binarySearch(shares, random.nextDouble() * sum);
            order[i] = (int) shuffled[Math.min(count - 1, found < 0 ? -found - 1 : found)];
        }
    }

    /** Returns the key that is used at a turn. */
    byte[] at(int turn) {
        return keys[order[turn & (DRAWS - 1)]];
    }
}
