package io.kvorum.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * Keys of 16 bytes and the order in which they are used, drawn beforehand, so that no contender pays for chance.
 *
 * <p>A key that is used is never the array that a map keeps, but one that was just written, as if it had been parsed
 * from a request. Whoever compares it with the key that is held must go and look at that.
 */
final class StoreKeys {
    /** After how many turns the order begins again. */
    static final int DRAWS = 1 << 20;

    private static final int LENGTH = 16;
    private static final double SKEW = 0.99;

    private final int count;
    private final byte[] drawn = new byte[DRAWS * LENGTH];
    private final byte[] current = new byte[LENGTH];

    /**
     * Draws the keys.
     *
     * @param count how many
     * @param skewed whether they are used as often as by Zipf's law with an exponent of 0.99, or each as often as any
     */
    StoreKeys(int count, boolean skewed) {
        this.count = count;
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
            int number = (int) shuffled[Math.min(count - 1, found < 0 ? -found - 1 : found)];
            System.arraycopy(key(number), 0, drawn, i * LENGTH, LENGTH);
        }
    }

    private static byte[] key(int number) {
        return ("key-" + (100_000_000_000L + number * 7_919L)).getBytes(US_ASCII);
    }

    /** Hands over every key once, each as an array of its own. */
    void forEach(Consumer<byte[]> action) {
        for (int i = 0; i < count; i++) {
            action.accept(key(i));
        }
    }

    /** Returns the key that is used at a turn, until the next turn. */
    byte[] at(int turn) {
        System.arraycopy(drawn, (turn & (DRAWS - 1)) * LENGTH, current, 0, LENGTH);
        return current;
    }
}
