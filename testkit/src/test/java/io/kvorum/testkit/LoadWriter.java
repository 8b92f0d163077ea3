package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.bytes;

import io.kvorum.core.KeyValueStore;
import io.kvorum.slots.topology.RefusedException;

/** A client that writes without a pause. What it counts may be read once it is stopped. */
final class LoadWriter {
    private final Thread thread;
    private final long startedAt = System.nanoTime();
    private long written;
    private long refused;
    private long failed;
    private long slowest;
    private long stoppedAt;
    private volatile boolean stopped;

    private LoadWriter(KeyValueStore store, int number, int keys, int size) {
        thread = new Thread(() -> write(store, number, keys, new byte[size]), "load-writer-" + number);
        thread.setDaemon(true);
    }

    static LoadWriter start(KeyValueStore store, int number, int keys, int size) {
        LoadWriter writer = new LoadWriter(store, number, keys, size);
        writer.thread.start();
        return writer;
    }

    private void write(KeyValueStore store, int number, int keys, byte[] value) {
        for (int i = 0; !stopped; i++) {
            byte[] key = bytes("load-" + number + "-" + i % keys);
            long begun = System.nanoTime();
            try {
                store.set(key, value);
                written++;
            } catch (RefusedException e) {
                if (e.kind() == RefusedException.Kind.OVERLOADED) {
                    refused++;
                } else {
                    failed++;
                }
            } catch (RuntimeException e) {
                failed++;
            }
            slowest = Math.max(slowest, System.nanoTime() - begun);
        }
    }

    void stop() throws InterruptedException {
        stopped = true;
        thread.join();
        stoppedAt = System.nanoTime();
    }

    long written() {
        return written;
    }

    /** {@return how many writes found no room in the log, and so were never made} */
    long refused() {
        return refused;
    }

    /** {@return how many ended otherwise} */
    long failed() {
        return failed;
    }

    @Override
    public String toString() {
        long perSecond = (long) (written / ((stoppedAt - startedAt) / 1e9));
        return written + " writes, " + perSecond + " a second, " + refused + " refused, " + failed
                + " failed, the slowest " + slowest / 1_000_000 + " ms";
    }
}
