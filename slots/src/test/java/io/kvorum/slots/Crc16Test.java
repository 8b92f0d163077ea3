package io.kvorum.slots;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class Crc16Test {
    private static final byte[] DIGITS = "123456789".getBytes(US_ASCII);

    @Test
    void checkValueIsThatOfXmodem() {
        assertEquals(0x31C3, Crc16.of(DIGITS));
    }

    @Test
    void noBytesLeaveTheChecksumAsItIs() {
        assertEquals(0, Crc16.of(new byte[0]));
        assertEquals(0x31C3, Crc16.update(0x31C3, DIGITS, 4, 0));
    }

    @Test
    void bytesMayComeInPieces() {
        for (int cut = 0; cut <= DIGITS.length; cut++) {
            int head = Crc16.update(Crc16.INITIAL, DIGITS, 0, cut);

            assertEquals(0x31C3, Crc16.update(head, DIGITS, cut, DIGITS.length - cut), "cut at " + cut);
        }
    }

    @Test
    void bytesMayComeOneByOne() {
        int crc = Crc16.INITIAL;
        for (byte b : DIGITS) {
            crc = Crc16.update(crc, b);
        }

        assertEquals(0x31C3, crc);
    }

    @Test
    void onlyTheLow16BitsOfAChecksumCount() {
        assertEquals(Crc16.update(0x1234, DIGITS, 0, 9), Crc16.update(0xABCD_1234, DIGITS, 0, 9));
        assertEquals(Crc16.update(0x1234, (byte) 7), Crc16.update(0xABCD_1234, (byte) 7));
    }
}
