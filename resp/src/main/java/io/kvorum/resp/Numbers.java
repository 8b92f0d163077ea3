package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Numbers as the server reads and writes them. */
final class Numbers {
    private static final int MAX_DIGITS = 20;
    private static final long LEAST_TENTH = Long.MIN_VALUE / 10;

    /** The longest number with a fraction, in characters. */
    private static final int MAX_FRACTION_LENGTH = 5_119;

    /** The exponents of the numbers that the server's widest type has. */
    private static final int MAX_EXPONENT = 4932;

    private static final int MIN_EXPONENT = -4950;

    /** The same as powers of two: of the binary digits in front of the point, or of the zeros behind it. */
    private static final int MAX_POWER = 16_384;

    private static final int MIN_POWER = -16_446;
    private static final BigDecimal MAX_FRACTION =
            new BigDecimal(BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE).shiftLeft(16_383 - 63));
    private static final Pattern HEXADECIMAL =
            Pattern.compile("([+-]?)0[xX]([0-9a-fA-F]*)(?:\\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]{1,5}))?");
    private static final int FRACTION_DIGITS = 17;
    private static final int BINARY_DIGITS = 64;
    private static final double LOG_2_OF_10 = 3.321928094887362;

    private Numbers() {}

    /** {@return the number, or null unless the bytes are a number in the one form that the server writes} */
    static @Nullable Long parse(byte[] text) {
        return parse(text, 0, text.length);
    }

    /** As {@link #parse(byte[])}, of the bytes between two positions. */
    static @Nullable Long parse(byte[] text, int from, int to) {
        int length = to - from;
        if (length < 1 || length > MAX_DIGITS) {
            return null;
        }
        boolean negative = text[from] == '-';
        int first = negative ? from + 1 : from;
        if (first == to) {
            return null;
        }
        if (text[first] == '0') {
            return length == 1 ? 0L : null;
        }
        long number = 0; // counted down, since there is one negative number more
        for (int i = first; i < to; i++) {
            int digit = text[i] - '0';
            if (digit < 0 || digit > 9 || number < LEAST_TENTH || number * 10 < Long.MIN_VALUE + digit) {
                return null;
            }
            number = number * 10 - digit;
        }
        return negative ? (Long) number : number == Long.MIN_VALUE ? null : (Long) (-number);
    }

    /** {@return the number with a fraction, or null if it is none or beyond what the server can hold} */
    static @Nullable BigDecimal parseFraction(byte[] text) {
        if (text.length == 0 || text.length > MAX_FRACTION_LENGTH) {
            return null;
        }
        try {
            String word = new String(text, ISO_8859_1);
            Matcher hexadecimal = HEXADECIMAL.matcher(word);
            BigDecimal number = hexadecimal.matches() ? parse(hexadecimal) : new BigDecimal(word);
            if (number == null) {
                return null;
            }
            if (number.signum() == 0) {
                return BigDecimal.ZERO;
            }
            long exponent = (long) number.precision() - number.scale() - 1;
            if (exponent > MAX_EXPONENT || exponent < MIN_EXPONENT) {
                return null;
            }
            BigDecimal rounded = rounded(number);
            return isFinite(rounded) ? rounded : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static @Nullable BigDecimal parse(Matcher hexadecimal) {
        String fraction = Objects.requireNonNullElse(hexadecimal.group(3), "");
        String exponent = Objects.requireNonNullElse(hexadecimal.group(4), "0");
        BigInteger digits = new BigInteger(hexadecimal.group(1) + hexadecimal.group(2) + fraction, 16);
        int power = Integer.parseInt(exponent) - 4 * fraction.length();
        if (digits.signum() == 0) {
            return BigDecimal.ZERO;
        }
        int inFront = digits.bitLength() + power;
        if (inFront > MAX_POWER || inFront < MIN_POWER) {
            return null; // all of whose digits would take seconds
        }
        return power >= 0
                ? new BigDecimal(digits.shiftLeft(power))
                : new BigDecimal(digits).divide(new BigDecimal(BigInteger.ONE.shiftLeft(-power)));
    }

    /** {@return whether the server's widest type has a number as large as this} */
    static boolean isFinite(BigDecimal number) {
        return number.abs().compareTo(MAX_FRACTION) <= 0;
    }

    /** {@return the nearest number that has 64 binary digits, as those have that the server calculates with} */
    static BigDecimal rounded(BigDecimal number) {
        if (number.signum() == 0) {
            return BigDecimal.ZERO;
        }
        // The power of two by which the number has 64 digits in front of the point, found from an estimate.
        int power = (int) Math.ceil((number.precision() - number.scale()) * LOG_2_OF_10) - BINARY_DIGITS + 1;
        BigInteger digits = digits(number, power);
        while (digits.bitLength() <= BINARY_DIGITS) {
            digits = digits(number, --power);
        }
        while (digits.bitLength() > BINARY_DIGITS) {
            digits = digits(number, ++power);
        }
        return power >= 0
                ? new BigDecimal(digits.shiftLeft(power))
                : new BigDecimal(digits).divide(new BigDecimal(BigInteger.ONE.shiftLeft(-power)));
    }

    /** {@return the number divided by a power of two, rounded to the nearest even one} */
    private static BigInteger digits(BigDecimal number, int power) {
        BigDecimal divided = power >= 0
                ? number.divide(new BigDecimal(BigInteger.ONE.shiftLeft(power)), 0, RoundingMode.HALF_EVEN)
                : number.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(-power)));
        return divided.setScale(0, RoundingMode.HALF_EVEN).toBigInteger();
    }

    /** {@return whether the bytes stand for an infinite number} */
    static boolean isInfinite(byte[] text) {
        String word = new String(text, ISO_8859_1).toLowerCase(Locale.ROOT);
        return List.of("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
                .contains(word);
    }

    /** {@return the digits of a number with at most 17 behind the point, and no zeros at their end} */
    static String format(BigDecimal number) {
        BigDecimal rounded = number.setScale(Math.min(number.scale(), FRACTION_DIGITS), RoundingMode.HALF_EVEN);
        return rounded.signum() == 0 ? "0" : plain(rounded.stripTrailingZeros());
    }

    private static String plain(BigDecimal number) {
        return number.scale() < 0 ? number.setScale(0).toPlainString() : number.toPlainString();
    }
}
