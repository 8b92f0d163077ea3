package io.kvorum.redis;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** What a server says of itself in answer to INFO. Immutable. */
record ServerInfo(Map<String, String> values) {
    private static final Pattern REPLICA = Pattern.compile("slave[0-9]+");

    /** Reads an answer, of which lines that are no values are left out. */
    static ServerInfo parse(String text) {
        Map<String, String> values = new HashMap<>();
        text.lines().forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0 && !line.startsWith("#")) {
                values.put(line.substring(0, colon), line.substring(colon + 1));
            }
        });
        return new ServerInfo(Map.copyOf(values));
    }

    String text(String name) {
        return values.getOrDefault(name, "");
    }

    /** Returns a number, or 0 where there is none. */
    long number(String name) {
        String text = text(name);
        return text.isEmpty() ? 0 : Long.parseLong(text);
    }

    /** Returns how many replicas have all data. */
    int replicas() {
        return (int) values.entrySet().stream()
                .filter(each -> REPLICA.matcher(each.getKey()).matches()
                        && each.getValue().contains("state=online"))
                .count();
    }

    String version() {
        return text("redis_version");
    }

    boolean isAtLeast(int major) {
        String version = version();
        int dot = version.indexOf('.');
        return dot > 0 && Integer.parseInt(version, 0, dot, 10) >= major;
    }

    boolean isOfCluster() {
        return text("cluster_enabled").equals("1");
    }
}
