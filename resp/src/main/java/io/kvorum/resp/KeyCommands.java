package io.kvorum.resp;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.Life;
import io.kvorum.core.PartlyClearedException;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoredValue;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The commands on keys of any type, but for those on deadlines. */
final class KeyCommands {
    private static final String NO_SUCH_KEY = "ERR no such key";
    private static final int MAX_EMBEDDED = 44;
    private static final int SHARED_NUMBERS = 10_000;
    private static final int MAX_PAGE = 1 << 16;

    /** How much of a position within a slot fits into a cursor beside the number of the slot. */
    private static final int POSITION_BITS = 49;

    private KeyCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "generic",
                Command.of(
                        "copy",
                        -3,
                        "write denyoom @keyspace",
                        "1 2 1 RO access; OW update",
                        "Copies a value to another key",
                        "6.2.0",
                        KeyCommands::copy));
        table.add(
                "server",
                Command.of(
                        "dbsize",
                        1,
                        "readonly fast @keyspace ~request_policy:all_shards ~response_policy:agg_sum",
                        "",
                        "Counts the keys of the node",
                        "1.0.0",
                        KeyCommands::dbsize));
        table.add(
                "generic",
                Command.of(
                        "del",
                        -2,
                        "write @keyspace ~request_policy:multi_shard ~response_policy:agg_sum",
                        "1 -1 1 RM delete",
                        "Deletes keys",
                        "1.0.0",
                        KeyCommands::del));
        table.add(
                "generic",
                Command.of(
                        "exists",
                        -2,
                        "readonly fast @keyspace ~request_policy:multi_shard ~response_policy:agg_sum",
                        "1 -1 1 RO",
                        "Counts which of some keys exist",
                        "1.0.0",
                        KeyCommands::exists));
        table.add(
                "server",
                Command.of(
                        "flushall",
                        -1,
                        "write @keyspace @dangerous ~request_policy:all_shards ~response_policy:all_succeeded",
                        "",
                        "Deletes every key",
                        "1.0.0",
                        KeyCommands::flushall));
        table.add(
                "server",
                Command.of(
                        "flushdb",
                        -1,
                        "write @keyspace @dangerous ~request_policy:all_shards ~response_policy:all_succeeded",
                        "",
                        "Deletes every key",
                        "1.0.0",
                        KeyCommands::flushdb));
        table.add(
                "generic",
                Command.of(
                        "keys",
                        2,
                        "readonly @keyspace @dangerous ~request_policy:all_shards ~nondeterministic_output_order",
                        "",
                        "Returns the keys that match a pattern",
                        "1.0.0",
                        KeyCommands::keys));
        table.container(
                "object",
                "generic",
                "",
                "Tells how a value is kept",
                "2.2.3",
                Command.of(
                        "encoding",
                        3,
                        "readonly @keyspace ~nondeterministic_output",
                        "2 2 1 RO",
                        "Tells the encoding of a value",
                        "2.2.3",
                        KeyCommands::objectEncoding),
                Command.of(
                        "freq",
                        3,
                        "readonly @keyspace ~nondeterministic_output",
                        "2 2 1 RO",
                        "Tells how often a key is used",
                        "4.0.0",
                        KeyCommands::objectFreq),
                Command.of(
                        "help",
                        2,
                        "loading stale @keyspace",
                        "",
                        "Lists the subcommands",
                        "6.2.0",
                        KeyCommands::objectHelp),
                Command.of(
                        "idletime",
                        3,
                        "readonly @keyspace ~nondeterministic_output",
                        "2 2 1 RO",
                        "Tells for how long a key was not used",
                        "2.2.3",
                        KeyCommands::objectIdletime),
                Command.of(
                        "refcount",
                        3,
                        "readonly @keyspace ~nondeterministic_output",
                        "2 2 1 RO",
                        "Counts the references to a value",
                        "2.2.3",
                        KeyCommands::objectRefcount));
        table.add(
                "generic",
                Command.of(
                        "randomkey",
                        1,
                        "readonly @keyspace ~request_policy:all_shards ~nondeterministic_output",
                        "",
                        "Returns some key",
                        "1.0.0",
                        KeyCommands::randomkey));
        table.add(
                "generic",
                Command.of(
                        "rename",
                        3,
                        "write @keyspace",
                        "1 2 1 RW access delete; OW update",
                        "Gives a value another key",
                        "1.0.0",
                        KeyCommands::rename));
        table.add(
                "generic",
                Command.of(
                        "renamenx",
                        3,
                        "write fast @keyspace",
                        "1 2 1 RW access delete; OW insert",
                        "Gives a value another key that does not exist",
                        "1.0.0",
                        KeyCommands::renamenx));
        table.add(
                "generic",
                Command.of(
                        "scan",
                        -2,
                        "readonly @keyspace ~nondeterministic_output ~request_policy:special",
                        "",
                        "Returns some keys, and where to go on",
                        "2.8.0",
                        KeyCommands::scan));
        table.add(
                "generic",
                Command.of(
                        "touch",
                        -2,
                        "readonly fast @keyspace ~request_policy:multi_shard ~response_policy:agg_sum",
                        "1 -1 1 RO",
                        "Counts as a use of some keys",
                        "3.2.1",
                        KeyCommands::touch));
        table.add(
                "generic",
                Command.of(
                        "type",
                        2,
                        "readonly fast @keyspace",
                        "1 1 1 RO",
                        "Tells the type of a value",
                        "1.0.0",
                        KeyCommands::type));
        table.add(
                "generic",
                Command.of(
                        "unlink",
                        -2,
                        "write fast @keyspace ~request_policy:multi_shard ~response_policy:agg_sum",
                        "1 -1 1 RM delete",
                        "Deletes keys",
                        "4.0.0",
                        KeyCommands::unlink));
    }

    // ---- whole keys

    private static void del(Call call) {
        delete(call);
    }

    private static void unlink(Call call) {
        delete(call);
    }

    private static void delete(Call call) {
        int deleted = 0;
        for (byte[] key : call.command().keysOf(call.args())) {
            if (call.keys().delete(key)) {
                call.changed('g', "del", key);
                deleted++;
            }
        }
        call.out().integer(deleted);
    }

    private static void exists(Call call) {
        count(call, key -> call.keys().exists(key));
    }

    private static void touch(Call call) {
        count(call, key -> call.keys().touch(key));
    }

    private static void count(Call call, Function<byte[], Boolean> test) {
        int count = 0;
        for (byte[] key : call.command().keysOf(call.args())) {
            if (test.apply(key)) {
                count++;
            } else {
                call.missed(key);
            }
        }
        call.out().integer(count);
    }

    private static void type(Call call) {
        boolean exists = call.keys().exists(call.arg(1));
        if (!exists) {
            call.missed(call.arg(1));
        }
        call.out().simple(exists ? "string" : "none");
    }

    private static void rename(Call call) {
        if (!move(call, true)) {
            throw new CommandException(NO_SUCH_KEY);
        }
        call.out().ok();
    }

    private static void renamenx(Call call) {
        call.out().integer(move(call, false) ? 1 : 0);
    }

    private static boolean move(Call call, boolean replace) {
        byte[] from = call.arg(1);
        byte[] to = call.arg(2);
        boolean same = Arrays.equals(from, to);
        boolean done = take(call, from, to, replace || same, false);
        if (!done && !replace && !call.keys().exists(from)) {
            throw new CommandException(NO_SUCH_KEY);
        }
        if (done && !same) {
            call.changed(Connection.NEW, "new", to);
            call.changed('g', "rename_from", from);
            call.changed('g', "rename_to", to);
        }
        return done && (replace || !same);
    }

    private static void copy(Call call) {
        boolean replace = false;
        for (int i = 3; i < call.size(); i++) {
            if (call.is(i, "REPLACE")) {
                replace = true;
            } else if (call.is(i, "DB") && i + 1 < call.size()) {
                boolean other = call.smallInteger(++i) != 0;
                if (other && call.node().cluster().mode() == RespMode.CLUSTER) {
                    throw new CommandException("ERR Copying to another database is not allowed in cluster mode");
                } else if (other) {
                    throw new CommandException("ERR DB index is out of range");
                }
            } else {
                throw CommandException.syntax();
            }
        }
        if (Arrays.equals(call.arg(1), call.arg(2))) {
            throw new CommandException("ERR source and destination objects are the same");
        }
        boolean copied = take(call, call.arg(1), call.arg(2), replace, true);
        if (copied) {
            call.changed(Connection.NEW, "new", call.arg(2));
            call.changed('g', "copy_to", call.arg(2));
        }
        if (!copied && !call.keys().exists(call.arg(1))) {
            call.missed(call.arg(1));
        }
        call.out().integer(copied ? 1 : 0);
    }

    /** Gives a value another key; if the keys are of several slots, no other command runs meanwhile. */
    private static boolean take(Call call, byte[] from, byte[] to, boolean replace, boolean keep) {
        if (call.inTransaction() || Call.inOneSlot(List.of(from, to))) {
            return keep
                    ? replace ? call.keys().copy(from, to) : call.keys().copyIfAbsent(from, to)
                    : replace ? call.keys().rename(from, to) : call.keys().renameIfAbsent(from, to);
        }
        StoredValue value = call.keys().lookUp(from);
        if (value == null || (!replace && call.keys().exists(to))) {
            return false;
        }
        Life life = value.deadline() < 0 ? Life.forever() : Life.until(value.deadline());
        call.keys().set(to, value.value(), SetOptions.defaults().withLife(life));
        if (!keep) {
            call.keys().delete(from);
        }
        return true;
    }

    // ---- how a value is kept

    private static void objectEncoding(Call call) {
        byte[] value = call.keys().get(call.arg(2));
        if (value == null) {
            call.out().nil();
        } else if (Numbers.parse(value) != null) {
            call.out().bulk("int");
        } else {
            call.out().bulk(value.length <= MAX_EMBEDDED ? "embstr" : "raw");
        }
    }

    private static void objectRefcount(Call call) {
        byte[] value = call.keys().get(call.arg(2));
        if (value == null) {
            call.out().nil();
            return;
        }
        Long number = Numbers.parse(value);
        boolean shared = number != null && number >= 0 && number < SHARED_NUMBERS;
        call.out().integer(shared ? Integer.MAX_VALUE : 1);
    }

    private static void objectIdletime(Call call) {
        if (call.keys().exists(call.arg(2))) {
            call.out().integer(0);
        } else {
            call.out().nil();
        }
    }

    private static void objectFreq(Call call) {
        if (!call.keys().exists(call.arg(2))) {
            call.out().nil();
            return;
        }
        throw new CommandException("ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                + "Please note that when switching between policies at runtime LRU and LFU data will take some time "
                + "to adjust.");
    }

    private static void objectHelp(Call call) {
        Help.answer(call, "ENCODING <key>", "FREQ <key>", "IDLETIME <key>", "REFCOUNT <key>");
    }

    // ---- all keys of the node

    private static void dbsize(Call call) {
        call.out().integer(call.connection().store().size());
    }

    private static void flushall(Call call) {
        flush(call);
    }

    private static void flushdb(Call call) {
        flush(call);
    }

    private static void flush(Call call) {
        if (call.size() > 2 || (call.size() == 2 && !call.is(1, "ASYNC") && !call.is(1, "SYNC"))) {
            throw CommandException.syntax();
        }
        try {
            clear(call.connection().store());
        } finally { // some keys may be gone
            call.node().watched().allDeleted();
        }
        call.out().ok();
    }

    /** Clears a store. How far a failure let it come is of no interest to a client, which sends the command again. */
    static void clear(KeyValueStore store) {
        try {
            store.clear();
        } catch (PartlyClearedException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : e;
        }
    }

    private static void randomkey(Call call) {
        call.out().bulk(call.connection().store().randomKey());
    }

    private static void keys(Call call) {
        byte[] pattern = call.arg(1);
        List<byte[]> found = new ArrayList<>();
        ScanCursor cursor = ScanCursor.START;
        while (cursor != null) {
            cursor = page(call, cursor, ScanOptions.defaults().withCount(1_000), found);
        }
        found.removeIf(key -> !Glob.matches(pattern, key));
        call.out().array(found.size());
        found.forEach(call.out()::bulk);
    }

    /** Adds a page of keys, and returns where to go on in the slots of the node, or null at the end. */
    private static @Nullable ScanCursor page(Call call, ScanCursor cursor, ScanOptions options, List<byte[]> found) {
        KeyValueStore store = call.connection().store();
        SlotSet slots = call.node().cluster().shardOf(call.node()).slots();
        ScanCursor from = inside(cursor, slots);
        if (from == null) {
            return null;
        }
        ScanPage page = store.scan(from, options);
        found.addAll(page.keys());
        return page.next().isEnd() ? null : inside(page.next(), slots);
    }

    private static @Nullable ScanCursor inside(ScanCursor cursor, SlotSet slots) {
        int slot = cursor.isEnd() ? -1 : slots.next(cursor.slot());
        return slot < 0 ? null : slot == cursor.slot() ? cursor : new ScanCursor(slot, 0);
    }

    private static void scan(Call call) {
        ScanCursor cursor = cursor(call.text(1));
        int count = 10;
        byte[] pattern = null;
        boolean strings = true;
        for (int i = 2; i < call.size(); i += 2) {
            if (i + 1 >= call.size()) {
                throw CommandException.syntax();
            }
            if (call.is(i, "COUNT")) {
                long given = call.integer(i + 1);
                if (given < 1) {
                    throw CommandException.syntax();
                }
                count = (int) Math.min(given, MAX_PAGE);
            } else if (call.is(i, "MATCH")) {
                pattern = call.arg(i + 1);
            } else if (call.is(i, "TYPE")) {
                strings = call.is(i + 1, "string");
            } else {
                throw CommandException.syntax();
            }
        }
        List<byte[]> found = new ArrayList<>();
        ScanCursor next = page(call, cursor, ScanOptions.defaults().withCount(count), found);
        byte[] wanted = pattern;
        boolean none = !strings;
        found.removeIf(key -> none || (wanted != null && !Glob.matches(wanted, key)));
        call.out().array(2);
        call.out().bulk(next == null ? "0" : Long.toString(number(next)));
        call.out().array(found.size());
        found.forEach(call.out()::bulk);
    }

    /**
     * {@return a cursor as the number that clients get} It has the slot and the higher bits of the position in it, so a
     * page may repeat a key whose hash differs from that of the last one in the lower bits only. Zero is the end.
     */
    private static long number(ScanCursor cursor) {
        long position = cursor.position() >>> (Long.SIZE - POSITION_BITS);
        return Math.max(((long) cursor.slot() << POSITION_BITS) | position, 1);
    }

    private static ScanCursor cursor(String text) {
        if (text.isEmpty()) {
            return ScanCursor.START;
        }
        try {
            long number = text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
            int slot = (int) (number >>> POSITION_BITS);
            return number == 0 || slot >= HashSlot.COUNT
                    ? new ScanCursor(number == 0 ? 0 : HashSlot.COUNT, 0)
                    : new ScanCursor(slot, number << (Long.SIZE - POSITION_BITS));
        } catch (NumberFormatException e) {
            throw new CommandException("ERR invalid cursor");
        }
    }
}
