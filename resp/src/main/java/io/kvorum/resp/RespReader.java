package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the bytes of a client into commands: arrays of bulk strings, or lines of words. What has arrived of a command is
 * looked at once, however slowly the rest follows, and room is made only for what has arrived, whatever length is
 * announced.
 *
 * <p>Confined to one thread.
 */
final class RespReader {
    /** The longest line, and the longest announcement of a length. */
    private static final int MAX_LINE = 64 << 10;

    private static final int MAX_BULK = 512 << 20;
    private static final int MAX_UNAUTHENTICATED_ARGS = 10;
    private static final int MAX_UNAUTHENTICATED_BULK = 16_384;
    private static final int INITIAL = 16 << 10;
    private static final int MIN_ARGS = 16; // for which room is made, however few have arrived
    private static final byte[][] NOTHING = new byte[0][];

    private byte[] buffer = new byte[INITIAL];
    private int start; // of what was not cut yet
    private int scanned; // up to where no end of a line was found
    private int end;
    private boolean authenticated;

    // the array that is being read
    private long argsLeft; // 0 between commands
    private int bulk = -1; // the length of the bulk string that is being read, -1 before it is known
    private byte[][] args = NOTHING;
    private int argsRead;

    RespReader(boolean authenticated) {
        this.authenticated = authenticated;
    }

    /** Sets the limits: those of a stranger are small. */
    void setAuthenticated(boolean value) {
        authenticated = value;
    }

    /** {@return how many bytes have arrived and belong to no command yet} */
    int buffered() {
        return end - start;
    }

    /**
     * Reads what has arrived, and waits if that is nothing.
     *
     * @param in where from
     * @return whether there was anything; {@code false} at the end
     * @throws IOException if reading fails
     */
    boolean fill(InputStream in) throws IOException {
        if (start == end) {
            if (buffer.length > INITIAL << 2) {
                buffer = new byte[INITIAL];
            }
            start = 0;
            scanned = 0;
            end = 0;
        } else if (end == buffer.length) {
            makeRoom();
        }
        int count = in.read(buffer, end, buffer.length - end);
        if (count < 0) {
            return false;
        }
        end += count;
        return true;
    }

