package io.kvorum.testkit.guide;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/** The best score of each player. Records and the entries of a snapshot are lines {@code player=score}. */
public final class HighScores implements ReplicatedState {
    private final ReplicationLog log;
    private Map<String, Integer> scores = new TreeMap<>();

    public HighScores(ReplicationLog log) {
        this.log = log;
    }

    /** Enters a score at the primary; returns the position that a majority must have for it to last. */
    public LogPosition enter(String player, int score) {
        int slot = HashSlot.of(player.getBytes(UTF_8));
        log.awaitRoom(slot, 0); // before the lock; refused if replicas lag too far
        synchronized (this) {
            if (score > best(player)) {
                ByteBuf record = Unpooled.copiedBuffer(player + "=" + score + "\n", UTF_8);
                log.append(slot, record); // first: refused unless this node is the primary
                merge(scores, record);
            }
            return log.end();
        }
    }

    public synchronized int best(String player) {
        return scores.getOrDefault(player, 0);
    }

    public synchronized Map<String, Integer> all() {
        return Map.copyOf(scores);
    }

    private static void merge(Map<String, Integer> target, ByteBuf lines) {
        lines.toString(UTF_8).lines().forEach(line -> {
            int equals = line.lastIndexOf('=');
            target.merge(line.substring(0, equals), Integer.valueOf(line.substring(equals + 1)), Math::max);
        });
    }

    @Override
    public synchronized void apply(int slot, ByteBuf payload) {
        merge(scores, payload);
    }

    @Override
    public SnapshotScan snapshot() {
        Iterator<String> players = all().keySet().iterator();
        return new SnapshotScan() {
            @Override
            public boolean next(ByteBuf target, int maxBytes) {
                boolean some = players.hasNext();
                int limit = target.writerIndex() + maxBytes;
                while (players.hasNext() && target.writerIndex() < limit) {
                    String player = players.next();
                    target.writeCharSequence(player + "=" + best(player) + "\n", UTF_8);
                }
                return some;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Restoration restore() {
        Map<String, Integer> aside = new TreeMap<>();
        return new Restoration() {
            @Override
            public void load(ByteBuf entries) {
                merge(aside, entries);
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                merge(aside, payload);
            }

            @Override
            public void complete() {
                replace(aside);
            }

            @Override
            public void abort() {}
        };
    }

    private synchronized void replace(Map<String, Integer> restored) {
        scores = restored;
    }
}
