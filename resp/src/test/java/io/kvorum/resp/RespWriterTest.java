package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

final class RespWriterTest {
    private static void assertWritten(String expected2, String expected3, Consumer<RespWriter> writes) {
        assertEquals(expected2, written(2, writes));
        assertEquals(expected3, written(3, writes));
    }

    private static String written(int protocol, Consumer<RespWriter> writes) {
        RespWriter out = new RespWriter(protocol);
        writes.accept(out);
        return Text.latin(out.take());
    }

    @Test
    void whatTheOlderProtocolLacksHasAFormInIt() {
        assertWritten("$-1\r\n", "_\r\n", RespWriter::nil);
        assertWritten("*-1\r\n", "_\r\n", RespWriter::nilArray);
        assertWritten("*4\r\n", "%2\r\n", out -> out.map(2));
        assertWritten("*2\r\n", "~2\r\n", out -> out.set(2));
        assertWritten("*2\r\n", ">2\r\n", out -> out.push(2));
        assertWritten("$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n", out -> out.verbatim("abc"));
    }

    @Test
    void numbersAndTextAreTheSameInBoth() {
        assertWritten(":-9223372036854775808\r\n", ":-9223372036854775808\r\n", out -> out.integer(Long.MIN_VALUE));
        assertWritten(":7\r\n", ":7\r\n", out -> out.integer(7));
        assertWritten("$0\r\n\r\n", "$0\r\n\r\n", out -> out.bulk(""));
        assertWritten("-ERR a  b\r\n", "-ERR a  b\r\n", out -> out.error("ERR a\r\nb"));
    }

    @Test
    void anAnswerCanBeTakenBack() {
        RespWriter out = new RespWriter(2);
        out.ok();
        int mark = out.size();
        out.array(3);
        out.bulk("half");
        out.truncate(mark);
        out.error("ERR no");

        assertEquals("+OK\r\n-ERR no\r\n", Text.latin(out.take()));
        assertEquals(0, out.size());

        out.truncate(mark); // what was sent since cannot be
        assertEquals(0, out.size());
    }
}
