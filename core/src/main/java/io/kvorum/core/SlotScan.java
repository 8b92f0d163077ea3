package io.kvorum.core;

import io.kvorum.core.engine.KeyHash;
import io.kvorum.slots.HashSlot;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Scans that need no memory at the store: slot by slot, and within a slot in the order of a hash that every store
 * knows, so that a cursor is good wherever the slot is by then.
 */
final class SlotScan {
    /** Into how many pages a slot that is in one part is divided at the most, about. */
    private static final int MAX_PAGES = 64;

    private static final int TRIES = 16;

    /** Shows the keys of one slot that exist. */
    interface Keys {
        int count(int slot);

        /** Draws a key of a slot; null if there is none, or if what was drawn does not exist any more. */
        default byte @Nullable [] draw(int slot) {
            return null;
        }

        /** Returns into how many parts a slot is divided, one of which is looked at at least. */
        default int parts(int slot) {
            return 1;
        }

        /** Shows at least the keys of a range of {@link KeyHash#ORDER}, both ends among it. */
        void forEach(int slot, long first, long last, Consumer<byte[]> action);
    }

    private SlotScan() {}

    /** Returns a page of the slots up to the last one of the options. */
    static ScanPage page(KeyValueStore store, ScanCursor cursor, ScanOptions options) {
        return page(keysOf(store), cursor, options);
    }

    static ScanPage page(Keys source, ScanCursor cursor, ScanOptions options) {
        int lastSlot = lastSlot(cursor, options);
        List<byte[]> keys = new ArrayList<>();
        int looked = 0;
        long position = cursor.position();
        for (int slot = cursor.slot(); slot <= lastSlot; slot++) {
            int held = source.count(slot);
            if (held > 0) {
                int pages = Math.max(MAX_PAGES, source.parts(slot));
                int wanted = Math.max(options.count() - looked, (held + pages - 1) / pages);
                Part part = new Part(position, held, wanted);
                source.forEach(slot, position, part.isLast ? -1 : part.end - 1, part::offer);
                part.keys.stream().filter(options.filter()::accepts).forEach(keys::add);
                looked += part.keys.size();
                if (!part.isLast) {
                    return new ScanPage(keys, new ScanCursor(slot, part.end));
                }
                if (looked >= options.count()) {
                    return new ScanPage(keys, after(slot));
                }
            }
            position = 0;
        }
        return new ScanPage(keys, after(lastSlot));
    }

    /** Returns the last slot of a page, which is that of the cursor or comes after it. */
    static int lastSlot(ScanCursor cursor, ScanOptions options) {
        if (cursor.isEnd()) {
            throw new IllegalArgumentException("a cursor at the end has no next page");
        }
        if (cursor.slot() > options.lastSlot()) {
            throw new IllegalArgumentException(
                    "a cursor must be at slot " + options.lastSlot() + " or before it: " + cursor.slot());
        }
        return options.lastSlot();
    }

    static ScanCursor after(int slot) {
        return slot == HashSlot.COUNT - 1 ? ScanCursor.END : new ScanCursor(slot + 1, 0);
    }

    private static Keys keysOf(KeyValueStore store) {
        return new Keys() {
            @Override
            public int count(int slot) {
                return store.countInSlot(slot);
            }

            @Override
            public void forEach(int slot, long first, long last, Consumer<byte[]> action) {
                store.forEachInSlot(slot, entry -> action.accept(entry.key()));
            }
        };
    }

    /** Draws a key by drawing a slot, each by the number of its keys, again if all keys there have expired. */
    static byte @Nullable [] randomKey(KeyValueStore store) {
        Keys source = keysOf(store);
        for (int i = 0; i < TRIES; i++) {
            long drawn = ThreadLocalRandom.current().nextLong(Math.max(1, store.size()));
            int slot = 0;
            while (slot < HashSlot.COUNT - 1 && drawn >= store.countInSlot(slot)) {
                drawn -= store.countInSlot(slot);
                slot++;
            }
            byte[] key = randomKey(source, slot);
            if (key != null) {
                return key;
            }
        }
        return anyKey(source);
    }

    /** Returns a key of a slot, or null if none exists: each as likely as any other, unless nearly all have expired. */
    static byte @Nullable [] randomKey(Keys source, int slot) {
        for (int i = 0; i < TRIES; i++) {
            byte[] key = source.draw(slot);
            if (key != null) {
                return key;
            }
        }
        int parts = source.parts(slot);
        int first = ThreadLocalRandom.current().nextInt(parts);
        Drawing drawing = new Drawing();
        for (int i = 0; i < parts && drawing.drawn == null; i++) {
            long from = (first + i) % parts * (Long.divideUnsigned(-1, parts) + 1); // parts is a power of two
            long to = from + Long.divideUnsigned(-1, parts);
            source.forEach(slot, from, to, drawing);
        }
        return drawing.drawn;
    }

    /** Returns a key of the first slot, from a random one on, in which one exists; null if there is none. */
    static byte @Nullable [] anyKey(Keys source) {
        int first = ThreadLocalRandom.current().nextInt(HashSlot.COUNT);
        for (int i = 0; i < HashSlot.COUNT; i++) {
            int slot = (first + i) % HashSlot.COUNT;
            byte[] key = source.count(slot) == 0 ? null : randomKey(source, slot);
            if (key != null) {
                return key;
            }
        }
        return null;
    }

    /** Keeps each key that comes with a chance of one in the number of keys so far. */
    private static final class Drawing implements Consumer<byte[]> {
        private int seen;
        private byte @Nullable [] drawn;

        @Override
        public void accept(byte[] key) {
            seen++;
            if (ThreadLocalRandom.current().nextInt(seen) == 0) {
                drawn = key;
            }
        }
    }

    /** The keys of a slot whose hashes are in a range, which is as wide as takes in about as many as are wanted. */
    private static final class Part {
        private final List<byte[]> keys = new ArrayList<>();
        private final long position;
        private final long end;
        private final boolean isLast;

        Part(long position, int held, int wanted) {
            this.position = position;
            this.end = position + Long.divideUnsigned(-1, held) * wanted;
            this.isLast = wanted >= held || Long.compareUnsigned(end, position) <= 0;
        }

        void offer(byte[] key) {
            long order = KeyHash.ORDER.of(key);
            if (Long.compareUnsigned(order, position) >= 0 && (isLast || Long.compareUnsigned(order, end) < 0)) {
                keys.add(key);
            }
        }
    }
}
