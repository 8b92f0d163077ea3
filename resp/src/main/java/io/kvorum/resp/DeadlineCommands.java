package io.kvorum.resp;

import io.kvorum.core.ExpireCondition;
import io.kvorum.core.Life;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** The commands on the deadlines of keys. */
final class DeadlineCommands {
    private DeadlineCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "generic",
                Command.of(
                        "expire",
                        -3,
                        "write fast @keyspace",
                        "1 1 1 RW update",
                        "Gives a key some seconds to live",
                        "1.0.0",
                        DeadlineCommands::expire));
        table.add(
                "generic",
                Command.of(
                        "expireat",
                        -3,
                        "write fast @keyspace",
                        "1 1 1 RW update",
                        "Gives a key a deadline in seconds",
                        "1.2.0",
                        DeadlineCommands::expireat));
        table.add(
                "generic",
                Command.of(
                        "expiretime",
                        2,
                        "readonly fast @keyspace",
                        "1 1 1 RO access",
                        "Returns the deadline of a key in seconds",
                        "7.0.0",
                        DeadlineCommands::expiretime));
        table.add(
                "generic",
                Command.of(
                        "persist",
                        2,
                        "write fast @keyspace",
                        "1 1 1 RW update",
                        "Takes the deadline of a key away",
                        "2.2.0",
                        DeadlineCommands::persist));
        table.add(
                "generic",
                Command.of(
                        "pexpire",
                        -3,
                        "write fast @keyspace",
                        "1 1 1 RW update",
                        "Gives a key some milliseconds to live",
                        "2.6.0",
                        DeadlineCommands::pexpire));
        table.add(
                "generic",
                Command.of(
                        "pexpireat",
                        -3,
                        "write fast @keyspace",
                        "1 1 1 RW update",
                        "Gives a key a deadline in milliseconds",
                        "2.6.0",
                        DeadlineCommands::pexpireat));
        table.add(
                "generic",
                Command.of(
                        "pexpiretime",
                        2,
                        "readonly fast @keyspace",
                        "1 1 1 RO access",
                        "Returns the deadline of a key in milliseconds",
                        "7.0.0",
                        DeadlineCommands::pexpiretime));
        table.add(
                "generic",
                Command.of(
                        "pttl",
                        2,
                        "readonly fast @keyspace ~nondeterministic_output",
                        "1 1 1 RO access",
                        "Tells how many milliseconds a key has to live",
                        "2.6.0",
                        DeadlineCommands::pttl));
        table.add(
                "generic",
                Command.of(
                        "ttl",
                        2,
                        "readonly fast @keyspace ~nondeterministic_output",
                        "1 1 1 RO access",
                        "Tells how many seconds a key has to live",
                        "1.0.0",
                        DeadlineCommands::ttl));
    }

    private static void expire(Call call) {
        expire(call, 1_000, false);
    }

    private static void pexpire(Call call) {
        expire(call, 1, false);
    }

    private static void expireat(Call call) {
        expire(call, 1_000, true);
    }

    private static void pexpireat(Call call) {
        expire(call, 1, true);
    }

    private static void expire(Call call, long unit, boolean absolute) {
        Conditions conditions = Conditions.of(call);
        long value = call.integer(2);
        long now = absolute ? 0 : System.currentTimeMillis();
        boolean fits = value <= Long.MAX_VALUE / unit && value >= Long.MIN_VALUE / unit;
        if (!fits || value * unit > Long.MAX_VALUE - now) {
            throw new CommandException(
                    "ERR invalid expire time in '" + call.command().name() + "' command");
        }
        Life life = Life.until(Math.max(value * unit + now, 0));
        byte[] key = call.arg(1);
        boolean done = call.atomically(key, keys -> {
            if (conditions.mustHaveOne && keys.deadlineOf(key).isEmpty()) {
                return false;
            }
            boolean expires = keys.expire(key, life, conditions.condition);
            if (expires) {
                call.changed('g', keys.exists(key) ? "expire" : "del", key);
            }
            return expires;
        });
        call.out().integer(done ? 1 : 0);
    }

    /** The conditions of EXPIRE. */
    private record Conditions(ExpireCondition condition, boolean mustHaveOne) {
        static Conditions of(Call call) {
            List<String> words = new ArrayList<>();
            for (int i = 3; i < call.size(); i++) {
                String word = call.text(i).toUpperCase(Locale.ROOT);
                if (!List.of("NX", "XX", "GT", "LT").contains(word)) {
                    throw new CommandException("ERR Unsupported option " + call.shown(i));
                }
                words.add(word);
            }
            boolean later = words.contains("GT");
            boolean earlier = words.contains("LT");
            if (words.contains("NX") && (words.contains("XX") || later || earlier)) {
                throw new CommandException("ERR NX and XX, GT or LT options at the same time are not compatible");
            }
            if (later && earlier) {
                throw new CommandException("ERR GT and LT options at the same time are not compatible");
            }
            ExpireCondition condition = later
                    ? ExpireCondition.IF_LATER
                    : earlier
                            ? ExpireCondition.IF_EARLIER
                            : words.contains("NX") ? ExpireCondition.IF_NONE : ExpireCondition.ALWAYS;
            return new Conditions(condition, words.contains("XX"));
        }
    }

    private static void persist(Call call) {
        boolean done = call.keys().persist(call.arg(1));
        if (done) {
            call.changed('g', "persist", call.arg(1));
        }
        call.out().integer(done ? 1 : 0);
    }

    private static void ttl(Call call) {
        remaining(call, 1_000, false);
    }

    private static void pttl(Call call) {
        remaining(call, 1, false);
    }

    private static void expiretime(Call call) {
        remaining(call, 1_000, true);
    }

    private static void pexpiretime(Call call) {
        remaining(call, 1, true);
    }

    private static void remaining(Call call, long unit, boolean absolute) {
        byte[] key = call.arg(1);
        long answer = call.reading(key, keys -> {
            OptionalLong deadline = keys.deadlineOf(key);
            if (deadline.isEmpty()) {
                if (keys.exists(key)) {
                    return -1L;
                }
                call.missed(key);
                return -2L;
            }
            long millis =
                    absolute ? deadline.getAsLong() : Math.max(deadline.getAsLong() - System.currentTimeMillis(), 0);
            return unit == 1 ? millis : millis / unit + (millis % unit) / (unit / 2);
        });
        call.out().integer(answer);
    }
}
