package io.kvorum.testkit;

import io.kvorum.slots.topology.Epoch;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An event in words.
 *
 * @param at when, in nanoseconds
 * @param party whose event it is; empty for the whole cluster's
 * @param kind the name of what happened
 * @param text all of it
 */
record EventText(long at, String party, String kind, String text) {
    /** The name of a record and what is inside its brackets. */
    private static final Pattern RECORD = Pattern.compile("(\\w+)\\[(.*)]", Pattern.DOTALL);

    private static final Pattern EPOCH = Pattern.compile("(epoch|promised)=(\\d{1,18})\\b");

    static EventText of(ClusterEvent event) {
        if (event instanceof ClusterEvent.OfNode node) {
            return of(event.at(), node.event().node().value(), node.event());
        } else if (event instanceof ClusterEvent.OfSentinel sentinel) {
            return of(
                    event.at(),
                    sentinel.event().sentinel().value(),
                    sentinel.event().fact());
        } else if (event instanceof ClusterEvent.Fault fault) {
            String parties = fault.parties().isEmpty() ? "" : fault.parties().toString();
            String kind = fault.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ');
            return new EventText(
                    event.at(),
                    fault.parties().size() == 1 ? fault.parties().get(0).value() : "",
                    kind,
                    (kind + " " + parties + " " + fault.detail()).strip());
        }
        return of(event.at(), "", event);
    }

    private static EventText of(long at, String party, Object what) {
        String text = RECORD.matcher(what.toString()).replaceFirst("$1: $2");
        return new EventText(
                at,
                party,
                what.getClass().getSimpleName(),
                EPOCH.matcher(text)
                        .replaceAll(found -> found.group(1) + "=" + Epoch.toString(Long.parseLong(found.group(2)))));
    }

    /** {@return the time in seconds} */
    String seconds() {
        return String.format(Locale.ROOT, "%.6f", at / 1e9);
    }

    String line() {
        return seconds() + " " + (party.isEmpty() ? "cluster" : party) + " " + text;
    }

    void appendJson(StringBuilder target) {
        target.append("{\"at\":").append(seconds()).append(",\"party\":");
        appendString(target, party);
        target.append(",\"kind\":");
        appendString(target, kind);
        target.append(",\"text\":");
        appendString(target, text);
        target.append('}');
    }

    /** {@return whether a char is half of a pair whose other half is missing, which no encoding has} */
    private static boolean isLone(String value, int index) {
        char c = value.charAt(index);
        return Character.isHighSurrogate(c)
                ? index + 1 == value.length() || !Character.isLowSurrogate(value.charAt(index + 1))
                : Character.isLowSurrogate(c) && (index == 0 || !Character.isHighSurrogate(value.charAt(index - 1)));
    }

    /** Appends a string of JSON. */
    static void appendString(StringBuilder target, String value) {
        target.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                target.append('\\').append(c);
            } else if (c < ' ' || c == '\u2028' || c == '\u2029' || isLone(value, i)) {
                target.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                target.append(c);
            }
        }
        target.append('"');
    }
}
