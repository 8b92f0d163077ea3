package io.kvorum.testkit.simulation;

import java.util.random.RandomGenerator;

/**
 * Chance that depends on nothing but the seed, a stream and a count: the n-th number of a stream is the same whatever
 * the other streams were asked for, so that taking one fault out of a run disturbs the rest little. The numbers are
 * those of SplitMix64, and all derived draws are made here, so they are the same on each JDK.
 *
 * <p>Confined to one thread.
 */
final class Randomness implements RandomGenerator {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
    private static final int THOUSAND = 1000;

    private final long seed;
    private long count;

    private Randomness(long mixed) {
        this.seed = mixed;
    }

    /** {@return one stream of a seed, at its beginning} */
    static Randomness stream(long seed, long stream) {
        return new Randomness(hash(seed, stream, 0));
    }

    /** {@return the {@code n}-th number of a stream of a seed} */
    static long hash(long seed, long stream, long n) {
        return mix(mix(mix(seed + GOLDEN_GAMMA) + stream * GOLDEN_GAMMA) + n * GOLDEN_GAMMA);
    }

    /** SplitMix64's finisher, a bijection. */
    static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** {@return a number below {@code bound} made of {@code bits}; unbiased enough for bounds below 2^31} */
    static long below(long bits, long bound) {
        return Math.floorMod(bits >>> 1, bound);
    }

    @Override
    public long nextLong() {
        return mix(seed + GOLDEN_GAMMA * ++count);
    }

    @Override
    public int nextInt() {
        return (int) (nextLong() >>> 32);
    }

    @Override
    public int nextInt(int bound) {
        return (int) nextLong(bound);
    }

    @Override
    public int nextInt(int origin, int bound) {
        return (int) nextLong(origin, bound);
    }

    @Override
    public long nextLong(long bound) {
        return nextLong(0, bound);
    }

    @Override
    public long nextLong(long origin, long bound) {
        if (origin >= bound) {
            throw new IllegalArgumentException("bound must be above " + origin + ": " + bound);
        }
        return origin + below(nextLong(), bound - origin);
    }

    @Override
    public double nextDouble() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }

    @Override
    public boolean nextBoolean() {
        return nextLong() < 0;
    }

    /** {@return true {@code perMille} times in a thousand} */
    boolean chance(int perMille) {
        return nextInt(THOUSAND) < perMille;
    }

    /** {@return a number from {@code low} to {@code high}, each order of magnitude as likely as another} */
    long magnitude(long low, long high) {
        int steps = 63 - Long.numberOfLeadingZeros(high / low);
        long base = low << nextInt(steps + 1);
        return Math.min(high, base + nextLong(base));
    }
}
