package io.kvorum.resp;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What CONFIG GET and CONFIG SET know. Most of it is told so that clients find what they look for; what has an effect
 * is said where it is used.
 *
 * <p>Safe for use by any number of threads.
 */
final class Settings {
    private static final String FLAGS = "KEg$lshzxetdmn";
    private static final List<String> CHANGEABLE = List.of(
            "notify-keyspace-events",
            "timeout",
            "maxmemory",
            "maxmemory-policy",
            "save",
            "appendonly",
            "slowlog-log-slower-than",
            "slowlog-max-len",
            "latency-monitor-threshold",
            "client-output-buffer-limit",
            "tcp-keepalive",
            "masterauth",
            "requirepass",
            "cluster-node-timeout",
            "min-replicas-to-write",
            "min-replicas-max-lag",
            "replica-priority",
            "repl-timeout",
            "lua-time-limit",
            "loglevel");

    private final Map<String, String> values = new TreeMap<>();
    private volatile boolean notifying;

    Settings(Map<String, String> given) {
        values.put("appendonly", "no");
        values.put("bind", "127.0.0.1");
        values.put("client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
        values.put("databases", "1");
        values.put("dir", "/");
        values.put("latency-monitor-threshold", "0");
        values.put("loglevel", "notice");
        values.put("lua-time-limit", "5000");
        values.put("masterauth", "");
        values.put("maxclients", "10000");
        values.put("maxmemory", "0");
        values.put("maxmemory-policy", "noeviction");
        values.put("min-replicas-max-lag", "10");
        values.put("min-replicas-to-write", "0");
        values.put("notify-keyspace-events", "");
        values.put("proto-max-bulk-len", "536870912");
        values.put("repl-timeout", "60");
        values.put("replica-priority", "100");
        values.put("replica-read-only", "yes");
        values.put("replica-serve-stale-data", "no");
        values.put("requirepass", "");
        values.put("save", "");
        values.put("slowlog-log-slower-than", "10000");
        values.put("slowlog-max-len", "128");
        values.put("tcp-keepalive", "300");
        values.put("timeout", "0");
        values.putAll(given);
    }

    synchronized @Nullable String get(String name) {
        return values.get(name);
    }

    /** {@return the value of a setting that every endpoint has} */
    String text(String name) {
        String value = get(name);
        return value == null ? "" : value;
    }

    /** {@return names and values that match one of the patterns, each name before its value} */
    synchronized List<String> matching(List<String> patterns) {
        List<String> found = new ArrayList<>();
        for (Map.Entry<String, String> entry : values.entrySet()) {
            boolean wanted = patterns.stream()
                    .anyMatch(pattern -> Glob.matches(pattern.toLowerCase(Locale.ROOT), entry.getKey()));
            if (wanted) {
                found.add(entry.getKey());
                found.add(entry.getValue());
            }
        }
        return found;
    }

    /** Sets all of these or, with an error, none. */
    synchronized void set(Map<String, String> changes) {
        for (Map.Entry<String, String> change : changes.entrySet()) {
            String name = change.getKey();
            if (!values.containsKey(name)) {
                throw new CommandException("ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'");
            }
            if (!CHANGEABLE.contains(name)) {
                throw failed(name, "can't set immutable config");
            }
            if (name.equals("notify-keyspace-events")) {
                checkEvents(change.getValue());
            }
        }
        changes.forEach(
                (name, value) -> values.put(name, name.equals("notify-keyspace-events") ? normalised(value) : value));
        notifying = !text("notify-keyspace-events").isEmpty();
    }

    /** {@return whether any changes of keys are told at all} */
    boolean isNotifying() {
        return notifying;
    }

    private static CommandException failed(String name, String why) {
        return new CommandException("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
    }

    private static void checkEvents(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) != 'A' && FLAGS.indexOf(value.charAt(i)) < 0) {
                throw failed("notify-keyspace-events", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
            }
        }
    }

    /** {@return the letters in the order of the server, the common ones as one} */
    private static String normalised(String value) {
        String common = "g$lshzxetd";
        String given = value.contains("A") ? value + common : value;
        StringBuilder result = new StringBuilder();
        boolean all = common.chars().allMatch(c -> given.indexOf(c) >= 0);
        String order = (all ? "A" : common) + "KEmn";
        for (int i = 0; i < order.length(); i++) {
            if (order.charAt(i) == 'A' || given.indexOf(order.charAt(i)) >= 0) {
                result.append(order.charAt(i));
            }
        }
        return result.toString();
    }

    /** {@return whether events of a kind are told, in the key space ({@code K}) or as events ({@code E})} */
    boolean tells(char where, char kind) {
        String events = text("notify-keyspace-events");
        return events.indexOf(where) >= 0
                && (events.indexOf(kind) >= 0 || (events.indexOf('A') >= 0 && "g$lshzxetd".indexOf(kind) >= 0));
    }
}
