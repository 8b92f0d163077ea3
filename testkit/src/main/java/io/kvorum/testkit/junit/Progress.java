package io.kvorum.testkit.junit;

import java.util.concurrent.TimeUnit;

/**
 * Tells how far a long run is, every ten seconds of real time.
 *
 * <p>Safe for use by any number of threads.
 */
final class Progress {
    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String test;
    private final long seeds;
    private final long begin = System.nanoTime();
    private long told = begin;
    private long done;
    private long failed;

    Progress(String test, long seeds) {
        this.test = test;
        this.seeds = seeds;
    }

    synchronized void ended(boolean well) {
        done++;
        failed += well ? 0 : 1;
        long now = System.nanoTime();
        if (now - told >= PERIOD_NANOS) {
            told = now;
            System.out.println(test + ": " + done + " of " + seeds + " seeds, " + failed + " failed, in "
                    + TimeUnit.NANOSECONDS.toSeconds(now - begin) + " s");
        }
    }
}
