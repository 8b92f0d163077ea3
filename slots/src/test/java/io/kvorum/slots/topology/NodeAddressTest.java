package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.MalformedTextException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NodeAddressTest {
    @ParameterizedTest
    @CsvSource({
        "localhost, localhost:7000",
        "node-1.my_cluster.example, node-1.my_cluster.example:7000",
        "10.0.0.1, 10.0.0.1:7000",
        "::, [::]:7000",
        "::1, [::1]:7000",
        "1::, [1::]:7000",
        "1:2:3:4:5:6:7:8, [1:2:3:4:5:6:7:8]:7000",
        "1:2:3:4:5:6:7::, [1:2:3:4:5:6:7::]:7000",
        "2001:db8::FF00:42:8329, [2001:db8::FF00:42:8329]:7000",
        "::ffff:10.0.0.255, [::ffff:10.0.0.255]:7000",
        "1:2:3:4:5:6:10.0.0.1, [1:2:3:4:5:6:10.0.0.1]:7000",
        "fe80::1%eth0, [fe80::1%eth0]:7000"
    })
    void addressIsWrittenAndParsed(String host, String text) {
        NodeAddress address = new NodeAddress(host, 7000);

        assertEquals(text, address.toString());
        assertEquals(address, NodeAddress.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b",
                "a/b",
                "a=b",
                "[::1]",
                "é",
                "fe80%eth0",
                ":",
                ":::",
                "1:2",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1:2:3:4::5:6:7:8",
                "1::2::3",
                "12345::",
                "g::",
                "::G",
                "1:2:3:4:5:6:7:",
                ":1:2:3:4:5:6:7",
                "::10.0.0",
                "::10.0.0.256",
                "::10.0.0.1.2",
                "::10.0..1",
                "::1000.0.0.1",
                "10.0.0.1::",
                "::1.x.2.3",
                "1:2:3:4:5:6:7:10.0.0.1",
                "fe80::1%",
                "fe80::1%a b"
            })
    void hostIsANameOrAnAddress(String host) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new NodeAddress(host, 7000));

        assertEquals("host must be a name, an IPv4 or an IPv6 address: " + host, e.getMessage());
    }

    @Test
    void hostAndPortAreInRange() {
        assertEquals(1, new NodeAddress("h".repeat(255), 1).port());
        assertEquals(65_535, new NodeAddress("h", 65_535).port());
        assertRefused("host must have 1 to 255 characters: it has 0", "", 1);
        assertRefused("host must have 1 to 255 characters: it has 256", "h".repeat(256), 1);
        assertRefused("port must be between 1 and 65535: 0", "h", 0);
        assertRefused("port must be between 1 and 65535: 65536", "h", 65_536);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "host | 4 | address must have the form host:port or [IPv6 address]:port: host",
                "[::1] | 5 | address must have the form host:port or [IPv6 address]:port: [::1]",
                "host: | 5 | port must have at least one digit",
                "host:x | 5 | port must have only decimal digits",
                "host:0 | 5 | port must be between 1 and 65535: 0",
                "host:65536 | 5 | port must be at most 65535",
                "::1:7000 | 1 | port must have only decimal digits",
                ":7000 | 0 | host must have 1 to 255 characters: it has 0",
                "[host]:7000 | 1 | host in brackets must be an IPv6 address: host",
                "[::1]]:7000 | 0 | host must be a name, an IPv4 or an IPv6 address: ::1]"
            })
    void malformedTextIsRefused(String text, int position, String rule) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> NodeAddress.parse(text));

        assertEquals(rule, e.rule());
        assertEquals(position, e.position());
    }

    private static void assertRefused(String message, String host, int port) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new NodeAddress(host, port));

        assertEquals(message, e.getMessage());
    }
}
