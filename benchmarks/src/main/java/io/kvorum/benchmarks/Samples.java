package io.kvorum.benchmarks;

import java.util.Arrays;

/** Measured values, of which quantiles are wanted. Confined to one thread. */
final class Samples {
    private long[] values = new long[1024];
    private int count;

    void add(long value) {
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = value;
    }

    void addAll(Samples others) {
        for (int i = 0; i < others.count; i++) {
            add(others.values[i]);
        }
    }

    int count() {
        return count;
    }

    /** Returns the smallest value that at least such a share of all values does not exceed; 0 if there are none. */
    long quantile(double share) {
        if (count == 0) {
            return 0;
        }
        Arrays.sort(values, 0, count);
        return values[Math.max(0, (int) Math.ceil(share * count) - 1)];
    }

    long median() {
        return quantile(0.5);
    }
}
