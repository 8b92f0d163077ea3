package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the feeders of one leadership share: the log as of this step, the batches read in it, the numbers of messages.
 */
final class Feed {
    /** Records that were read once for all replicas that continue there. */
    record Batch(LogPosition previous, ByteBuf records) {}

    final ReplicationSettings settings;
    final NodeIdentity identity;
    final MachineLog log;
    final Outbox outbox;
    final ByteBufAllocator allocator;
    final long epoch;

    private final List<Batch> batches = new ArrayList<>();
    private MachineLog.Snapshot view;
    private long sequence;
    private long committed;

    Feed(
            ReplicationSettings settings,
            NodeIdentity identity,
            MachineLog log,
            Outbox outbox,
            ByteBufAllocator allocator,
            long epoch,
            long committed) {
        this.settings = settings;
        this.identity = identity;
        this.log = log;
        this.outbox = outbox;
        this.allocator = allocator;
        this.epoch = epoch;
        this.committed = committed;
        this.view = log.snapshot();
    }

    /** {@return the log as of the beginning of this step} */
    MachineLog.Snapshot view() {
        return view;
    }

    long end() {
        return view.end().offset();
    }

    void refresh() {
        view = log.snapshot();
    }

    long committed() {
        return committed;
    }

    void commit(long offset) {
        committed = offset;
    }

    /** {@return the number of the newest message} */
    long sequence() {
        return sequence;
    }

    long nextSequence() {
        return ++sequence;
    }

    void send(NodeId to, ReplicationMessage message) {
        outbox.send(to, message);
    }

    /** {@return the batch that begins at an offset before the end; null if the log no longer retains it} */
    @Nullable
    Batch batchAt(long from) {
        for (int i = 0; i < batches.size(); i++) {
            if (batches.get(i).previous.offset() == from) {
                return batches.get(i);
            }
        }
        int size = (int) Math.min(end() - from, settings.batchBytes());
        ByteBuf records = allocator.buffer(size);
        boolean read = false;
        try {
            read = log.read(from, records, size) > 0;
        } finally {
            if (!read) {
                records.release();
            }
        }
        if (!read) {
            return null;
        }
        Batch batch = new Batch(view.history().positionAt(from), records);
        batches.add(batch);
        return batch;
    }

    /** Lets go of the batches of this step. */
    void endStep() {
        for (int i = 0; i < batches.size(); i++) {
            batches.get(i).records.release();
        }
        batches.clear();
    }
}
