package io.kvorum.redis;

import io.kvorum.core.Entry;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetResult;
import io.kvorum.core.StoredValue;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a transaction, before each of which the keys that it uses are fetched from the server. Confined to
 * one thread.
 */
final class WatchedKeys implements KeyOperations {
    /** A server keeps no versions: each look-up has one of its own, which never claims that nothing has changed. */
    private static final AtomicLong LOOK_UPS = new AtomicLong();

    private final KeyOperations keys;
    private final Consumer<byte[]> fetch;
    private boolean over;

    WatchedKeys(KeyOperations keys, Consumer<byte[]> fetch) {
        this.keys = keys;
        this.fetch = fetch;
    }

    /** Ends the use of the operations. */
    void end() {
        over = true;
    }

    private KeyOperations with(byte[] key) {
        if (over) {
            throw new IllegalStateException("the operations of a slot end with the function they were given to");
        }
        fetch.accept(key);
        return keys;
    }

    private KeyOperations with(byte[] from, byte[] to) {
        with(from);
        return with(to);
    }

    @Override
    public List<byte @Nullable []> getAll(List<byte[]> all) {
        all.forEach(this::with);
        return keys.getAll(all);
    }

    @Override
    public void setAll(List<Entry> entries) {
        entries.forEach(entry -> with(entry.key()));
        keys.setAll(entries);
    }

    @Override
    public boolean setAllIfAbsent(List<Entry> entries) {
        entries.forEach(entry -> with(entry.key()));
        return keys.setAllIfAbsent(entries);
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return with(key).get(key);
    }

    @Override
    public @Nullable StoredValue lookUp(byte[] key) {
        StoredValue found = with(key).lookUp(key);
        return found == null
                ? null
                : new StoredValue(found.value(), found.deadline(), found.readAt(), LOOK_UPS.incrementAndGet());
    }

    @Override
    public byte @Nullable [] getRange(byte[] key, long first, long last) {
        return with(key).getRange(key, first, last);
    }

    @Override
    public int length(byte[] key) {
        return with(key).length(key);
    }

    @Override
    public boolean exists(byte[] key) {
        return with(key).exists(key);
    }

    @Override
    public boolean touch(byte[] key) {
        return with(key).touch(key);
    }

    @Override
    public OptionalLong deadlineOf(byte[] key) {
        return with(key).deadlineOf(key);
    }

    @Override
    public Optional<Duration> timeToLive(byte[] key) {
        return with(key).timeToLive(key);
    }

    @Override
    public void set(byte[] key, byte[] value) {
        with(key).set(key, value);
    }

    @Override
    public boolean set(byte[] key, byte[] value, SetOptions options) {
        return with(key).set(key, value, options);
    }

    @Override
    public SetResult getAndSet(byte[] key, byte[] value, SetOptions options) {
        return with(key).getAndSet(key, value, options);
    }

    @Override
    public boolean delete(byte[] key) {
        return with(key).delete(key);
    }

    @Override
    public boolean deleteIfEqual(byte[] key, byte[] expected) {
        return with(key).deleteIfEqual(key, expected);
    }

    @Override
    public byte @Nullable [] getAndDelete(byte[] key) {
        return with(key).getAndDelete(key);
    }

    @Override
    public byte @Nullable [] getAndExpire(byte[] key, Life life) {
        return with(key).getAndExpire(key, life);
    }

    @Override
    public long increment(byte[] key, long delta) {
        return with(key).increment(key, delta);
    }

    @Override
    public int append(byte[] key, byte[] suffix) {
        return with(key).append(key, suffix);
    }

    @Override
    public int setRange(byte[] key, int offset, byte[] part) {
        return with(key).setRange(key, offset, part);
    }

    @Override
    public byte @Nullable [] compute(byte[] key, Function<byte @Nullable [], byte @Nullable []> function) {
        return with(key).compute(key, function);
    }

    @Override
    public boolean expire(byte[] key, Life life, ExpireCondition condition) {
        return with(key).expire(key, life, condition);
    }

    @Override
    public boolean rename(byte[] from, byte[] to) {
        return with(from, to).rename(from, to);
    }

    @Override
    public boolean renameIfAbsent(byte[] from, byte[] to) {
        return with(from, to).renameIfAbsent(from, to);
    }

    @Override
    public boolean copy(byte[] from, byte[] to) {
        return with(from, to).copy(from, to);
    }

    @Override
    public boolean copyIfAbsent(byte[] from, byte[] to) {
        return with(from, to).copyIfAbsent(from, to);
    }
}
