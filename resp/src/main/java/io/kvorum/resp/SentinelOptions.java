package io.kvorum.resp;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.slots.topology.Shard;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Changes the settings of a sentinel, {@code SENTINEL SET} and {@code SENTINEL CONFIG}, with the errors of the server.
 *
 * <p>As with the server the other sentinels keep theirs, and of several changes those before the first bad one are
 * made. Unlike there, settings are those of the sentinel and hold for all its groups.
 */
final class SentinelOptions {
    private static final Set<String> CHANGEABLE =
            Set.of("quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs");

    private static final Set<String> SCRIPTS = Set.of("notification-script", "client-reconfig-script");

    /** What has no effect here, with the values of a server that was not told anything. */
    private static final Map<String, String> FIXED = new LinkedHashMap<>();

    static {
        FIXED.put("resolve-hostnames", "no");
        FIXED.put("announce-hostnames", "no");
        FIXED.put("announce-ip", "");
        FIXED.put("announce-port", "0");
        FIXED.put("sentinel-user", "");
        FIXED.put("sentinel-pass", "");
    }

    private SentinelOptions() {}

    static void set(Call call) {
        Shard shard = SentinelCommands.shard(call, 2);
        call.sentinel().changeSettings(() -> set(call, shard));
        call.out().ok();
    }

    private static void set(Call call, Shard shard) {
        SentinelSettings settings = call.sentinel().sentinel().settings();
        String before = values(settings);
        try {
            for (int i = 3; i < call.size(); i += 2) {
                if (i + 1 == call.size()) {
                    throw unknown(call.text(i));
                }
                settings = changed(settings, call, i);
                call.sentinel().changed(shard, call.text(i).toLowerCase(Locale.ROOT), call.text(i + 1));
            }
        } finally {
            if (!values(settings).equals(before)) {
                call.sentinel().sentinel().reconfigure(settings);
            }
        }
    }

    private static SentinelSettings changed(SentinelSettings settings, Call call, int index) {
        String option = call.text(index).toLowerCase(Locale.ROOT);
        if (SCRIPTS.contains(option)) {
            throw new CommandException("ERR Reconfiguration of scripts path is denied for security reasons. Check the "
                    + "deny-scripts-reconfig configuration directive in your Sentinel configuration");
        } else if (!CHANGEABLE.contains(option)) {
            throw unknown(call.text(index));
        }
        Long number = Numbers.parse(call.arg(index + 1));
        if (number == null || number < 1 || number > Integer.MAX_VALUE) {
            throw invalid(call, index);
        }
        try {
            return changed(settings, call, option, number.intValue()).checked();
        } catch (IllegalArgumentException e) { // it contradicts the other settings
            throw invalid(call, index);
        }
    }

    private static SentinelSettings changed(SentinelSettings settings, Call call, String option, int value) {
        switch (option) {
            case "quorum" -> {
                int sentinels = call.sentinel().driver().sentinels().size();
                if (value > sentinels) {
                    throw new IllegalArgumentException("quorum must be at most " + sentinels + ": " + value);
                }
                return settings.withQuorum(value);
            }
            case "down-after-milliseconds" -> {
                return settings.withDownAfter(Duration.ofMillis(value));
            }
            case "failover-timeout" -> {
                return settings.withOperationTimeout(Duration.ofMillis(value));
            }
            case "parallel-syncs" -> {
                return settings.withParallelSyncs(value);
            }
            default -> throw new AssertionError(option);
        }
    }

    private static String values(SentinelSettings settings) {
        return settings.quorum() + " " + settings.downAfter() + " " + settings.operationTimeout() + " "
                + settings.parallelSyncs();
    }

    private static CommandException invalid(Call call, int index) {
        return new CommandException("ERR Invalid argument '" + call.text(index + 1) + "' for SENTINEL SET '"
                + call.text(index).toLowerCase(Locale.ROOT) + "'");
    }

    private static CommandException unknown(String option) {
        return new CommandException("ERR Unknown option or number of arguments for SENTINEL SET '" + option + "'");
    }

    static void config(Call call) {
        if (call.is(2, "GET") && call.size() == 4) {
            Map<String, String> found = new LinkedHashMap<>();
            FIXED.forEach((name, value) -> {
                if (Glob.matches(call.text(3).toLowerCase(Locale.ROOT), name)) {
                    found.put(name, value);
                }
            });
            call.out().map(found.size());
            found.forEach((name, value) -> {
                call.out().bulk(name);
                call.out().bulk(value);
            });
        } else if (call.is(2, "SET") && call.size() == 5) {
            String option = call.text(3).toLowerCase(Locale.ROOT);
            if (!FIXED.containsKey(option)) {
                throw new CommandException("ERR Invalid argument '" + call.text(3) + "' to SENTINEL CONFIG SET");
            }
            if (!call.text(4).equals(FIXED.get(option))) {
                throw new CommandException(
                        "ERR Invalid value '" + call.text(4) + "' to SENTINEL CONFIG SET '" + call.text(3) + "'");
            }
            call.out().ok();
        } else {
            throw new CommandException("ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.");
        }
    }
}
