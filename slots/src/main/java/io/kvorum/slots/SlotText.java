package io.kvorum.slots;

/** A parser of slots and ranges of slots. */
final class SlotText {
    private static final int MAX_DIGITS = 5;

    private final String text;
    private int position;

    SlotText(String text) {
        this.text = text;
    }

    int position() {
        return position;
    }

    boolean atEnd() {
        return position == text.length();
    }

    SlotRange range() {
        int start = position;
        int first = slot();
        if (atEnd() || text.charAt(position) != '-') {
            return new SlotRange(first, first);
        }
        position++;
        int last = slot();
        if (last < first) {
            throw new MalformedTextException(start, "last slot must be at least the first: " + first + "-" + last);
        }
        return new SlotRange(first, last);
    }

    void expectEnd() {
        if (!atEnd()) {
            throw new MalformedTextException(position, "text must end after a range");
        }
    }

    void skipSpace() {
        while (!atEnd() && text.charAt(position) == ' ') {
            position++;
        }
    }

    /** Skips spaces, at most one comma, and spaces; returns whether there was a comma. */
    boolean skipSeparator() {
        int start = position;
        skipSpace();
        boolean comma = !atEnd() && text.charAt(position) == ',';
        if (comma) {
            position++;
            skipSpace();
        } else if (position == start && !atEnd()) {
            throw new MalformedTextException(position, "ranges must be separated by a comma or a space");
        }
        return comma;
    }

    private int slot() {
        int start = position;
        int slot = 0;
        while (!atEnd() && isDigit(text.charAt(position))) {
            if (position - start == MAX_DIGITS) {
                throw new MalformedTextException(start, "slot must have at most " + MAX_DIGITS + " digits");
            }
            slot = slot * 10 + (text.charAt(position) - '0');
            position++;
        }
        if (position == start) {
            throw new MalformedTextException(position, "slot must be a decimal number");
        }
        if (slot >= HashSlot.COUNT) {
            throw new MalformedTextException(start, "slot must be between 0 and " + (HashSlot.COUNT - 1) + ": " + slot);
        }
        return slot;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
