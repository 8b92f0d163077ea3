package io.kvorum.redis;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.Entry;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetOptions.Condition;
import io.kvorum.core.SetResult;
import io.kvorum.redis.Connections.Command;
import io.kvorum.slots.HashSlot;
import io.lettuce.core.CopyArgs;
import io.lettuce.core.ExpireArgs;
import io.lettuce.core.GetExArgs;
import io.lettuce.core.SetArgs;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The operations as commands of the server, one each, which hold no thread. What no command does, runs as a transaction
 * in the executor. Safe for use by any number of threads.
 */
final class RedisAsyncStore implements AsyncKeyValueStore {
    private static final int MAX_LENGTH = 512 << 20;
    private static final long FAR =
            Long.MAX_VALUE >> 1; // durations from here on are cut, as no clock reaches their end

    private final AsyncKeyValueStore executed; // makes transactions of all that is not a command
    private final Connections connections;
    private final boolean since7;
    private final String name;

    /** @param executed the operations of the store as tasks of an executor */
    RedisAsyncStore(AsyncKeyValueStore executed, Connections connections, boolean since7, String name) {
        this.executed = executed;
        this.connections = connections;
        this.since7 = since7;
        this.name = name;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> reading(
            Function<? super KeyValueStore, ? extends T> function) {
        return executed.<T>reading(function);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super KeyValueStore, ? extends T> function) {
        return executed.<T>changing(function);
    }

    @Override
    public CompletionStage<@Nullable Void> forEachInSlot(int slot, Consumer<Entry> action) {
        return executed.forEachInSlot(slot, action);
    }

    // ---- sending

    private <R extends @Nullable Object, T extends @Nullable Object> CompletableFuture<T> read(
            byte[] key, Command<R> command, Function<? super R, ? extends T> result) {
        return connections.send(HashSlot.of(key), false, command).thenApply(result);
    }

    private <R extends @Nullable Object, T extends @Nullable Object> CompletableFuture<T> change(
            byte[] key, Command<R> command, Function<? super R, ? extends T> result) {
        return connections.send(HashSlot.of(key), true, command).thenApply(result);
    }

    /** Makes a stage of what an operation throws before it sends anything. */
    private static <T extends @Nullable Object> CompletableFuture<T> checked(Supplier<CompletableFuture<T>> operation) {
        try {
            return operation.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static void checkLength(byte[] bytes) {
        if (bytes.length > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "keys and values must have at most " + MAX_LENGTH + " bytes: " + bytes.length);
        }
    }

    private static byte[] first(List<byte[]> keys) {
        byte[] first = keys.get(0);
        int slot = HashSlot.of(first);
        for (byte[] key : keys) {
            CrossSlot.require(slot, HashSlot.of(key));
        }
        return first;
    }

    // ---- reading

    @Override
    public CompletionStage<byte @Nullable []> get(byte[] key) {
        return this.<byte @Nullable [], byte @Nullable []>read(key, commands -> commands.get(key), value -> value);
    }

    @Override
    public CompletionStage<List<byte @Nullable []>> getAll(List<byte[]> keys) {
        List<byte[]> copy = List.copyOf(keys);
        if (copy.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        return checked(() -> read(first(copy), commands -> commands.mget(copy.toArray(byte[][]::new)), found -> {
            List<byte @Nullable []> values = new ArrayList<>(found.size());
            found.forEach(each -> values.add(each.getValueOrElse(null)));
            return values;
        }));
    }

    @Override
    public CompletionStage<List<byte @Nullable []>> getEach(List<byte[]> keys) {
        List<CompletionStage<byte @Nullable []>> sent = new ArrayList<>(keys.size());
        keys.forEach(key -> sent.add(get(key)));
        return all(sent);
    }

    /** Returns all results, or the first failure in the order of the list. */
    private static <T extends @Nullable Object> CompletionStage<List<T>> all(List<CompletionStage<T>> stages) {
        CompletionStage<List<T>> results = CompletableFuture.completedFuture(new ArrayList<>(stages.size()));
        for (CompletionStage<T> stage : stages) {
            results = results.thenCombine(stage, (list, result) -> {
                list.add(result);
                return list;
            });
        }
        return results;
    }

    /**
     * A part without bytes does not tell whether the key exists, and the server takes an end before the first byte for
     * the first byte: then the value tells.
     */
    @Override
    public CompletionStage<byte @Nullable []> getRange(byte[] key, long first, long last) {
        return this.<byte[], byte @Nullable []>read(key, commands -> commands.getrange(key, first, last), part -> part)
                .thenCompose(part -> part != null && part.length > (last < 0 ? 1 : 0)
                        ? CompletableFuture.completedFuture(part)
                        : get(key).thenApply(value -> value == null ? null : range(value, first, last)));
    }

    private static byte[] range(byte[] value, long first, long last) {
        long from = Math.min(value.length, Math.max(0, first < 0 ? value.length + first : first));
        long to = Math.max(-1, Math.min(value.length - 1L, last < 0 ? value.length + last : last));
        return from > to ? new byte[0] : Arrays.copyOfRange(value, (int) from, (int) to + 1);
    }

    @Override
    public CompletionStage<Integer> length(byte[] key) {
        return read(key, commands -> commands.strlen(key), Long::intValue);
    }

    @Override
    public CompletionStage<Boolean> exists(byte[] key) {
        return read(key, commands -> commands.exists(key), count -> count > 0);
    }

    @Override
    public CompletionStage<Boolean> touch(byte[] key) {
        return read(key, commands -> commands.touch(key), count -> count > 0);
    }

    @Override
    public CompletionStage<OptionalLong> deadlineOf(byte[] key) {
        if (!since7) {
            return reading(plain -> plain.read(HashSlot.of(key), keys -> keys.deadlineOf(key)));
        }
        return read(
                key,
                commands -> commands.pexpiretime(key),
                millis -> millis < 0 ? OptionalLong.empty() : OptionalLong.of(millis));
    }

    @Override
    public CompletionStage<Optional<Duration>> timeToLive(byte[] key) {
        return read(
                key,
                commands -> commands.pttl(key),
                millis -> millis < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(millis)));
    }

    // ---- setting

    @Override
    public CompletionStage<@Nullable Void> set(byte[] key, byte[] value) {
        return set(key, value, SetOptions.defaults()).thenApply(applied -> null);
    }

    @Override
    public CompletionStage<Boolean> set(byte[] key, byte[] value, SetOptions options) {
        if (options.condition() == Condition.IF_EQUAL) {
            return changing(plain -> plain.transact(HashSlot.of(key), keys -> keys.set(key, value, options)));
        }
        return checked(() -> {
            checkLength(key);
            checkLength(value);
            SetArgs arguments = arguments(options);
            return change(key, commands -> commands.set(key, value, arguments), answer -> answer != null);
        });
    }

    private static SetArgs arguments(SetOptions options) {
        SetArgs arguments = new SetArgs();
        if (options.condition() == Condition.IF_ABSENT) {
            arguments.nx();
        } else if (options.condition() == Condition.IF_PRESENT) {
            arguments.xx();
        }
        Life life = options.life();
        switch (life.kind()) {
            case FOREVER -> {}
            case KEPT -> arguments.keepttl();
            case UNTIL -> arguments.pxAt(Math.max(1, life.millis()));
            case LASTING -> {
                if (life.millis() < FAR) {
                    arguments.px(life.millis());
                } else {
                    arguments.pxAt(Long.MAX_VALUE);
                }
            }
        }
        return arguments;
    }

    @Override
    public CompletionStage<SetResult> getAndSet(byte[] key, byte[] value, SetOptions options) {
        Condition condition = options.condition();
        if (condition == Condition.IF_EQUAL || (condition == Condition.IF_ABSENT && !since7)) {
            return changing(plain -> plain.transact(HashSlot.of(key), keys -> keys.getAndSet(key, value, options)));
        }
        return checked(() -> {
            checkLength(key);
            checkLength(value);
            SetArgs arguments = arguments(options);
            return this.<byte @Nullable [], SetResult>change(
                    key,
                    commands -> commands.setGet(key, value, arguments),
                    previous -> new SetResult(
                            condition == Condition.ALWAYS || (condition == Condition.IF_ABSENT) == (previous == null),
                            previous));
        });
    }

    @Override
    public CompletionStage<@Nullable Void> setAll(List<Entry> entries) {
        List<Entry> copy = List.copyOf(entries);
        if (copy.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        if (hasDeadlines(copy)) {
            return this.<@Nullable Void>changing(plain -> plain.<@Nullable Void>transact(slotOf(copy), keys -> {
                keys.setAll(copy);
                return null;
            }));
        }
        return RedisAsyncStore.<@Nullable Void>checked(() -> {
            byte[] first = firstOf(copy);
            Map<byte[], byte[]> values = distinct(copy);
            return this.<String, @Nullable Void>change(first, commands -> commands.mset(values), answer -> null);
        });
    }

    @Override
    public CompletionStage<Boolean> setAllIfAbsent(List<Entry> entries) {
        List<Entry> copy = List.copyOf(entries);
        if (copy.isEmpty()) {
            return CompletableFuture.completedFuture(true);
        }
        if (hasDeadlines(copy)) {
            return changing(plain -> plain.transact(slotOf(copy), keys -> keys.setAllIfAbsent(copy)));
        }
        return checked(() -> {
            byte[] first = firstOf(copy);
            Map<byte[], byte[]> values = distinct(copy);
            return change(first, commands -> commands.msetnx(values), applied -> applied);
        });
    }

    private static boolean hasDeadlines(List<Entry> entries) {
        return entries.stream().anyMatch(entry -> entry.deadline() != KeyValueStore.NO_DEADLINE);
    }

    private static int slotOf(List<Entry> entries) {
        return HashSlot.of(firstOf(entries));
    }

    private static byte[] firstOf(List<Entry> entries) {
        return first(entries.stream().map(Entry::key).toList());
    }

    /** Returns the last value of each key, as pairs for a command, which asks for no key. */
    @SuppressWarnings("ArrayAsKeyOfSetOrMap")
    private static Map<byte[], byte[]> distinct(List<Entry> entries) {
        Map<ByteBuffer, Entry> last = new LinkedHashMap<>();
        for (Entry entry : entries) {
            checkLength(entry.key());
            checkLength(entry.value());
            last.put(ByteBuffer.wrap(entry.key()), entry);
        }
        Map<byte[], byte[]> values = new LinkedHashMap<>();
        last.values().forEach(entry -> values.put(entry.key(), entry.value()));
        return values;
    }

    @Override
    public CompletionStage<@Nullable Void> setEach(List<Entry> entries) {
        List<CompletionStage<Boolean>> sent = new ArrayList<>(entries.size());
        for (Entry entry : List.copyOf(entries)) {
            Life life = entry.deadline() == KeyValueStore.NO_DEADLINE ? Life.forever() : Life.until(entry.deadline());
            sent.add(set(entry.key(), entry.value(), SetOptions.defaults().withLife(life)));
        }
        return all(sent).thenApply(done -> null);
    }

    // ---- changing

    @Override
    public CompletionStage<Long> increment(byte[] key, long delta) {
        return change(key, commands -> commands.incrby(key, delta), sum -> sum);
    }

    @Override
    public CompletionStage<Integer> append(byte[] key, byte[] suffix) {
        return change(key, commands -> commands.append(key, suffix), Long::intValue);
    }

    @Override
    public CompletionStage<Integer> setRange(byte[] key, int offset, byte[] part) {
        return checked(() -> {
            if (offset < 0) {
                throw new IllegalArgumentException("offset must be at least 0: " + offset);
            }
            return change(key, commands -> commands.setrange(key, offset, part), Long::intValue);
        });
    }

    @Override
    public CompletionStage<Boolean> delete(byte[] key) {
        return change(key, commands -> commands.del(key), count -> count > 0);
    }

    @Override
    public CompletionStage<Integer> deleteEach(List<byte[]> keys) {
        List<CompletionStage<Boolean>> sent = new ArrayList<>(keys.size());
        List.copyOf(keys).forEach(key -> sent.add(delete(key)));
        return all(sent).thenApply(deleted ->
                (int) deleted.stream().filter(existed -> existed).count());
    }

    @Override
    public CompletionStage<byte @Nullable []> getAndDelete(byte[] key) {
        return this.<byte @Nullable [], byte @Nullable []>change(key, commands -> commands.getdel(key), value -> value);
    }

    @Override
    public CompletionStage<byte @Nullable []> getAndExpire(byte[] key, Life life) {
        if (life.kind() == Life.Kind.KEPT) {
            return get(key);
        }
        GetExArgs arguments = new GetExArgs();
        switch (life.kind()) {
            case FOREVER, KEPT -> arguments.persist();
            case UNTIL -> arguments.pxAt(Math.max(1, life.millis()));
            case LASTING -> {
                if (life.millis() < FAR) {
                    arguments.px(life.millis());
                } else {
                    arguments.pxAt(Long.MAX_VALUE);
                }
            }
        }
        return this.<byte @Nullable [], byte @Nullable []>change(
                key, commands -> commands.getex(key, arguments), value -> value);
    }

    @Override
    public CompletionStage<Boolean> expire(byte[] key, Life life, ExpireCondition condition) {
        boolean ends = life.kind() == Life.Kind.UNTIL || life.kind() == Life.Kind.LASTING;
        if (life.kind() == Life.Kind.FOREVER && condition == ExpireCondition.IF_ANY) {
            return change(key, commands -> commands.persist(key), had -> had);
        }
        if (!ends || (condition != ExpireCondition.ALWAYS && !since7)) {
            return changing(plain -> plain.transact(HashSlot.of(key), keys -> keys.expire(key, life, condition)));
        }
        boolean lasts = life.kind() == Life.Kind.LASTING && life.millis() < FAR;
        long deadline = life.kind() == Life.Kind.UNTIL ? life.millis() : Long.MAX_VALUE;
        ExpireArgs arguments = condition == ExpireCondition.ALWAYS ? null : arguments(condition);
        return change(
                key,
                commands -> {
                    if (arguments == null) {
                        return lasts ? commands.pexpire(key, life.millis()) : commands.pexpireat(key, deadline);
                    }
                    return lasts
                            ? commands.pexpire(key, life.millis(), arguments)
                            : commands.pexpireat(key, deadline, arguments);
                },
                held -> held);
    }

    private static ExpireArgs arguments(ExpireCondition condition) {
        return switch (condition) {
            case ALWAYS -> new ExpireArgs();
            case IF_NONE -> ExpireArgs.Builder.nx();
            case IF_ANY -> ExpireArgs.Builder.xx();
            case IF_LATER -> ExpireArgs.Builder.gt();
            case IF_EARLIER -> ExpireArgs.Builder.lt();
        };
    }

    // ---- from one key to another

    @Override
    public CompletionStage<Boolean> rename(byte[] from, byte[] to) {
        return checked(() -> this.<String, Boolean>change(
                        first(List.of(from, to)), commands -> commands.rename(from, to), answer -> true))
                .exceptionallyCompose(RedisAsyncStore::falseIfMissing);
    }

    @Override
    public CompletionStage<Boolean> renameIfAbsent(byte[] from, byte[] to) {
        return checked(() ->
                        change(first(List.of(from, to)), commands -> commands.renamenx(from, to), renamed -> renamed))
                .exceptionallyCompose(RedisAsyncStore::falseIfMissing);
    }

    private static CompletionStage<Boolean> falseIfMissing(Throwable failure) {
        Throwable cause = Failures.cause(failure);
        return Failures.isMissingKey(cause)
                ? CompletableFuture.completedFuture(false)
                : CompletableFuture.failedFuture(cause);
    }

    @Override
    public CompletionStage<Boolean> copy(byte[] from, byte[] to) {
        return copy(from, to, true);
    }

    @Override
    public CompletionStage<Boolean> copyIfAbsent(byte[] from, byte[] to) {
        return copy(from, to, false);
    }

    private CompletionStage<Boolean> copy(byte[] from, byte[] to, boolean replaces) {
        if (ByteBuffer.wrap(from).equals(ByteBuffer.wrap(to))) { // which the server calls an error
            return replaces ? exists(from) : CompletableFuture.completedFuture(false);
        }
        CopyArgs arguments = CopyArgs.Builder.replace(replaces);
        return checked(() ->
                change(first(List.of(from, to)), commands -> commands.copy(from, to, arguments), copied -> copied));
    }

    @Override
    public String toString() {
        return name;
    }
}
