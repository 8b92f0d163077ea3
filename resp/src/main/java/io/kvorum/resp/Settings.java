package io.kvorum.resp;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What CONFIG GET and CONFIG SET know. Most of it is told so that clients find what they look for; what has an effect
 * is said where it is used.
 *
 * <p>Safe for use by any number of threads.
 */
final class Settings {
    private static final Map<String, UnaryOperator<String>> CHANGEABLE = Map.ofEntries(
            Map.entry("notify-keyspace-events", SettingForm.events()),
            Map.entry("timeout", SettingForm.integer(0, Integer.MAX_VALUE)),
            Map.entry("maxmemory", SettingForm.memory()),
            Map.entry(
                    "maxmemory-policy",
                    SettingForm.oneOf(
                            "volatile-lru",
                            "volatile-lfu",
                            "volatile-random",
                            "volatile-ttl",
                            "allkeys-lru",
                            "allkeys-lfu",
                            "allkeys-random",
                            "noeviction")),
            Map.entry("save", SettingForm.savePoints()),
            Map.entry("appendonly", SettingForm.yesOrNo()),
            Map.entry("slowlog-log-slower-than", SettingForm.integer(-1, Long.MAX_VALUE)),
            Map.entry("slowlog-max-len", SettingForm.integer(0, Long.MAX_VALUE)),
            Map.entry("latency-monitor-threshold", SettingForm.integer(0, Long.MAX_VALUE)),
            Map.entry("client-output-buffer-limit", SettingForm.text()),
            Map.entry("tcp-keepalive", SettingForm.integer(0, Integer.MAX_VALUE)),
            Map.entry("masterauth", SettingForm.text()),
            Map.entry("requirepass", SettingForm.text()),
            Map.entry("cluster-node-timeout", SettingForm.integer(0, Long.MAX_VALUE)),
            Map.entry("min-replicas-to-write", SettingForm.integer(0, Integer.MAX_VALUE)),
            Map.entry("min-replicas-max-lag", SettingForm.integer(0, Integer.MAX_VALUE)),
            Map.entry("replica-priority", SettingForm.integer(0, Integer.MAX_VALUE)),
            Map.entry("repl-timeout", SettingForm.integer(1, Integer.MAX_VALUE)),
            Map.entry("lua-time-limit", SettingForm.integer(0, Long.MAX_VALUE)),
            Map.entry("loglevel", SettingForm.oneOf("debug", "verbose", "notice", "warning")));

    private final Map<String, String> values = new TreeMap<>();
    /** What {@code notify-keyspace-events} was set to, which it is not always read as. */
    private volatile String events;

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
        events = text("notify-keyspace-events");
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
        Map<String, List<String>> found = new LinkedHashMap<>(); // each setting once, whatever asks for it
        for (String pattern : patterns) {
            String lower = pattern.toLowerCase(Locale.ROOT);
            String value = values.get(lower);
            if (value != null) {
                found.putIfAbsent(lower, List.of(pattern, value)); // a name is told as it was asked for
            } else {
                values.forEach((name, other) -> {
                    if (Glob.matches(lower, name)) {
                        found.putIfAbsent(name, List.of(name, other));
                    }
                });
            }
        }
        List<String> answer = new ArrayList<>();
        found.values().forEach(answer::addAll);
        return answer;
    }

    /** Sets names to the values that follow them: all of these or, with an error, none. */
    synchronized void set(List<String> namesAndValues) {
        Map<String, String> changes = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.size(); i += 2) {
            String name = namesAndValues.get(i);
            String lower = name.toLowerCase(Locale.ROOT);
            if (!values.containsKey(lower)) {
                throw new CommandException(
                        "ERR Unknown option or number of arguments for CONFIG SET - '" + Text.shown(name) + "'");
            }
            if (!CHANGEABLE.containsKey(lower)) {
                throw failed(Text.shown(name), "can't set immutable config");
            }
            if (changes.put(lower, namesAndValues.get(i + 1)) != null) {
                throw failed(Text.shown(name), "duplicate parameter");
            }
        }
        String wanted = changes.get("notify-keyspace-events");
        changes.replaceAll((name, value) -> {
            try {
                return CHANGEABLE.getOrDefault(name, SettingForm.text()).apply(value);
            } catch (IllegalArgumentException e) {
                throw failed(name, String.valueOf(e.getMessage()));
            }
        });
        values.putAll(changes);
        events = wanted == null ? events : wanted;
    }

    /** {@return whether any changes of keys are told at all} */
    boolean isNotifying() {
        return !events.isEmpty();
    }

    private static CommandException failed(String name, String why) {
        return new CommandException("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
    }

    /** {@return whether events of a kind are told} */
    boolean tells(char kind) {
        return SettingForm.tells(events, kind);
    }

    /** {@return whether events of a kind are told, in the key space ({@code K}) or as events ({@code E})} */
    boolean tells(char where, char kind) {
        return events.indexOf(where) >= 0 && tells(kind);
    }
}
