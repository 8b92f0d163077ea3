package io.kvorum.core.engine;

import org.jspecify.annotations.Nullable;

/**
 * Hands a part of an array to a reader for one call. A constant, so that a read without a copy allocates nothing.
 *
 * @param <R> the type of the reader
 * @param <T> what the reader returns
 */
@FunctionalInterface
public interface Lender<R, T extends @Nullable Object> {
    /** Returns what the reader makes of the bytes. */
    T lend(byte[] array, int from, int length, R reader);
}
