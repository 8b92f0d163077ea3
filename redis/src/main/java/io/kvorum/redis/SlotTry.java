package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.StoredValue;
import io.kvorum.slots.HashSlot;
import io.lettuce.core.KeyValue;
import io.lettuce.core.SetArgs;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One try of a transaction. Each key that is used is watched and read once, into a store in memory where the function
 * works; what has then become different there is written by MULTI and EXEC, which the server carries out only if no
 * watched key was changed meanwhile. Confined to one thread.
 */
final class SlotTry {
    /** What the server answers for the deadline of a key that does not exist; {@code NO_DEADLINE} is its -1. */
    private static final long ABSENT = -2;

    private static final StoreSettings SETTINGS = StoreSettings.defaults().withStripes(1);

    private final Session session;
    private final Connections connections;
    private final int slot;
    private final boolean exactDeadlines; // the server tells them; else they follow from what is left and its clock
    private final long now;
    private final LocalStore local;
    private final Map<ByteBuffer, @Nullable StoredValue> before = new LinkedHashMap<>();

    /** Asks the server for the time, which stands still during the try. */
    SlotTry(Session session, int slot, boolean exactDeadlines, Connections connections) {
        this.session = session;
        this.connections = connections;
        this.slot = slot;
        this.exactDeadlines = exactDeadlines;
        this.now = millis(session.read(session.commands().time()));
        this.local = new LocalStore(SETTINGS, 0, () -> Instant.ofEpochMilli(now));
    }

    private static long millis(List<byte[]> time) {
        return number(time.get(0)) * 1_000 + number(time.get(1)) / 1_000;
    }

    private static long number(byte[] digits) {
        return Long.parseLong(new String(digits, US_ASCII));
    }

    /** Runs the function and finds out what has to be written. */
    <T extends @Nullable Object> T run(
            Function<? super KeyOperations, ? extends T> function, List<Entry> sets, List<byte[]> deletions) {
        return local.<T>transact(slot, keys -> {
            WatchedKeys watched = new WatchedKeys(keys, key -> load(keys, key));
            T result;
            try {
                result = function.apply(watched);
            } finally {
                watched.end();
            }
            before.forEach((key, value) -> {
                byte[] bytes = bytes(key);
                StoredValue after = keys.lookUp(bytes);
                if (after == null && value != null) {
                    deletions.add(bytes);
                } else if (after != null && !isSame(value, after)) {
                    sets.add(new Entry(bytes, after.value(), after.deadline()));
                }
            });
            return result;
        });
    }

    private static byte[] bytes(ByteBuffer key) {
        byte[] bytes = new byte[key.remaining()];
        key.duplicate().get(bytes);
        return bytes;
    }

    private static boolean isSame(@Nullable StoredValue before, StoredValue after) {
        return before != null && before.deadline() == after.deadline() && Arrays.equals(before.value(), after.value());
    }

    /** Puts a key as the server has it into the store in memory, when it is used for the first time. */
    private void load(KeyOperations keys, byte[] key) {
        if (HashSlot.of(key) != slot || before.containsKey(ByteBuffer.wrap(key))) {
            return; // one of another slot is refused by the store in memory
        }
        byte[] copy = key.clone();
        session.requireHere(copy, connections);
        CompletionStage<?> watched = session.watch(copy);
        CompletionStage<String> type = session.commands().type(copy);
        Entry entry = read(session, List.of(copy), exactDeadlines).get(0);
        session.read(watched);
        if (entry == null) {
            String found = session.read(type);
            if (!found.equals("none") && !found.equals("string")) { // a string may have expired meanwhile
                throw new IllegalStateException("a key of the transaction holds no string but a " + found);
            }
        }
        if (entry != null) {
            keys.setAll(List.of(entry));
        }
        before.put(ByteBuffer.wrap(copy), keys.lookUp(copy));
    }

    /** Reads keys with their deadlines, of those that are strings. */
    static List<@Nullable Entry> read(Session session, List<byte[]> keys, boolean exactDeadlines) {
        RedisAsyncCommands<byte[], byte[]> commands = session.commands();
        CompletionStage<List<KeyValue<byte[], byte[]>>> values = commands.mget(keys.toArray(byte[][]::new));
        long[] deadlines = exactDeadlines ? told(session, keys) : derived(session, keys);
        List<@Nullable Entry> entries = new ArrayList<>();
        List<KeyValue<byte[], byte[]>> found = session.read(values);
        for (int i = 0; i < deadlines.length; i++) {
            byte[] value = found.get(i).getValueOrElse(null);
            entries.add(value == null || deadlines[i] == ABSENT ? null : new Entry(keys.get(i), value, deadlines[i]));
        }
        return entries;
    }

    private static long[] told(Session session, List<byte[]> keys) {
        List<CompletionStage<Long>> asked = new ArrayList<>();
        keys.forEach(key -> asked.add(session.commands().pexpiretime(key)));
        return asked.stream().mapToLong(session::read).toArray();
    }

    /**
     * Returns the deadlines by a server before 7.0, which tells only how much time is left. A deadline follows from
     * that, exactly, if the clock of the server shows the same millisecond before and after it told; else it is asked
     * again.
     */
    private static long[] derived(Session session, List<byte[]> keys) {
        long[] deadlines = new long[keys.size()];
        List<Integer> open = IntStream.range(0, deadlines.length).boxed().toList();
        while (!open.isEmpty()) {
            List<CompletionStage<List<byte[]>>> times = new ArrayList<>();
            List<CompletionStage<Long>> left = new ArrayList<>();
            times.add(session.commands().time());
            for (int i : open) {
                left.add(session.commands().pttl(keys.get(i)));
                times.add(session.commands().time());
            }
            List<Integer> again = new ArrayList<>();
            for (int i = 0; i < left.size(); i++) {
                long before = millis(session.read(times.get(i)));
                long millis = session.read(left.get(i));
                if (before == millis(session.read(times.get(i + 1)))) {
                    deadlines[open.get(i)] = millis < 0 ? millis : before + millis;
                } else {
                    again.add(open.get(i));
                }
            }
            open = again;
        }
        return deadlines;
    }

    /**
     * Makes the changes if no key that was used has been changed by others.
     *
     * @return whether they were made
     */
    boolean commit(List<Entry> sets, List<byte[]> deletions) {
        if (before.isEmpty()) {
            return true;
        }
        session.requireOpen();
        RedisAsyncCommands<byte[], byte[]> commands = session.commands();
        List<CompletionStage<?>> queued = new ArrayList<>();
        queued.add(commands.multi());
        if (!deletions.isEmpty()) {
            queued.add(commands.del(deletions.toArray(byte[][]::new)));
        }
        for (Entry entry : sets) {
            queued.add(write(commands, entry));
        }
        CompletionStage<TransactionResult> done = commands.exec();
        session.watchesNothing();
        boolean writes = !sets.isEmpty() || !deletions.isEmpty();
        return session.exec(done, queued, writes);
    }

    private CompletionStage<?> write(RedisAsyncCommands<byte[], byte[]> commands, Entry entry) {
        StoredValue known = before.get(ByteBuffer.wrap(entry.key()));
        boolean keepsValue = known != null && Arrays.equals(known.value(), entry.value());
        boolean endless = entry.deadline() == KeyValueStore.NO_DEADLINE;
        if (keepsValue) {
            return endless ? commands.persist(entry.key()) : commands.pexpireat(entry.key(), entry.deadline());
        }
        return endless
                ? commands.set(entry.key(), entry.value())
                : commands.set(entry.key(), entry.value(), SetArgs.Builder.pxAt(entry.deadline()));
    }
}
