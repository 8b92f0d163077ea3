package io.kvorum.core;

import java.util.List;
import java.util.Objects;

/**
 * A part of the keys of a store.
 *
 * @param keys the keys, which belong to whoever receives them; maybe none although there are more
 * @param next where to go on
 */
public record ScanPage(List<byte[]> keys, ScanCursor next) {
    /** Copies the list. */
    public ScanPage {
        keys = List.copyOf(keys);
        Objects.requireNonNull(next, "next");
    }

    /** {@return whether this is the last page} */
    public boolean isLast() {
        return next.isEnd();
    }
}
