package io.kvorum.slots.runtime;

import java.util.Locale;

/** Spans of time as a person reads them. */
public final class ReadableTime {
    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000 * MICRO;
    private static final long SECOND = 1_000 * MILLI;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    private ReadableTime() {}

    /**
     * Writes a span of time with two or three digits that matter.
     *
     * @param nanos the span in nanoseconds; not negative
     * @return the span, as in {@code 350 us}, {@code 24 ms}, {@code 1.3 s}, {@code 12 min 5 s}, {@code 3 h 20 min}
     */
    public static String of(long nanos) {
        if (nanos < MILLI) {
            return nanos / MICRO + " us";
        } else if (nanos < SECOND) {
            return nanos / MILLI + " ms";
        } else if (nanos < MINUTE) {
            return String.format(Locale.ROOT, "%d.%d s", nanos / SECOND, nanos % SECOND / (SECOND / 10));
        } else if (nanos < HOUR) {
            return nanos / MINUTE + " min " + nanos % MINUTE / SECOND + " s";
        } else if (nanos < DAY) {
            return nanos / HOUR + " h " + nanos % HOUR / MINUTE + " min";
        } else {
            return nanos / DAY + " d " + nanos % DAY / HOUR + " h";
        }
    }
}
