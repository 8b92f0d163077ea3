package io.kvorum.core.engine;

import io.kvorum.core.engine.StoreEvents.FullSyncEvent;
import io.kvorum.replication.Restoration;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Fills new contents, which nobody else sees before they are complete, and hands them over. */
final class ContentsRestoration implements Restoration {
    private final KeyHash hash;
    private final Consumer<Contents> onComplete;
    private final FullSyncEvent event = new FullSyncEvent();
    private @Nullable Contents contents;

    ContentsRestoration(EngineSettings settings, KeyHash hash, Consumer<Contents> onComplete) {
        this.contents = new Contents(settings, hash);
        this.hash = hash;
        this.onComplete = onComplete;
        event.begin();
    }

    @Override
    public void load(ByteBuf entries) {
        Contents target = contents();
        int index = entries.readerIndex();
        int end = entries.writerIndex();
        while (index < end) {
            require(ContentsScan.CHUNK_HEADER, end - index);
            int length = entries.getInt(index);
            int checksum = entries.getInt(index + Integer.BYTES);
            index += ContentsScan.CHUNK_HEADER;
            require(length, end - index);
            if (Checksum.of(entries, index, length) != checksum) {
                throw new IllegalArgumentException("snapshot is damaged: wrong checksum of a chunk of " + length);
            }
            loadSlots(target, entries, index, index + length);
            index += length;
        }
    }

    private void loadSlots(Contents target, ByteBuf entries, int from, int end) {
        int index = from;
        while (index < end) {
            require(ContentsScan.SLOT_HEADER, end - index);
            int slot = entries.getUnsignedShort(index);
            if (slot >= HashSlot.COUNT) {
                throw new IllegalArgumentException("snapshot is damaged: slot " + slot);
            }
            int length = entries.getInt(index + Short.BYTES);
            index += ContentsScan.SLOT_HEADER;
            require(length, end - index);
            Contents.apply(target.stripeOf(slot), hash, slot, entries, index, index + length);
            index += length;
        }
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        Contents target = contents();
        HashSlot.check(slot);
        Contents.apply(target.stripeOf(slot), hash, slot, payload, payload.readerIndex(), payload.writerIndex());
    }

    @Override
    public void complete() {
        Contents finished = contents();
        contents = null;
        onComplete.accept(finished);
        event.end();
        if (event.shouldCommit()) {
            event.entries = finished.size();
            event.commit();
        }
    }

    @Override
    public void abort() {
        contents = null;
    }

    private Contents contents() {
        Contents present = contents;
        if (present == null) {
            throw new IllegalStateException("the restoration is over");
        }
        return present;
    }

    private static void require(int wanted, int left) {
        if (wanted < 0 || wanted > left) {
            throw new IllegalArgumentException("snapshot is cut off: " + wanted + " bytes wanted, " + left + " left");
        }
    }
}
