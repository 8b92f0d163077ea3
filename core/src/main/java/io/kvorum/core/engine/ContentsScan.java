package io.kvorum.core.engine;

import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Walks through the slots, stripe by stripe, and holds a lock no longer than it takes to fill one chunk.
 *
 * <p>A chunk is the length of what follows the checksum (4 bytes), the CRC-32C of that (4 bytes), then for each slot
 * its number (2 bytes), the length of its entries (4 bytes) and the entries as one change.
 */
public final class ContentsScan implements SnapshotScan {
    public static final int CHUNK_HEADER = 2 * Integer.BYTES;
    public static final int SLOT_HEADER = Short.BYTES + Integer.BYTES;

    private final Contents contents;
    private int stripeIndex;
    private int slot;
    private Table.@Nullable Cursor cursor;

    ContentsScan(Contents contents) {
        this.contents = contents;
    }

    @Override
    public boolean next(ByteBuf target, int maxBytes) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("maxBytes must be at least 1: " + maxBytes);
        }
        int start = target.writerIndex();
        target.writeZero(CHUNK_HEADER);
        int first = target.writerIndex();
        while (stripeIndex < contents.stripes() && target.writerIndex() - first < maxBytes) {
            Stripe stripe = contents.stripe(stripeIndex);
            stripe.lock();
            try {
                writeSlots(stripe.table(), target, first, maxBytes);
            } finally {
                stripe.unlock();
            }
        }
        int length = target.writerIndex() - first;
        if (length == 0) {
            target.writerIndex(start);
            return false;
        }
        target.setInt(start, length);
        target.setInt(start + Integer.BYTES, Checksum.of(target, first, length));
        return true;
    }

    /** Writes until the chunk is full, or to the end of the stripe, and then moves on to the next stripe. */
    private void writeSlots(Table table, ByteBuf target, int first, int maxBytes) {
        while (slot < HashSlot.COUNT) {
            if (cursor == null && table.size(slot) > 0) {
                cursor = table.cursor(slot);
            }
            if (cursor != null) {
                if (!writeSlot(cursor, target, first, maxBytes)) {
                    return;
                }
                cursor.close();
                cursor = null;
            }
            slot += contents.stripes();
        }
        stripeIndex++;
        slot = stripeIndex;
    }

    /** Returns whether the slot is finished, rather than the chunk full. */
    private boolean writeSlot(Table.Cursor entries, ByteBuf target, int first, int maxBytes) {
        int header = target.writerIndex();
        if (header - first >= maxBytes) {
            return false;
        }
        target.writeZero(SLOT_HEADER);
        int begin = target.writerIndex();
        boolean more = entries.next();
        while (more) {
            entries.write(target);
            if (target.writerIndex() - first >= maxBytes) {
                break;
            }
            more = entries.next();
        }
        if (target.writerIndex() == begin) {
            target.writerIndex(header);
        } else {
            target.setShort(header, slot);
            target.setInt(header + Short.BYTES, target.writerIndex() - begin);
        }
        return !more;
    }

    @Override
    public void close() {
        if (cursor != null) {
            Stripe stripe = contents.stripe(stripeIndex);
            stripe.lock();
            try {
                cursor.close();
            } finally {
                stripe.unlock();
            }
            cursor = null;
        }
        stripeIndex = contents.stripes();
    }
}
