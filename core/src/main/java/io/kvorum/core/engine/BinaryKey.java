package io.kvorum.core.engine;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A key that is equal to another one with the same bytes. The array is not copied and must not be changed. */
public final class BinaryKey {
    private final byte[] bytes;
    private final int hashCode;

    /** The hash should be one that strangers cannot foresee. */
    public BinaryKey(byte[] bytes, long keyHash) {
        this.bytes = bytes;
        this.hashCode = Long.hashCode(keyHash);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BinaryKey key && hashCode == key.hashCode && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
        return hashCode;
    }
}
