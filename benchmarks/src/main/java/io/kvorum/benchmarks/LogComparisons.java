package io.kvorum.benchmarks;

import io.kvorum.benchmarks.Comparison.Batch;
import io.kvorum.benchmarks.Comparison.Contender;
import io.kvorum.benchmarks.LogPeers.Peer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Phaser;
import java.util.function.Supplier;

/**
 * Records of 116 bytes through a replication log, appended and copied out in batches, beside queues that other programs
 * use for that: in one thread, and with one or two writers and a reader in threads of their own.
 *
 * <p>The CPU time of the process counts the collector, and with several threads the writers too, with what they spend
 * on waiting. The CPU time beside it is that of the reader alone, or of the one thread.
 */
final class LogComparisons {
    private static final int RECORDS = 256;
    private static final int BATCH_MILLIS = 50;

    private LogComparisons() {}

    /** All comparisons by their names. */
    static Map<String, Supplier<Comparison>> all() {
        Map<String, Supplier<Comparison>> all = new LinkedHashMap<>();
        all.put("log-one-thread", () -> comparison("log-one-thread", 0));
        all.put("log-1-writer", () -> comparison("log-1-writer", 1));
        all.put("log-2-writers", () -> comparison("log-2-writers", 2));
        return all;
    }

    private static Comparison comparison(String name, int writers) {
        List<Contender> contenders = new ArrayList<>();
        LogPeers.all()
                .forEach((peer, log) ->
                        contenders.add(new Contender(peer, writers == 0 ? oneThread(log) : new Beside(log, writers))));
        return new Comparison(name, contenders, writers == 0 ? 1 : BATCH_MILLIS, true);
    }

    private static Batch oneThread(Peer log) {
        return operations -> {
            long drained = 0;
            for (int i = 0; i < operations; i += RECORDS) {
                for (int j = 0; j < RECORDS; j++) {
                    log.append();
                }
                drained += log.drain();
            }
            return drained;
        };
    }

    /** Lets writers of its own append all records of a batch, while the caller reads them. */
    private static final class Beside implements Batch {
        private final Peer log;
        private final int writers;
        private final Phaser turns;
        private volatile int each;

        Beside(Peer log, int writers) {
            this.log = log;
            this.writers = writers;
            this.turns = new Phaser(writers + 1);
            for (int i = 0; i < writers; i++) {
                Thread writer = new Thread(this::write, "writer-" + i);
                writer.setDaemon(true);
                writer.start();
            }
        }

        private void write() {
            while (true) {
                turns.arriveAndAwaitAdvance();
                for (int i = each; i > 0; i--) {
                    log.append();
                }
            }
        }

        @Override
        public long run(int operations) {
            each = Math.max(1, operations / writers);
            long expected = (long) each * writers;
            turns.arriveAndAwaitAdvance();
            long drained = 0;
            while (drained < expected) {
                int count = log.drain();
                if (count == 0) {
                    LogPeers.idle();
                }
                drained += count;
            }
            return drained;
        }
    }
}
