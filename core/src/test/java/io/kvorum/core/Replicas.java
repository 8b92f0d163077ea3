package io.kvorum.core;

import io.kvorum.core.engine.MutationWriter;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Stores that are built from what other stores emit. */
public final class Replicas {
    /** A record of a log, as a sink received it. */
    public record Change(int slot, ByteBuf payload) {
        public static Change copyOf(int slot, ByteBuf payload) {
            return new Change(slot, Unpooled.copiedBuffer(payload));
        }
    }

    private Replicas() {}

    public static LocalStore empty(long seed) {
        return new LocalStore(StoreSettings.defaults().withStripes(8), seed, () -> Instant.EPOCH);
    }

    public static LocalStore of(Collection<Entry> entries) {
        LocalStore store = empty(99);
        ByteBuf change = Unpooled.buffer();
        for (Entry entry : entries) {
            change.clear();
            MutationWriter.put(change, entry.key(), entry.value(), entry.deadline());
            store.replicatedState().apply(HashSlot.of(entry.key()), change);
        }
        return store;
    }

    public static void apply(LocalStore store, List<Change> changes) {
        for (Change change : changes) {
            store.replicatedState().apply(change.slot(), change.payload());
        }
    }

    public static List<ByteBuf> chunks(LocalStore store, int maxBytes) {
        List<ByteBuf> chunks = new ArrayList<>();
        try (SnapshotScan scan = store.replicatedState().snapshot()) {
            ByteBuf chunk = Unpooled.buffer();
            while (scan.next(chunk, maxBytes)) {
                chunks.add(chunk);
                chunk = Unpooled.buffer();
            }
        }
        return chunks;
    }

    public static void load(LocalStore store, List<ByteBuf> chunks) {
        Restoration restoration = store.replicatedState().restore();
        chunks.forEach(restoration::load);
        restoration.complete();
    }
}
