package io.kvorum.core.typed;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.engine.DecimalNumber;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;

/** The codecs that {@link Codec} offers. */
final class Codecs {
    static final Codec<byte[]> BYTES = Codec.of(byte[]::clone, byte[]::clone);

    static final Codec<String> TEXT = Codec.of(Codecs::utf8, Codecs::text);

    static final Codec<Integer> INT32 = Codec.of(
            number -> ByteBuffer.allocate(Integer.BYTES).putInt(number).array(),
            bytes -> fixed(Integer.BYTES, bytes).getInt());

    static final Codec<Long> INT64 = Codec.of(
            number -> ByteBuffer.allocate(Long.BYTES).putLong(number).array(),
            bytes -> fixed(Long.BYTES, bytes).getLong());

    static final Codec<Long> DECIMAL = Codec.of(DecimalNumber::digits, Codecs::number);

    static final Codec<UUID> UUIDS = Codec.of(
            uuid -> ByteBuffer.allocate(2 * Long.BYTES)
                    .putLong(uuid.getMostSignificantBits())
                    .putLong(uuid.getLeastSignificantBits())
                    .array(),
            bytes -> {
                ByteBuffer buffer = fixed(2 * Long.BYTES, bytes);
                return new UUID(buffer.getLong(), buffer.getLong());
            });

    /** What stands in a decoded text for bytes that are not UTF-8, and for itself. */
    private static final char REPLACEMENT = '\uFFFD';

    private Codecs() {}

    private static ByteBuffer fixed(int length, byte[] bytes) {
        MalformedValueException.requireLength(length, bytes);
        return ByteBuffer.wrap(bytes);
    }

    private static byte[] utf8(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                boolean paired = i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
                if (!paired) {
                    throw new IllegalArgumentException("text must have surrogates in pairs: not so at index " + i);
                }
                i++;
            }
        }
        return text.getBytes(UTF_8);
    }

    private static String text(byte[] bytes) {
        String text = new String(bytes, UTF_8);
        if (text.indexOf(REPLACEMENT) >= 0 && !Arrays.equals(text.getBytes(UTF_8), bytes)) {
            throw new MalformedValueException("value must be UTF-8: it has " + bytes.length + " bytes");
        }
        return text;
    }

    private static long number(byte[] bytes) {
        try {
            return DecimalNumber.parse(bytes);
        } catch (NumberFormatException e) {
            throw new MalformedValueException(
                    "value must be a decimal number of 64 bits: it has " + bytes.length + " bytes", e);
        }
    }
}
