package io.kvorum.core;

import io.kvorum.core.engine.KeyHash;
import io.kvorum.slots.HashSlot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Scans that need no memory at the store: slot by slot, and within a slot in the order of a hash that every store
 * knows, so that a cursor is good wherever the slot is by then.
 */
final class SlotScan {
    /** Into how many pages a slot is divided at the most. */
    private static final int MAX_PARTS = 64;

    private static final KeyHash ORDER = new KeyHash(0x6b766f72756d2d31L, 0x7363616e2d6f7264L);
    private static final int TRIES = 16;

    /** Shows the keys of one slot that exist. */
    interface Keys {
        int count(int slot);

        void forEach(int slot, Consumer<byte[]> action);
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
                int wanted = Math.max(options.count() - looked, (held + MAX_PARTS - 1) / MAX_PARTS);
                Part part = new Part(position, wanted);
                source.forEach(slot, part::offer);
                part.addTo(keys, options.filter());
                looked += part.size;
                if (part.hasLeftOut) {
                    return new ScanPage(keys, part.end(slot));
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
            public void forEach(int slot, Consumer<byte[]> action) {
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

    /** Returns a key of a slot, each as likely as any other, or null if none exists. */
    static byte @Nullable [] randomKey(Keys source, int slot) {
        Drawing drawing = new Drawing();
        source.forEach(slot, drawing);
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

    /**
     * The keys of a slot with the smallest hashes from a position on: as many as wanted, and those that share the
     * largest of these hashes.
     */
    private static final class Part {
        private final TreeMap<Long, List<byte[]>> byHash = new TreeMap<>(Long::compareUnsigned);
        private final long position;
        private final int wanted;
        private int size;
        private boolean hasLeftOut;

        Part(long position, int wanted) {
            this.position = position;
            this.wanted = wanted;
        }

        void offer(byte[] key) {
            long order = ORDER.of(key);
            if (Long.compareUnsigned(order, position) < 0) {
                return;
            }
            byHash.computeIfAbsent(order, hash -> new ArrayList<>(1)).add(key);
            size++;
            Map.Entry<Long, List<byte[]>> last = byHash.lastEntry();
            while (last != null && size - last.getValue().size() >= wanted) {
                size -= last.getValue().size();
                byHash.remove(last.getKey());
                hasLeftOut = true;
                last = byHash.lastEntry();
            }
        }

        void addTo(List<byte[]> keys, KeyFilter filter) {
            byHash.values()
                    .forEach(sameHash ->
                            sameHash.stream().filter(filter::accepts).forEach(keys::add));
        }

        /** Returns the cursor behind the last key; something was left out, so its hash is not the largest of all. */
        ScanCursor end(int slot) {
            return new ScanCursor(slot, byHash.lastKey() + 1);
        }
    }
}