    private void makeRoom() {
        if (start > buffer.length / 2) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            scanned -= start;
            end -= start;
            start = 0;
        } else {
            buffer = Arrays.copyOf(buffer, buffer.length * 2);
        }
    }

    /**
     * Cuts off the next command.
     *
     * @return its words, of which there is at least one, or {@code null} if more bytes must come first
     * @throws ProtocolException if the bytes are no command
     */
    byte @Nullable [][] next() throws ProtocolException {
        while (true) {
            if (argsLeft > 0) {
                return readArgs() ? finished() : null;
            }
            if (start == end) {
                return null;
            }
            boolean array = buffer[start] == '*';
            int first = start;
            int last = endOfLine(array ? "too big mbulk count string" : "too big inline request", array);
            if (last < 0) {
                return null;
            }
            if (array) {
                argsLeft = count(number(first + 1, last));
            } else {
                byte[][] words = Words.split(new String(buffer, first, last - first, ISO_8859_1));
                if (words == null) {
                    throw new ProtocolException("Protocol error: unbalanced quotes in request");
                }
                if (words.length > 0) {
                    return words;
                }
            }
        }
    }

    private long count(@Nullable Long count) throws ProtocolException {
        if (count == null || count > Integer.MAX_VALUE) {
            throw new ProtocolException("Protocol error: invalid multibulk length");
        }
        if (count > MAX_UNAUTHENTICATED_ARGS && !authenticated) {
            throw new ProtocolException("Protocol error: unauthenticated multibulk length");
        }
        return Math.max(count, 0);
    }

    private boolean readArgs() throws ProtocolException {
        while (argsLeft > 0) {
            if (bulk < 0) {
                int first = start;
                int last = endOfLine("too big bulk count string", true);
                if (last < 0) {
                    return false;
                }
                if (buffer[first] != '$') {
                    throw new ProtocolException(
                            "Protocol error: expected '$', got '" + (char) (buffer[first] & 0xff) + "'");
                }
                bulk = bulkLength(number(first + 1, last));
            }
            if (end - start < bulk + 2L) {
                return false;
            }
            if (argsRead == args.length) {
                args = Arrays.copyOf(args, argsRead + (int) Math.min(argsLeft, Math.max(argsRead, MIN_ARGS)));
            }
            args[argsRead++] = Arrays.copyOfRange(buffer, start, start + bulk);
            start += bulk + 2; // whatever the two bytes are, as the server has it
            scanned = start;
            bulk = -1;
            argsLeft--;
        }
        return true;
    }

    private int bulkLength(@Nullable Long length) throws ProtocolException {
        if (length == null || length < 0 || length > MAX_BULK) {
            throw new ProtocolException("Protocol error: invalid bulk length");
        }
        if (length > MAX_UNAUTHENTICATED_BULK && !authenticated) {
            throw new ProtocolException("Protocol error: unauthenticated bulk length");
        }
        return length.intValue();
    }

    private byte[][] finished() {
        byte[][] command = args; // which has no more places than words, as it grew by what was left at most
        args = NOTHING;
        argsRead = 0;
        return command;
    }

    /**
     * Moves on behind the next line. A line of RESP ends at a CR. The server looks for the end as for that of a string,
     * so a line that contains a zero never ends.
     *
     * @return where its end is, or -1 if that has not come
     */
    private int endOfLine(String tooLong, boolean resp) throws ProtocolException {
        byte last = (byte) (resp ? '\r' : '\n');
        scanned = Math.max(scanned, start);
        while (scanned < end && buffer[scanned] != last && buffer[scanned] != 0) {
            scanned++;
        }
        boolean complete = scanned + (resp ? 1 : 0) < end && buffer[scanned] == last;
        if (!complete) {
            if (end - start > MAX_LINE) {
                throw new ProtocolException("Protocol error: " + tooLong);
            }
            return -1;
        }
        int at = !resp && scanned > start && buffer[scanned - 1] == '\r' ? scanned - 1 : scanned;
        start = scanned + (resp ? 2 : 1);
        scanned = start;
        return at;
    }

    /** {@return the number between two positions, or null if there is none} */
    private @Nullable Long number(int from, int to) {
        return Numbers.parse(buffer, from, to);
    }

    /** Splits a line into words, which may be quoted as in a shell. */
    static final class Words {
        private final String line;
        private int at;

        private Words(String line) {
            this.line = line;
        }

        /** {@return the words, or null if a quote is not closed or something follows it at once} */
        static byte @Nullable [][] split(String line) {
            Words words = new Words(line);
            List<byte[]> found = new ArrayList<>();
            while (words.skipSpace()) {
                byte[] word = words.word();
                if (word == null) {
                    return null;
                }
                found.add(word);
            }
            return found.toArray(NOTHING);
        }

        private boolean skipSpace() {
            while (at < line.length() && isSpace(line.charAt(at))) {
                at++;
            }
            return at < line.length();
        }

        private static boolean isSpace(char c) {
            return c == ' ' || (c >= '\t' && c <= '\r');
        }

        /** {@return whether a character ends a word, which not all do that may stand between words} */
        private static boolean isEnd(char c) {
            return c == ' ' || c == '\n' || c == '\r' || c == '\t';
        }

        private byte @Nullable [] word() {
            ByteArrayOutputStream word = new ByteArrayOutputStream();
            while (at < line.length() && !isEnd(line.charAt(at))) {
                char c = line.charAt(at++);
                if (c == '"' || c == '\'') {
                    boolean closed = c == '"' ? doubleQuoted(word) : singleQuoted(word);
                    if (!closed || (at < line.length() && !isSpace(line.charAt(at)))) {
                        return null;
                    }
                    return word.toByteArray();
                }
                word.write(c);
            }
            return word.toByteArray();
        }

        private boolean singleQuoted(ByteArrayOutputStream word) {
            while (at < line.length()) {
                char c = line.charAt(at++);
                if (c == '\'') {
                    return true;
                }
                if (c == '\\' && at < line.length() && line.charAt(at) == '\'') {
                    c = line.charAt(at++);
                }
                word.write(c);
            }
            return false;
        }

        private boolean doubleQuoted(ByteArrayOutputStream word) {
            while (at < line.length()) {
                char c = line.charAt(at++);
                if (c == '"') {
                    return true;
                }
                word.write(c == '\\' && at < line.length() ? escaped() : c);
            }
            return false;
        }

        private int escaped() {
            char c = line.charAt(at++);
            if (c == 'x' && at + 1 < line.length()) {
                int high = Character.digit(line.charAt(at), 16);
                int low = Character.digit(line.charAt(at + 1), 16);
                if (high >= 0 && low >= 0) {
                    at += 2;
                    return high << 4 | low;
                }
            }
            return switch (c) {
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                case 'b' -> '\b';
                case 'a' -> 7;
                default -> c;
            };
        }
    }
}
