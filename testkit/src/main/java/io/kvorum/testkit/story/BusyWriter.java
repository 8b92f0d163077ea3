package io.kvorum.testkit.story;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * A client that writes one key after the other into one shard, as fast as it is acknowledged, and goes on when it is
 * refused. Remembers what was acknowledged and when.
 *
 * <p>What it remembers may be read once it is stopped.
 */
final class BusyWriter {
    private static final long PAUSE_NANOS = 1_000_000;

    private final KeyValueStore store;
    private final String prefix;
    private final Thread thread;
    private final Map<String, String> acknowledged = new LinkedHashMap<>();
    private final List<Long> acknowledgedAt = new ArrayList<>();
    private int refused;
    private int unknown;
    private volatile int count;
    private volatile boolean stopped;

    private BusyWriter(KeyValueStore store, String prefix) {
        this.store = store;
        this.prefix = prefix;
        this.thread = new Thread(this::write, "story-writer");
        thread.setDaemon(true);
    }

    static BusyWriter start(KeyValueStore store, String prefix) {
        BusyWriter writer = new BusyWriter(store, prefix);
        writer.thread.start();
        return writer;
    }

    private void write() {
        for (int i = 1; !stopped; i++) {
            String key = prefix + i;
            String value = "written-" + i;
            try {
                store.set(key.getBytes(UTF_8), value.getBytes(UTF_8));
                acknowledged.put(key, value);
                acknowledgedAt.add(System.nanoTime());
                count = acknowledged.size();
            } catch (RefusedException e) {
                refused++;
                LockSupport.parkNanos(PAUSE_NANOS);
            } catch (OutcomeUnknownException e) {
                unknown++;
            }
        }
    }

    /** {@return how many writes have been acknowledged so far} */
    int count() {
        return count;
    }

    /** Stops the writer and waits for its end. */
    void stop() throws InterruptedException {
        stopped = true;
        thread.join();
    }

    /** {@return the acknowledged keys with their values} */
    Map<String, String> acknowledged() {
        return acknowledged;
    }

    /** {@return how many writes were refused, and so never made} */
    int refused() {
        return refused;
    }

    /** {@return how many writes have an unknown outcome} */
    int unknown() {
        return unknown;
    }

    /** {@return the longest time between two acknowledgements of which the second came after a moment} */
    long longestPauseAfter(long nanos) {
        long longest = 0;
        for (int i = 1; i < acknowledgedAt.size(); i++) {
            if (acknowledgedAt.get(i) - nanos > 0) {
                longest = Math.max(longest, acknowledgedAt.get(i) - acknowledgedAt.get(i - 1));
            }
        }
        return longest;
    }
}
