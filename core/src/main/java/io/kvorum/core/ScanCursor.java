package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.MalformedTextException;
import java.util.Locale;

/**
 * Where a scan stands. It is good for every store: none keeps anything for it.
 *
 * <p>A scan goes through the slots in their order, and through the keys of a slot in the order of a hash that is the
 * same everywhere.
 *
 * <p>Immutable.
 *
 * @param slot the slot it stands in; 16,384 at the end
 * @param position how far it is in the slot: keys with smaller hashes, as unsigned numbers, are behind it
 */
public record ScanCursor(int slot, long position) {
    /** The beginning. */
    public static final ScanCursor START = new ScanCursor(0, 0);

    /** The end. */
    static final ScanCursor END = new ScanCursor(HashSlot.COUNT, 0);

    /**
     * Checks the slot.
     *
     * @throws IllegalArgumentException if there is no such slot, or a position after the last one
     */
    public ScanCursor {
        if (slot < 0 || slot > HashSlot.COUNT) {
            throw new IllegalArgumentException("slot of a cursor must be 0 to " + HashSlot.COUNT + ": " + slot);
        }
        if (slot == HashSlot.COUNT && position != 0) {
            throw new IllegalArgumentException("the end has no position: " + position);
        }
    }

    /** {@return whether nothing is left} */
    public boolean isEnd() {
        return slot == HashSlot.COUNT;
    }

    /** {@return the cursor as text, for instance {@code 5460-00000000000003ff}} {@link #parse} reads it. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%d-%016x", slot, position);
    }

    /**
     * Reads what {@link #toString} wrote.
     *
     * @param text the text
     * @return the cursor
     * @throws MalformedTextException if it is not the text of a cursor
     */
    public static ScanCursor parse(String text) {
        int dash = text.indexOf('-');
        if (dash < 1) {
            throw new MalformedTextException(0, "a cursor must be a slot, a dash and a position");
        }
        try {
            ScanCursor cursor = new ScanCursor(
                    Integer.parseInt(text, 0, dash, 10), Long.parseUnsignedLong(text, dash + 1, text.length(), 16));
            if (cursor.toString().equals(text)) {
                return cursor;
            }
        } catch (IllegalArgumentException e) {
            throw new MalformedTextException(0, "a cursor must be as this library writes it: " + e.getMessage());
        }
        throw new MalformedTextException(0, "a cursor must be as this library writes it");
    }
}
