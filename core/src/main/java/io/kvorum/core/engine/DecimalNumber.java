package io.kvorum.core.engine;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;

/** Numbers of 64 bits in decimal digits, in the one form that Redis writes. */
public final class DecimalNumber {
    private static final int MAX_DIGITS = 20;

    private DecimalNumber() {}

    /**
     * Reads a number.
     *
     * @throws NumberFormatException if the bytes are not what {@link #digits} writes
     */
    public static long parse(byte[] value) {
        boolean canonical = value.length > 0 && value.length <= MAX_DIGITS;
        if (canonical) {
            String text = new String(value, ISO_8859_1);
            try {
                long number = Long.parseLong(text);
                if (Arrays.equals(digits(number), value)) {
                    return number;
                }
            } catch (NumberFormatException e) {
                canonical = false; // said below, without the value
            }
        }
        throw new NumberFormatException("value must be a decimal number of 64 bits: it has " + value.length + " bytes");
    }

    /** Returns the digits of a number, behind a minus sign if it is negative. */
    public static byte[] digits(long number) {
        return Long.toString(number).getBytes(ISO_8859_1);
    }
}
