package io.kvorum.core;

import org.jspecify.annotations.Nullable;

/**
 * Reads a value where it lies, instead of a copy of it.
 *
 * <p>A reader may run beside a writer of the same value. It is then called with bytes that are half changed, what it
 * returns or throws is discarded, and it is called a second time with the value as it is. So it must end, whatever
 * bytes it meets, and must have no effect that a second call does not undo. It must not use the store, and it runs
 * under a lock of the store now and then, so it must not wait. One that is given to several threads is called by them
 * at the same time.
 *
 * @param <T> what it returns
 */
@FunctionalInterface
public interface ValueReader<T extends @Nullable Object> {
    /**
     * Reads a value.
     *
     * @param value the value; unusable after this call
     * @return what the store hands to the caller; nothing of {@code value} may be kept in it but copies
     */
    T read(LentValue value);
}
