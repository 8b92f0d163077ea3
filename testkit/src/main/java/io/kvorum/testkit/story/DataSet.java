package io.kvorum.testkit.story;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keys and values to load: real text, in a known order.
 *
 * <p>Immutable.
 *
 * @param description what it is, in a few words
 * @param entries the values by their keys; where a key occurs twice, the last value
 */
record DataSet(String description, Map<String, String> entries) {
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    DataSet {
        entries = Collections.unmodifiableMap(entries);
    }

    /** Says on which line a file breaks the rule, and how. */
    static final class MalformedFileException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedFileException(String message) {
            super(message);
        }
    }

    /** {@return the name of each character that this JVM knows, by its code point} */
    static DataSet unicode() {
        Map<String, String> entries = new LinkedHashMap<>();
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            if (Character.isDefined(codePoint) && !isWithoutCharacter(codePoint)) {
                entries.put("U+" + HEX.toHexDigits(codePoint, 6), Character.getName(codePoint));
            }
        }
        return new DataSet(
                "named Unicode characters of Java " + Runtime.version().feature(), entries);
    }

    private static boolean isWithoutCharacter(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.PRIVATE_USE || type == Character.SURROGATE;
    }

    /**
     * Reads a file whose lines are a key, a tab and a value, in UTF-8.
     *
     * @throws MalformedFileException if a line has no key, or not exactly one tab, or is not UTF-8
     * @throws IOException if the file cannot be read
     */
    static DataSet of(Path file) throws IOException, MalformedFileException {
        byte[] bytes = Files.readAllBytes(file);
        Map<String, String> entries = new LinkedHashMap<>();
        int number = 0;
        int start = 0;
        while (start < bytes.length) {
            number++;
            int end = start;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            String line = line(bytes, start, end);
            int tab = line.indexOf('\t');
            if (tab < 1 || tab != line.lastIndexOf('\t')) {
                throw new MalformedFileException(
                        file + ", line " + number + ": must be a key, one tab and a value, in UTF-8");
            }
            entries.put(line.substring(0, tab), line.substring(tab + 1));
            start = end + 1;
        }
        return new DataSet("lines of " + file.getFileName(), entries);
    }

    /** {@return the text of a line without its end, or no text if it is not UTF-8} */
    private static String line(byte[] bytes, int start, int end) {
        int last = end > start && bytes[end - 1] == '\r' ? end - 1 : end;
        try {
            return UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes, start, last - start))
                    .toString();
        } catch (CharacterCodingException e) {
            return "";
        }
    }
}
