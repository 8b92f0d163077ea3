package io.kvorum.core.snapshot;

import io.kvorum.core.engine.Checksum;
import io.kvorum.core.engine.Contents;
import io.kvorum.core.engine.ContentsScan;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.Stripe;
import io.kvorum.core.engine.Table;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Writes one snapshot. A slot is copied aside under the lock, until it ends or a chunk is full, and goes into the
 * current chunk if it fits there, or else into the next. Confined to one thread.
 */
final class SnapshotWriter {
    private final Contents[] contents; // by slot: those of the beginning
    private final InstantSource clock;
    private final SnapshotProgress progress;
    private final int chunkLength;
    private final OutputStream target;
    private final CRC32C checksum = new CRC32C();
    private final ByteBuf chunk = Unpooled.buffer();
    private final ByteBuf part = Unpooled.buffer();
    private long entries;
    private long chunks;
    private long bytes;

    SnapshotWriter(List<Engine> engines, int chunkLength, OutputStream target, SnapshotProgress progress) {
        IdentityHashMap<Engine, Contents> present = new IdentityHashMap<>();
        engines.forEach(engine -> present.put(engine, engine.contents()));
        this.contents = Arrays.stream(Engines.bySlot(engines)).map(present::get).toArray(Contents[]::new);
        this.clock = engines.get(0).clock();
        this.progress = progress;
        this.chunkLength = chunkLength;
        this.target = target;
    }

    SnapshotSummary write(SlotSet slots) throws IOException {
        Instant createdAt = Instant.ofEpochMilli(clock.millis());
        writeHeader(slots, createdAt);
        int done = 0;
        for (int slot = slots.next(0); slot >= 0; slot = slots.next(slot + 1)) {
            Stripe stripe = contents[slot].stripeOf(slot);
            if (stripe.size(slot) > 0) {
                writeSlot(stripe, slot);
            }
            done++;
            progress.at(done, slots.size(), bytes);
        }
        writeChunk();
        writeTotals();
        target.flush();
        return new SnapshotSummary(SnapshotFormat.VERSION, createdAt, slots, entries, chunks, bytes);
    }

    private void writeHeader(SlotSet slots, Instant createdAt) throws IOException {
        List<SlotRange> ranges = slots.ranges();
        ByteBuf header = Unpooled.buffer();
        header.writeLong(SnapshotFormat.MAGIC);
        header.writeShort(SnapshotFormat.VERSION);
        header.writeShort(0);
        header.writeLong(createdAt.toEpochMilli());
        header.writeShort(ranges.size());
        for (SlotRange range : ranges) {
            header.writeShort(range.first());
            header.writeShort(range.last());
        }
        header.writeInt(Checksum.of(header, 0, header.writerIndex()));
        emit(header);
    }

    private void writeSlot(Stripe stripe, int slot) throws IOException {
        try (PartialCursor cursor = new PartialCursor(stripe, slot)) {
            boolean more = true;
            while (more) {
                part.clear();
                more = cursor.copy();
                addPart(slot);
            }
        }
    }

    /** A walk over a slot, with the lock held only while it is under way. */
    private final class PartialCursor implements AutoCloseable {
        private final Stripe stripe;
        private final Table.Cursor cursor;

        PartialCursor(Stripe stripe, int slot) {
            this.stripe = stripe;
            stripe.lock();
            try {
                cursor = stripe.table().cursor(slot);
            } finally {
                stripe.unlock();
            }
        }

        /** Copies what has not expired, until the part is as long as a chunk. Returns false at the end of the slot. */
        boolean copy() {
            stripe.lock();
            try {
                long now = clock.millis();
                while (part.writerIndex() < chunkLength) {
                    if (!cursor.next()) {
                        return false;
                    }
                    if (cursor.deadline() < 0 || now <= cursor.deadline()) {
                        cursor.write(part);
                        entries++;
                    }
                }
                return true;
            } finally {
                stripe.unlock();
            }
        }

        @Override
        public void close() {
            stripe.lock();
            try {
                cursor.close();
            } finally {
                stripe.unlock();
            }
        }
    }

    private void addPart(int slot) throws IOException {
        if (!part.isReadable()) {
            return;
        }
        int length = part.readableBytes();
        if (chunk.writerIndex() > 0 && chunk.writerIndex() + ContentsScan.SLOT_HEADER + length > chunkLength) {
            writeChunk();
        }
        chunk.writeShort(slot);
        chunk.writeInt(length);
        chunk.writeBytes(part);
        if (chunk.writerIndex() >= chunkLength) {
            writeChunk();
        }
    }

    private void writeChunk() throws IOException {
        int length = chunk.readableBytes();
        if (length == 0) {
            return;
        }
        ByteBuf header = Unpooled.buffer(ContentsScan.CHUNK_HEADER);
        header.writeInt(length);
        header.writeInt(Checksum.of(chunk, 0, length));
        emit(header);
        emit(chunk);
        chunk.clear();
        chunks++;
    }

    private void writeTotals() throws IOException {
        ByteBuf totals = Unpooled.buffer();
        totals.writeInt(SnapshotFormat.END);
        totals.writeLong(entries);
        totals.writeLong(chunks);
        emit(totals);
        emit(Unpooled.buffer().writeInt((int) checksum.getValue()));
    }

    private void emit(ByteBuf source) throws IOException {
        int length = source.readableBytes();
        checksum.update(source.array(), source.arrayOffset() + source.readerIndex(), length);
        source.readBytes(target, length);
        bytes += length;
    }
}
