package io.kvorum.testkit.simulation;

/**
 * Writes at a constant rate to whatever node is the primary of a shard, as writers in the primary's own process do: no
 * write waits for an answer.
 *
 * <p>Confined to one thread.
 */
final class Load {
    private static final long PERIOD = 20 * Plan.MILLISECOND;
    private static final int PERCENT = 100;

    private final Cluster cluster;
    private final EventQueue queue;
    private final int shard;
    private final long end;
    private final double perPeriod;
    private double due;
    private long written;

    /**
     * Makes a load that is not begun.
     *
     * @param percent the rate, by what a replica can take
     */
    Load(Cluster cluster, EventQueue queue, int shard, long end, int percent) {
        this.cluster = cluster;
        this.queue = queue;
        this.shard = shard;
        this.end = end;
        double bytesPerSecond = DataNode.takes(cluster.plan()) * percent / PERCENT;
        int bytes = Math.max(64, cluster.plan().valueBytes() / 2 + 40);
        this.perPeriod = bytesPerSecond / bytes * PERIOD / Plan.SECOND;
    }

    void run() {
        if (queue.now() >= end) {
            return;
        }
        due += perPeriod;
        DataNode primary = cluster.primaryOf(shard);
        while (due >= 1) {
            due--;
            if (primary != null
                    && primary.process().isUp()
                    && !primary.process().isPaused()) {
                primary.writeUnchecked(cluster.keys().unchecked(shard, written), cluster.valueNumber(written));
                cluster.coverage().count(Sometimes.LOAD);
            }
            written++;
        }
        queue.schedule(queue.now() + PERIOD, this::run);
    }
}
