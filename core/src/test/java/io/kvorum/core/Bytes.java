package io.kvorum.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

/** Text as keys and values of tests. */
public final class Bytes {
    private Bytes() {}

    public static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    public static @Nullable String text(byte @Nullable [] bytes) {
        return bytes == null ? null : new String(bytes, UTF_8);
    }
}
