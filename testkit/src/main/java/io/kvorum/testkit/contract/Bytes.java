package io.kvorum.testkit.contract;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keys and values as text. */
final class Bytes {
    private Bytes() {}

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    static @Nullable String text(byte @Nullable [] bytes) {
        return bytes == null ? null : new String(bytes, UTF_8);
    }

    static List<@Nullable String> texts(List<byte @Nullable []> all) {
        List<@Nullable String> texts = new ArrayList<>();
        all.forEach(bytes -> texts.add(text(bytes)));
        return texts;
    }

    static byte[] concat(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
