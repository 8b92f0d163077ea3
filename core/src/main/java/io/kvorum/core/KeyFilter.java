package io.kvorum.core;

import java.util.Arrays;

/**
 * Decides which keys a scan returns. Must be quick, and must not change or keep the keys. Those made here are
 * immutable.
 */
@FunctionalInterface
public interface KeyFilter {
    /**
     * {@return whether a key is returned}
     *
     * @param key the key; borrowed
     */
    boolean accepts(byte[] key);

    /** {@return a filter that accepts every key} */
    static KeyFilter all() {
        return key -> true;
    }

    /**
     * {@return a filter that accepts the keys that begin with some bytes}
     *
     * @param prefix the bytes
     */
    static KeyFilter prefix(byte[] prefix) {
        byte[] copy = prefix.clone();
        return key -> key.length >= copy.length && Arrays.equals(key, 0, copy.length, copy, 0, copy.length);
    }

    /**
     * {@return a filter that accepts the keys that match a glob pattern} As in Redis {@code *} stands for any bytes,
     * {@code ?} for any one byte, {@code [a-c]} for one of these and {@code [^a-c]} for any other, and <code>\</code>
     * takes the meaning from what follows. The whole key must match. The pattern is taken as its UTF-8 bytes, one of
     * which {@code ?} and a class stand for.
     *
     * <p>Other than in Redis a pattern that ends within a class or after a <code>\</code>, has an empty class, a range
     * that runs backwards or half of a surrogate pair is refused. A match takes time in proportion to the length of the
     * key, and at the worst to a 64th of that of the pattern.
     *
     * @param pattern the pattern; at most 65,536 bytes
     * @throws io.kvorum.slots.MalformedTextException if the pattern is malformed or too long
     */
    static KeyFilter glob(String pattern) {
        return new GlobFilter(pattern);
    }
}
