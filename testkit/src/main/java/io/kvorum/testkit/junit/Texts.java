package io.kvorum.testkit.junit;

import io.kvorum.replication.Acknowledgement;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

/** Values as annotations have them. */
final class Texts {
    private Texts() {}

    /** Reads {@code 500ms}, {@code 5s}, {@code 2m}, {@code 1h}, or what {@link Duration#parse} reads; positive. */
    static Duration duration(String text) {
        Duration duration = anyDuration(text);
        if (duration.isNegative() || duration.isZero()) {
            throw new ExtensionConfigurationException("a duration must be positive: " + text);
        }
        return duration;
    }

    private static Duration anyDuration(String text) {
        String trimmed = text.trim().toLowerCase(Locale.ROOT);
        try {
            if (trimmed.startsWith("p")) {
                return Duration.parse(text.trim());
            } else if (trimmed.endsWith("ms")) {
                return Duration.ofMillis(number(trimmed, 2));
            } else if (trimmed.endsWith("s")) {
                return Duration.ofSeconds(number(trimmed, 1));
            } else if (trimmed.endsWith("m")) {
                return Duration.ofMinutes(number(trimmed, 1));
            } else if (trimmed.endsWith("h")) {
                return Duration.ofHours(number(trimmed, 1));
            }
        } catch (ArithmeticException | NumberFormatException | DateTimeParseException e) {
            throw new ExtensionConfigurationException("a duration must be such as 500ms, 5s, 2m or 1h: " + text, e);
        }
        throw new ExtensionConfigurationException("a duration must be such as 500ms, 5s, 2m or 1h: " + text);
    }

    private static long number(String text, int unit) {
        return Long.parseLong(text.substring(0, text.length() - unit).trim());
    }

    static Acknowledgement acknowledgement(String text) {
        return switch (text) {
            case "MAJORITY" -> Acknowledgement.MAJORITY;
            case "LOCAL" -> Acknowledgement.LOCAL;
            default -> {
                try {
                    yield Acknowledgement.replicas(Integer.parseInt(text));
                } catch (IllegalArgumentException e) {
                    throw new ExtensionConfigurationException(
                            "acknowledgement must be MAJORITY, LOCAL or a number of replicas: " + text, e);
                }
            }
        };
    }
}
