package io.kvorum.resp;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The forms that values of settings have. Each keeps a value as the server does, or says what is wrong with it. */
final class SettingForm {
    private static final String COMMON_EVENTS = "g$lshzxetd";

    /** How many digits an amount of memory may have. */
    private static final int MAX_DIGITS = 18;

    private static final Map<String, Long> MEMORY_UNITS = Map.of(
            "",
            1L,
            "b",
            1L,
            "k",
            1_000L,
            "kb",
            1L << 10,
            "m",
            1_000_000L,
            "mb",
            1L << 20,
            "g",
            1_000_000_000L,
            "gb",
            1L << 30);

    private SettingForm() {}

    static UnaryOperator<String> text() {
        return value -> value;
    }

    static UnaryOperator<String> integer(long min, long max) {
        return value -> {
            Long number = Numbers.parse(Text.bytes(value));
            if (number == null) {
                throw new IllegalArgumentException("argument couldn't be parsed into an integer");
            }
            if (number < min || number > max) {
                throw new IllegalArgumentException("argument must be between " + min + " and " + max + " inclusive");
            }
            return value;
        };
    }

    static UnaryOperator<String> yesOrNo() {
        return value -> {
            String word = value.toLowerCase(Locale.ROOT);
            if (!word.equals("yes") && !word.equals("no")) {
                throw new IllegalArgumentException("argument must be 'yes' or 'no'");
            }
            return word;
        };
    }

    static UnaryOperator<String> oneOf(String... words) {
        List<String> known = List.of(words);
        return value -> {
            String word = value.toLowerCase(Locale.ROOT);
            if (!known.contains(word)) {
                throw new IllegalArgumentException(
                        "argument(s) must be one of the following: " + String.join(", ", known));
            }
            return word;
        };
    }

    /** {@return the form of an amount of memory, kept in bytes} */
    static UnaryOperator<String> memory() {
        return value -> {
            int digits = 0;
            while (digits < value.length() && value.charAt(digits) >= '0' && value.charAt(digits) <= '9') {
                digits++;
            }
            Long factor = MEMORY_UNITS.get(value.substring(digits).toLowerCase(Locale.ROOT));
            if (factor == null || digits == 0 || digits > MAX_DIGITS) {
                throw new IllegalArgumentException("argument must be a memory value");
            }
            return Long.toString(Long.parseLong(value.substring(0, digits)) * factor); // wraps, as with the server
        };
    }

    /** {@return the form of pairs of seconds and changes} */
    static UnaryOperator<String> savePoints() {
        return value -> {
            if (!value.isEmpty() && !value.matches("[1-9][0-9]{0,17} [0-9]{1,9}( [1-9][0-9]{0,17} [0-9]{1,9})*")) {
                throw new IllegalArgumentException("Invalid save parameters");
            }
            return value;
        };
    }

    /** {@return the form of kinds of events, kept in the order of the server, the common ones as one letter} */
    static UnaryOperator<String> events() {
        return value -> {
            if (!value.matches("[AKEmn" + COMMON_EVENTS + "]*")) {
                throw new IllegalArgumentException("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
            }
            boolean all = value.contains("A") || COMMON_EVENTS.chars().allMatch(c -> value.indexOf(c) >= 0);
            StringBuilder kept = new StringBuilder(all ? "A" : "");
            String order = (all ? "" : COMMON_EVENTS + "n") + "KEm";
            order.chars().filter(c -> value.indexOf(c) >= 0).forEach(c -> kept.append((char) c));
            return kept.toString();
        };
    }

    /** {@return whether kinds of events have one, which may be meant by all the common ones} */
    static boolean tells(String events, char kind) {
        return events.indexOf(kind) >= 0 || (events.indexOf('A') >= 0 && COMMON_EVENTS.indexOf(kind) >= 0);
    }
}
