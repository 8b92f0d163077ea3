package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Text that stands for bytes, one character for each. */
final class Text {
    private Text() {}

    static String latin(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    static byte[] bytes(String latin) {
        return latin.getBytes(ISO_8859_1);
    }

    /** {@return as much of a client's word as the server shows in an error: what is before the first zero} */
    static String shown(String word) {
        int zero = word.indexOf('\0');
        return zero < 0 ? word : word.substring(0, zero);
    }

    /** {@return whether the bytes are a word, in whatever case} */
    static boolean is(byte[] bytes, String word) {
        return bytes.length == word.length() && latin(bytes).equalsIgnoreCase(word);
    }

    /** {@return forty digits that stand for a name: an id as the server has them} */
    static String idOf(String name) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            return HexFormat.of().formatHex(digest.digest(bytes(name)));
        } catch (NoSuchAlgorithmException e) { // every JVM has it
            throw new AssertionError(e);
        }
    }
}
