package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RespReaderTest {
    private static final int SEEDS = 3_000;

    /** Reads commands until the bytes end, so many at a time. */
    private static List<String> commands(String bytes, int atATime, boolean authenticated)
            throws IOException, ProtocolException {
        RespReader reader = new RespReader(authenticated);
        InputStream in = new Dripping(bytes.getBytes(ISO_8859_1), atATime);
        List<String> commands = new ArrayList<>();
        do {
            byte[][] command = reader.next();
            while (command != null) {
                commands.add(Stream.of(command).map(Text::latin).collect(Collectors.joining("|")));
                command = reader.next();
            }
        } while (reader.fill(in));
        return commands;
    }

    private static String error(String bytes, boolean authenticated) {
        return String.valueOf(assertThrows(ProtocolException.class, () -> commands(bytes, 1_000, authenticated))
                .getMessage());
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "7", "1000"})
    void commandsComeWholeHoweverTheBytesArrive(int atATime) throws Exception {
        String bytes = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n*-1\r\n\r\nPING\r\nSET k \"a b\\x41\\n\" 'it''s'\n"
                        .replace("'it''s'", "'it\\'s'")
                + "*1\r\n$0\r\n\r\n*1\r\n$4\r\n\r\n\r\n\r\n";

        assertEquals(List.of("GET|k", "PING", "SET|k|a bA\n|it's", "", "\r\n\r\n"), commands(bytes, atATime, true));
    }

    @Test
    void malformedBytesAreAnsweredAsTheServerDoes() {
        assertEquals("Protocol error: invalid multibulk length", error("*x\r\n", true));
        assertEquals("Protocol error: invalid multibulk length", error("*99999999999\r\n", true));
        assertEquals("Protocol error: expected '$', got 'x'", error("*1\r\nxyz\r\n", true));
        assertEquals("Protocol error: invalid bulk length", error("*1\r\n$-1\r\n", true));
        assertEquals("Protocol error: invalid bulk length", error("*1\r\n$536870913\r\n", true));
        assertEquals("Protocol error: invalid bulk length", error("*1\r\n$x\r\n", true));
        assertEquals("Protocol error: unbalanced quotes in request", error("SET \"k\r\n", true));
        assertEquals("Protocol error: unbalanced quotes in request", error("SET \"k\"x\r\n", true));
        assertEquals("Protocol error: too big inline request", error("x".repeat(70_000), true));
        assertEquals("Protocol error: too big mbulk count string", error("*" + "1".repeat(70_000), true));
        assertEquals("Protocol error: too big bulk count string", error("*1\r\n$" + "1".repeat(70_000), true));
    }

    @ParameterizedTest
    @CsvSource({"1", "1000"})
    void aLineThatContainsAZeroNeverEnds(int atATime) throws Exception {
        assertEquals(List.of("PING"), commands("PING\r\nECHO \0a\r\nPING\r\n", atATime, true));
        assertEquals(List.of(), commands("*1\0\r\n$4\r\nPING\r\n", atATime, true));
        assertEquals(List.of(), commands("*1\r\n$4\0\r\nPING\r\n", atATime, true));
        assertEquals("Protocol error: too big inline request", error("\0\r\n" + "x".repeat(70_000), true));
    }

    @ParameterizedTest
    @CsvSource({"1", "1000"})
    void whatALineSaysIsJudgedOnceItHasEnded(int atATime) throws Exception {
        assertEquals(List.of(), commands("*1\r\nxyz", atATime, true));
        assertEquals(List.of("PING"), commands("*-9223372036854775808\r\nPING\r\n", atATime, true));
    }

    @Test
    void allKindsOfSpaceSeparateWordsButNotAllEndOne() throws Exception {
        assertEquals(List.of("ECHO|a\u000bb\fc"), commands("\fECHO\t\u000ba\u000bb\fc \n", 1_000, true));
        assertEquals(List.of("ECHO|a|b"), commands("ECHO 'a'\u000bb\n", 1_000, true));
    }

    @Test
    void strangersGetSmallLimits() throws Exception {
        assertEquals("Protocol error: unauthenticated multibulk length", error("*11\r\n", false));
        assertEquals("Protocol error: unauthenticated bulk length", error("*1\r\n$16385\r\n", false));
        assertEquals(
                List.of("a".repeat(16_384)), commands("*1\r\n$16384\r\n" + "a".repeat(16_384) + "\r\n", 999, false));
        assertEquals(List.of(), commands("*11\r\n", 9, true));
    }

    @Test
    void announcedLengthsTakeNoRoom() throws Exception {
        RespReader reader = new RespReader(true);
        InputStream in = new ByteArrayInputStream("*2000000000\r\n$536870912\r\nabc".getBytes(ISO_8859_1));

        assertTrue(reader.fill(in)); // with a heap that holds neither, this would fail
        assertNull(reader.next());
    }

    @Test
    void whateverBytesComeEndInAnErrorOrCommands() {
        String[] parts = {
            "*",
            "$",
            "1",
            "2",
            "3",
            "-1",
            "0",
            "\r\n",
            "\r",
            "\n",
            "GET",
            "k",
            " ",
            "\"",
            "'",
            "\\x4",
            "*1\r\n$1\r\na\r\n",
            "*3\r\n",
            "\0",
            "é"
        };
        for (long seed = 0; seed < SEEDS; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder bytes = new StringBuilder();
            for (int i = random.nextInt(40); i > 0; i--) {
                bytes.append(parts[random.nextInt(parts.length)]);
            }
            int atATime = 1 + random.nextInt(20);
            String outcome = outcome(bytes.toString(), atATime);

            assertEquals(outcome(bytes.toString(), 1_000), outcome, "seed " + seed);
        }
    }

    private static String outcome(String bytes, int atATime) {
        try {
            return commands(bytes, atATime, true).toString();
        } catch (ProtocolException e) {
            return String.valueOf(e.getMessage());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Gives a few bytes at a time. */
    private static final class Dripping extends ByteArrayInputStream {
        private final int most;

        Dripping(byte[] bytes, int most) {
            super(bytes);
            this.most = most;
        }

        @Override
        public synchronized int read(byte[] to, int offset, int length) {
            return super.read(to, offset, Math.min(length, most));
        }
    }
}
