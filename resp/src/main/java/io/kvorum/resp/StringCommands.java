package io.kvorum.resp;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyReads;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetResult;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The commands on strings. */
final class StringCommands {
    private static final String NOT_FINITE = "ERR increment would produce NaN or Infinity";
    private static final long MAX_LENGTH = 512 << 20;

    private StringCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "string",
                Command.of(
                        "append",
                        3,
                        "write denyoom fast @string",
                        "1 1 1 RW insert",
                        "Adds bytes at the end of a value",
                        "2.0.0",
                        StringCommands::append));
        table.add(
                "string",
                Command.of(
                        "decr",
                        2,
                        "write denyoom fast @string",
                        "1 1 1 RW access update",
                        "Subtracts one from a number",
                        "1.0.0",
                        StringCommands::decr));
        table.add(
                "string",
                Command.of(
                        "decrby",
                        3,
                        "write denyoom fast @string",
                        "1 1 1 RW access update",
                        "Subtracts from a number",
                        "1.0.0",
                        StringCommands::decrby));
        table.add(
                "string",
                Command.of(
                        "get",
                        2,
                        "readonly fast @string",
                        "1 1 1 RO access",
                        "Returns a value",
                        "1.0.0",
                        StringCommands::get));
        table.add(
                "string",
                Command.of(
                        "getdel",
                        2,
                        "write fast @string",
                        "1 1 1 RW access delete",
                        "Returns a value and deletes its key",
                        "6.2.0",
                        StringCommands::getdel));
        table.add(
                "string",
                Command.of(
                        "getex",
                        -2,
                        "write fast @string",
                        "1 1 1 RW access update",
                        "Returns a value and changes its deadline",
                        "6.2.0",
                        StringCommands::getex));
        table.add(
                "string",
                Command.of(
                        "getrange",
                        4,
                        "readonly @string",
                        "1 1 1 RO access",
                        "Returns a part of a value",
                        "2.4.0",
                        StringCommands::getrange));
        table.add(
                "string",
                Command.of(
                        "getset",
                        3,
                        "write denyoom fast @string",
                        "1 1 1 RW access update",
                        "Sets a value and returns the one before",
                        "1.0.0",
                        StringCommands::getset));
        table.add(
                "string",
                Command.of(
                        "incr",
                        2,
                        "write denyoom fast @string",
                        "1 1 1 RW access update",
                        "Adds one to a number",
                        "1.0.0",
                        StringCommands::incr));
        table.add(
                "string",
                Command.of(
                        "incrby",
                        3,
                        "write denyoom fast @string",
                        "1 1 1 RW access update",
                        "Adds to a number",
                        "1.0.0",
                        StringCommands::incrby));
        table.add(
                "string",
                Command.of(
                        "incrbyfloat",
                        3,
                        "write denyoom fast @string",
                        "1 1 1 RW access update",
                        "Adds to a number with a fraction",
                        "2.6.0",
                        StringCommands::incrbyfloat));
        table.add(
                "string",
                Command.of(
                        "mget",
                        -2,
                        "readonly fast @string ~request_policy:multi_shard",
                        "1 -1 1 RO access",
                        "Returns several values",
                        "1.0.0",
                        StringCommands::mget));
        table.add(
                "string",
                Command.of(
                        "mset",
                        -3,
                        "write denyoom @string ~request_policy:multi_shard ~response_policy:all_succeeded",
                        "1 -1 2 OW update",
                        "Sets several keys",
                        "1.0.1",
                        StringCommands::mset));
        table.add(
                "string",
                Command.of(
                        "msetnx",
                        -3,
                        "write denyoom @string ~request_policy:multi_shard ~response_policy:agg_min",
                        "1 -1 2 OW insert",
                        "Sets several keys if none of them exists",
                        "1.0.1",
                        StringCommands::msetnx));
        table.add(
                "string",
                Command.of(
                        "psetex",
                        4,
                        "write denyoom @string",
                        "1 1 1 OW update",
                        "Sets a value that lives for some milliseconds",
                        "2.6.0",
                        StringCommands::psetex));
        table.add(
                "string",
                Command.of(
                        "set",
                        -3,
                        "write denyoom @string",
                        "1 1 1 RW access update variable_flags",
                        "Sets a value, perhaps under a condition",
                        "1.0.0",
                        StringCommands::set));
        table.add(
                "string",
                Command.of(
                        "setex",
                        4,
                        "write denyoom @string",
                        "1 1 1 OW update",
                        "Sets a value that lives for some seconds",
                        "2.0.0",
                        StringCommands::setex));
        table.add(
                "string",
                Command.of(
                        "setnx",
                        3,
                        "write denyoom fast @string",
                        "1 1 1 OW insert",
                        "Sets a value if the key does not exist",
                        "1.0.0",
                        StringCommands::setnx));
        table.add(
                "string",
                Command.of(
                        "setrange",
                        4,
                        "write denyoom @string",
                        "1 1 1 RW update",
                        "Overwrites a part of a value",
                        "2.2.0",
                        StringCommands::setrange));
        table.add(
                "string",
                Command.of(
                        "strlen",
                        2,
                        "readonly fast @string",
                        "1 1 1 RO",
                        "Returns the length of a value",
                        "2.2.0",
                        StringCommands::strlen));
        table.add(
                "string",
                Command.of(
                        "substr",
                        4,
                        "readonly @string",
                        "1 1 1 RO access",
                        "Returns a part of a value",
                        "1.0.0",
                        StringCommands::getrange));
    }

    // ---- setting and getting

    private static void set(Call call) {
        if (call.size() == 3) {
            call.keys().set(call.arg(1), call.arg(2));
            call.changed('$', "set", call.arg(1));
            call.out().ok();
            return;
        }
        ValueOptions options = ValueOptions.ofSet(call);
        byte[] key = call.arg(1);
        byte[] value = call.arg(2);
        SetOptions set =
                SetOptions.defaults().withCondition(options.condition()).withLife(options.life());
        SetResult result;
        if (options.get) {
            result = call.keys().getAndSet(key, value, set);
            call.found(key, result.previous());
        } else {
            result = new SetResult(call.keys().set(key, value, set), null);
        }
        if (result.applied()) {
            call.changed('$', "set", key);
            if (options.unit != null) {
                call.changed('g', "expire", key);
            }
        }
        if (options.get) {
            call.out().bulk(result.previous());
        } else if (result.applied()) {
            call.out().ok();
        } else {
            call.out().nil();
        }
    }

    private static void setnx(Call call) {
        boolean set = call.keys().setIfAbsent(call.arg(1), call.arg(2));
        if (set) {
            call.changed('$', "set", call.arg(1));
        }
        call.out().integer(set ? 1 : 0);
    }

    private static void setex(Call call) {
        setFor(call, ValueOptions.Unit.EX);
    }

    private static void psetex(Call call) {
        setFor(call, ValueOptions.Unit.PX);
    }

    private static void setFor(Call call, ValueOptions.Unit unit) {
        Life life = unit.life(call, 2);
        call.keys().set(call.arg(1), call.arg(3), SetOptions.defaults().withLife(life));
        call.changed('$', "set", call.arg(1));
        call.changed('g', "expire", call.arg(1));
        call.out().ok();
    }

    private static void get(Call call) {
        call.out().bulk(call.found(call.arg(1), call.keys().get(call.arg(1))));
    }

    private static void getset(Call call) {
        byte[] before = call.found(call.arg(1), call.keys().getAndSet(call.arg(1), call.arg(2)));
        call.changed('$', "set", call.arg(1));
        call.out().bulk(before);
    }

    private static void getdel(Call call) {
        byte[] value = call.found(call.arg(1), call.keys().getAndDelete(call.arg(1)));
        if (value != null) {
            call.changed('g', "del", call.arg(1));
        }
        call.out().bulk(value);
    }

    private static void getex(Call call) {
        ValueOptions options = ValueOptions.ofGetex(call);
        byte[] key = call.arg(1);
        byte[] value = call.<byte @Nullable []>atomically(key, keys -> {
            byte[] present = call.found(key, keys.get(key));
            if (present == null) {
                return null;
            }
            if (options.persist) {
                if (keys.persist(key)) {
                    call.changed('g', "persist", key);
                }
            } else if (options.unit != null) {
                keys.getAndExpire(key, options.life());
                call.changed('g', keys.exists(key) ? "expire" : "del", key);
            }
            return present;
        });
        call.out().bulk(value);
    }

    private static void mget(Call call) {
        List<byte[]> keys = call.command().keysOf(call.args());
        List<byte @Nullable []> values = call.inTransaction() || Call.inOneSlot(keys)
                ? call.keys().getAll(keys)
                : call.connection().store().getEach(keys);
        call.out().array(values.size());
        for (int i = 0; i < values.size(); i++) {
            call.out().bulk(call.found(keys.get(i), values.get(i)));
        }
    }

    private static void mset(Call call) {
        List<Entry> entries = entries(call);
        if (call.inTransaction() || Call.inOneSlot(call.command().keysOf(call.args()))) {
            call.keys().setAll(entries);
        } else {
            call.connection().store().setEach(entries);
        }
        entries.forEach(entry -> call.changed('$', "set", entry.key()));
        call.out().ok();
    }

    private static void msetnx(Call call) {
        List<Entry> entries = entries(call);
        boolean set;
        if (call.inTransaction() || Call.inOneSlot(call.command().keysOf(call.args()))) {
            set = call.keys().setAllIfAbsent(entries);
        } else {
            set = entries.stream().noneMatch(entry -> call.keys().exists(entry.key()));
            if (set) {
                call.connection().store().setEach(entries);
            }
        }
        if (set) {
            entries.forEach(entry -> call.changed('$', "set", entry.key()));
        }
        call.out().integer(set ? 1 : 0);
    }

    private static List<Entry> entries(Call call) {
        if (call.size() % 2 == 0) {
            throw new CommandException(
                    "ERR wrong number of arguments for '" + call.command().name() + "' command");
        }
        List<Entry> entries = new ArrayList<>();
        for (int i = 1; i < call.size(); i += 2) {
            entries.add(new Entry(call.arg(i), call.arg(i + 1)));
        }
        return entries;
    }

    // ---- parts

    private static void strlen(Call call) {
        byte[] key = call.arg(1);
        call.out().integer(call.reading(key, keys -> length(call, keys)));
    }

    /** {@return the length of the value of the first key of a call, which need not be there} */
    private static int length(Call call, KeyReads keys) {
        byte[] key = call.arg(1);
        int length = keys.length(key);
        if (length == 0 && !keys.exists(key)) {
            call.missed(key);
        }
        return length;
    }

    private static void append(Call call) {
        int length = call.keys().append(call.arg(1), call.arg(2));
        call.changed('$', "append", call.arg(1));
        call.out().integer(length);
    }

    private static void getrange(Call call) {
        long first = call.integer(2);
        long last = call.integer(3);
        byte[] key = call.arg(1);
        byte[] part = call.<byte @Nullable []>reading(key, keys -> {
            int length = length(call, keys);
            boolean empty = length == 0 || (first < 0 && last < 0 && first > last);
            return empty ? null : keys.getRange(key, fromStart(first, length), fromStart(last, length));
        });
        call.out().bulk(part == null ? new byte[0] : part);
    }

    /** What counts from the end and would be before the start is the start, even for the end of a range. */
    private static long fromStart(long index, int length) {
        return index < 0 ? Math.max(index + length, 0) : index;
    }

    private static void setrange(Call call) {
        long offset = call.integer(2);
        byte[] part = call.arg(3);
        if (offset < 0) {
            throw new CommandException("ERR offset is out of range");
        }
        if (part.length == 0) {
            call.out().integer(call.keys().length(call.arg(1)));
            return;
        }
        if (offset + part.length > MAX_LENGTH || offset + part.length < 0) {
            throw new CommandException(NodeEndpoint.TOO_LONG);
        }
        int length = call.keys().setRange(call.arg(1), (int) offset, part);
        call.changed('$', "setrange", call.arg(1));
        call.out().integer(length);
    }

    // ---- numbers

    private static void incr(Call call) {
        add(call, 1);
    }

    private static void decr(Call call) {
        add(call, -1);
    }

    private static void incrby(Call call) {
        add(call, call.integer(2));
    }

    private static void decrby(Call call) {
        long delta = call.integer(2);
        if (delta == Long.MIN_VALUE) {
            throw new CommandException("ERR decrement would overflow");
        }
        add(call, -delta);
    }

    private static void add(Call call, long delta) {
        long sum;
        try {
            sum = call.keys().increment(call.arg(1), delta);
        } catch (NumberFormatException e) {
            throw CommandException.notInteger();
        } catch (ArithmeticException e) {
            throw new CommandException("ERR increment or decrement would overflow");
        }
        call.changed('$', "incrby", call.arg(1));
        call.out().integer(sum);
    }

    private static void incrbyfloat(Call call) {
        byte[] key = call.arg(1);
        BigDecimal delta = fraction(call.arg(2));
        byte[] sum = call.atomically(key, keys -> {
            byte[] present = keys.get(key);
            BigDecimal value = present == null ? BigDecimal.ZERO : fraction(present);
            BigDecimal result = value == null || delta == null ? null : Numbers.rounded(value.add(delta));
            if (result == null || !Numbers.isFinite(result)) {
                throw new CommandException(NOT_FINITE);
            }
            byte[] digits = Text.bytes(Numbers.format(result));
            keys.compute(key, before -> digits);
            return digits;
        });
        call.changed('$', "incrbyfloat", key);
        call.out().bulk(sum);
    }

    /** {@return a number with a fraction, or null if it is infinite} */
    private static @Nullable BigDecimal fraction(byte[] text) {
        BigDecimal number = Numbers.parseFraction(text);
        if (number == null && !Numbers.isInfinite(text)) {
            throw new CommandException("ERR value is not a valid float");
        }
        return number;
    }
}
