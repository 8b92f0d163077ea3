package io.kvorum.failover;

/**
 * For how long an observer could not have heard anything, since it last heard something: all that it was late, but no
 * more than twice the longest time at once. One that is late with every step could else hide any silence.
 */
final class Lateness {
    private long sum;
    private long longest;

    void add(long nanos) {
        sum += nanos;
        longest = Math.max(longest, nanos);
    }

    void reset() {
        sum = 0;
        longest = 0;
    }

    long nanos() {
        return Math.min(sum, 2 * longest);
    }
}
