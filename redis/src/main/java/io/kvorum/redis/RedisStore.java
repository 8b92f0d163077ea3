package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClientStats;
import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.Entry;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.Life;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetResult;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.lettuce.core.RedisURI;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store whose keys are the strings of real Redis or Valkey servers, 6.2 or later: one server, the server that
 * sentinels name, or a cluster.
 *
 * <pre>{@code
 * try (RedisStore store = RedisStore.connect(RedisURI.create("redis://127.0.0.1:6379"))) {
 *     store.set(key, value);
 * }
 * }</pre>
 *
 * <p>An operation on one key, and one on several keys of a slot where the server has it, is a command. Everything else,
 * {@link #transact(int, Function)} above all, is a transaction: the keys that it uses are watched and read, the
 * function runs here, and what it changed is written by MULTI and EXEC if nobody has changed those keys meanwhile. If
 * somebody has, the function runs again; after as many tries as the builder says the transaction is refused as
 * {@code OVERLOADED}. So a function must not have effects of its own. Operations of others on the slot do not wait for
 * it.
 *
 * <p>A server that answers with an error has changed nothing, nor has one to which there is no connection: that is a
 * {@link io.kvorum.slots.topology.RefusedException}, and so is a read without an answer. A change that was sent and is
 * not answered, as the connection was lost or the time is up, is an
 * {@link io.kvorum.replication.OutcomeUnknownException}, whose position says nothing; it is never sent again. What a
 * server has acknowledged it may still lose in a failover; {@link Builder#replicas} makes that less likely.
 *
 * <p>Where a store on servers differs from the others is listed in {@code docs/redis.md}: versions, scans of a server
 * that is no cluster, and slots on their way between servers. Keys of other types than strings belong to somebody else;
 * operations on them fail with {@link IllegalStateException}.
 *
 * <p>Safe for use by any number of threads, but not by those in which stages of the asynchronous form complete. Close
 * it: it has connections and threads.
 */
public final class RedisStore implements KeyValueStore, ClientStats.Source {
    private final Connections connections;
    private final SlotTransactions transactions;
    private final RedisAsyncStore commands;
    private final Keyspace keyspace;
    private final boolean since7;
    private final String name;

    RedisStore(Connections connections, boolean since7, int tries, String name) {
        this.connections = connections;
        this.transactions = new SlotTransactions(connections, since7, tries);
        this.keyspace =
                connections.servers().knowSlots() ? new SlottedKeyspace(connections) : new ScannedKeyspace(connections);
        this.since7 = since7;
        this.name = "RedisStore[" + name + "]";
        this.commands = commands(Runnable::run);
    }

    /**
     * Connects with the settings of a {@link #builder} that nothing was set in.
     *
     * @param uris where servers are, as for {@link Builder#uris}
     * @return the store, which has to be closed
     * @throws io.kvorum.slots.topology.RefusedException if none of the servers answers
     */
    public static RedisStore connect(RedisURI... uris) {
        return builder().uris(uris).connect();
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /** Begins a change and waits for it. Whether there is a primary is asked before: afterwards it is no refusal. */
    private <T extends @Nullable Object> T change(byte[] key, Supplier<CompletionStage<T>> operation) {
        Place place = connections.servers().placeOf(HashSlot.of(key));
        return Waiting.change(operation.get(), place);
    }

    // ---- slots

    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        HashSlot.check(slot);
        requireNonNull(function, "function");
        return transactions.<T>run(slot, function);
    }

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        HashSlot.check(slot);
        requireNonNull(function, "function");
        return transactions.<T>run(slot, keys -> function.apply(keys));
    }

    @Override
    public long size() {
        long size = 0;
        for (Place place : connections.servers().primaries()) {
            size += sizeOf(place);
        }
        return size;
    }

    /** A server that is no cluster may have the key of a node beside it, which is none of this store's. */
    private long sizeOf(Place place) {
        byte[] ofNode = LeadershipRecord.KEY.getBytes(US_ASCII);
        boolean slots = connections.servers().knowSlots();
        return Waiting.read(connections.sendTo(place, -1, false, each -> {
            CompletionStage<Long> size = each.dbsize();
            return slots ? size : size.thenCombine(each.exists(ofNode), (all, not) -> all - not);
        }));
    }

    @Override
    public int countInSlot(int slot) {
        HashSlot.check(slot);
        return keyspace.count(slot);
    }

    @Override
    public List<byte[]> keysInSlot(int slot, int limit) {
        HashSlot.check(slot);
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be at least 1: " + limit);
        }
        return keyspace.keys(slot, limit);
    }

    /** {@inheritDoc} Entries are read some hundreds at a time; keys that are no strings are left out. */
    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        List<byte[]> keys = keysInSlot(slot, Integer.MAX_VALUE);
        for (int first = 0; first < keys.size(); first += 256) {
            List<Entry> entries = new ArrayList<>();
            Session session = connections.take(slot);
            try {
                SlotTry.read(session, keys.subList(first, Math.min(keys.size(), first + 256)), since7)
                        .forEach(entry -> {
                            if (entry != null) {
                                entries.add(entry);
                            }
                        });
            } finally {
                connections.give(session);
            }
            entries.forEach(action);
        }
    }

    @Override
    public int dropSlot(int slot) {
        HashSlot.check(slot);
        return (int) keyspace.drop(slot);
    }

    @Override
    public long clear(SlotSet slots) {
        return Keyspace.clear(connections, slots);
    }

    @Override
    public ScanPage scan(ScanCursor cursor, ScanOptions options) {
        return keyspace.page(cursor, options);
    }

    @Override
    public byte @Nullable [] randomKey() {
        List<Place> places = connections.servers().primaries();
        List<Long> sizes = places.stream().map(this::sizeOf).toList();
        long all = sizes.stream().mapToLong(size -> size).sum();
        long drawn = ThreadLocalRandom.current().nextLong(Math.max(1, all));
        int first = 0;
        while (first < places.size() - 1 && drawn >= sizes.get(first)) {
            drawn -= sizes.get(first);
            first++;
        }
        for (int i = 0; i < places.size(); i++) { // all keys of the one that was drawn may have expired
            int at = (first + i) % places.size();
            byte[] key = sizes.get(at) == 0 ? null : randomKey(places.get(at));
            if (key != null) {
                return key;
            }
        }
        return null;
    }

    private byte @Nullable [] randomKey(Place place) {
        byte[] key;
        do {
            key = Waiting.<byte @Nullable []>read(
                    connections.<byte @Nullable []>sendTo(place, -1, false, each -> each.randomkey()));
        } while (key != null && LeadershipRecord.isKey(key) && sizeOf(place) > 0);
        return key == null || LeadershipRecord.isKey(key) ? null : key;
    }

    /**
     * {@return this store in asynchronous form} What is a command holds no thread; the executor runs transactions,
     * scans and the like, which do.
     *
     * @param executor runs what takes more than a command
     */
    @Override
    public AsyncKeyValueStore async(Executor executor) {
        return commands(executor);
    }

    private RedisAsyncStore commands(Executor executor) {
        return new RedisAsyncStore(KeyValueStore.super.async(executor), connections, since7, name);
    }

    // ---- commands

    @Override
    public byte @Nullable [] get(byte[] key) {
        return Waiting.<byte @Nullable []>read(commands.get(key));
    }

    @Override
    public List<byte @Nullable []> getAll(List<byte[]> keys) {
        return Waiting.read(commands.getAll(keys));
    }

    @Override
    public List<byte @Nullable []> getEach(List<byte[]> keys) {
        return Waiting.read(commands.getEach(keys));
    }

    @Override
    public byte @Nullable [] getRange(byte[] key, long first, long last) {
        return Waiting.<byte @Nullable []>read(commands.getRange(key, first, last));
    }

    @Override
    public int length(byte[] key) {
        return Waiting.read(commands.length(key));
    }

    @Override
    public boolean exists(byte[] key) {
        return Waiting.read(commands.exists(key));
    }

    @Override
    public boolean touch(byte[] key) {
        return Waiting.read(commands.touch(key));
    }

    @Override
    public OptionalLong deadlineOf(byte[] key) {
        return Waiting.read(commands.deadlineOf(key));
    }

    @Override
    public Optional<Duration> timeToLive(byte[] key) {
        return Waiting.read(commands.timeToLive(key));
    }

    @Override
    public boolean set(byte[] key, byte[] value, SetOptions options) {
        return change(key, () -> commands.set(key, value, options));
    }

    @Override
    public SetResult getAndSet(byte[] key, byte[] value, SetOptions options) {
        return change(key, () -> commands.getAndSet(key, value, options));
    }

    @Override
    public void setAll(List<Entry> entries) {
        if (!entries.isEmpty()) {
            this.<@Nullable Void>change(entries.get(0).key(), () -> commands.setAll(entries));
        }
    }

    @Override
    public boolean setAllIfAbsent(List<Entry> entries) {
        return entries.isEmpty() || change(entries.get(0).key(), () -> commands.setAllIfAbsent(entries));
    }

    /** {@inheritDoc} All are sent at once: if one is refused, some after it may be set as well. */
    @Override
    public void setEach(List<Entry> entries) {
        if (!entries.isEmpty()) {
            this.<@Nullable Void>change(entries.get(0).key(), () -> commands.setEach(entries));
        }
    }

    @Override
    public boolean delete(byte[] key) {
        return change(key, () -> commands.delete(key));
    }

    /** {@inheritDoc} All are sent at once: if one is refused, some after it may be deleted as well. */
    @Override
    public int deleteEach(List<byte[]> keys) {
        return keys.isEmpty() ? 0 : change(keys.get(0), () -> commands.deleteEach(keys));
    }

    @Override
    public byte @Nullable [] getAndDelete(byte[] key) {
        return this.<byte @Nullable []>change(key, () -> commands.getAndDelete(key));
    }

    @Override
    public byte @Nullable [] getAndExpire(byte[] key, Life life) {
        return this.<byte @Nullable []>change(key, () -> commands.getAndExpire(key, life));
    }

    @Override
    public long increment(byte[] key, long delta) {
        return change(key, () -> commands.increment(key, delta));
    }

    @Override
    public int append(byte[] key, byte[] suffix) {
        return change(key, () -> commands.append(key, suffix));
    }

    @Override
    public int setRange(byte[] key, int offset, byte[] part) {
        return change(key, () -> commands.setRange(key, offset, part));
    }

    @Override
    public boolean expire(byte[] key, Life life, ExpireCondition condition) {
        return change(key, () -> commands.expire(key, life, condition));
    }

    @Override
    public boolean rename(byte[] from, byte[] to) {
        return change(from, () -> commands.rename(from, to));
    }

    @Override
    public boolean renameIfAbsent(byte[] from, byte[] to) {
        return change(from, () -> commands.renameIfAbsent(from, to));
    }

    @Override
    public boolean copy(byte[] from, byte[] to) {
        return change(from, () -> commands.copy(from, to));
    }

    @Override
    public boolean copyIfAbsent(byte[] from, byte[] to) {
        return change(from, () -> commands.copyIfAbsent(from, to));
    }

    /**
     * {@return the counters of this store and its asynchronous forms} Each command and each transaction counts as one
     * operation; retries are those on another server, to which a slot or the role of the primary had moved.
     */
    @Override
    public ClientStats stats() {
        return connections.stats();
    }

    /** {@return the number of operations that wait to be retried} */
    @Override
    public int waiting() {
        return connections.waiting();
    }

    /** Closes the connections; operations fail with {@link IllegalStateException} from then on. Idempotent. */
    @Override
    public void close() {
        connections.close();
    }

    /** {@return what it is connected to} */
    @Override
    public String toString() {
        return name;
    }

    /** Collects the settings of a store. For use by one thread. */
    public static final class Builder {
        private List<RedisURI> uris = List.of();
        private Duration timeout = Duration.ofSeconds(2);
        private Duration connectTimeout = Duration.ofSeconds(1);
        private int replicas;
        private int tries = 64;
        private @Nullable ClientResources resources;
        private @Nullable Supplier<? extends @Nullable RedisURI> primary;

        private Builder() {}

        /**
         * Sets where the servers are. Required. Name, password and TLS are part of the URI.
         *
         * @param values a server, some servers of a cluster, or the URI of a group of sentinels
         * @return this builder
         */
        public Builder uris(RedisURI... values) {
            uris = List.of(values);
            return this;
        }

        /**
         * Sets who says which of the servers, that are no cluster, is the primary: for servers that Kvorum's sentinels
         * fail over, the topology of one of them.
         *
         * @param value the primary, or {@code null} while there is none; asked for each operation, so it must be quick
         * @return this builder
         */
        public Builder primary(Supplier<? extends @Nullable RedisURI> value) {
            primary = requireNonNull(value, "primary");
            return this;
        }

        /**
         * Sets how long a command may take; 2 seconds if it isn't set.
         *
         * @param value the timeout; at least a millisecond
         * @return this builder
         * @throws IllegalArgumentException if it is shorter
         */
        public Builder timeout(Duration value) {
            timeout = checked("timeout", value);
            return this;
        }

        /**
         * Sets how long it may take to connect; 1 second if it isn't set.
         *
         * @param value the timeout; at least a millisecond
         * @return this builder
         * @throws IllegalArgumentException if it is shorter
         */
        public Builder connectTimeout(Duration value) {
            connectTimeout = checked("connectTimeout", value);
            return this;
        }

        private static Duration checked(String what, Duration value) {
            if (value.compareTo(Duration.ofMillis(1)) < 0) {
                throw new IllegalArgumentException(what + " must be at least a millisecond: " + value);
            }
            return value;
        }

        /**
         * Sets how many replicas must have each change before it is done, which WAIT asks the primary; none if it isn't
         * set. If too few confirm within three quarters of the timeout, the outcome is unknown.
         *
         * <p>That makes it unlikely that a change is lost, not impossible: a failover of Redis may promote a replica
         * that does not have it, and a primary that was replaced without knowing still counts the replicas that have
         * not left it yet.
         *
         * @param value the number of replicas; at least 0
         * @return this builder
         * @throws IllegalArgumentException if it is negative
         */
        public Builder replicas(int value) {
            if (value < 0) {
                throw new IllegalArgumentException("replicas must be at least 0: " + value);
            }
            replicas = value;
            return this;
        }

        /**
         * Sets that a majority must have each change before it is done, as {@link #replicas} with half of the servers.
         *
         * @param servers how many servers have a slot in all, the primary among them; at least 1
         * @return this builder
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder majorityOf(int servers) {
            if (servers < 1) {
                throw new IllegalArgumentException("servers must be at least 1: " + servers);
            }
            return replicas(servers / 2);
        }

        /**
         * Sets how often a transaction is tried at the most; 64 times if it isn't set.
         *
         * @param value the number of tries; at least 1
         * @return this builder
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder tries(int value) {
            if (value < 1) {
                throw new IllegalArgumentException("tries must be at least 1: " + value);
            }
            tries = value;
            return this;
        }

        /**
         * Sets threads to be shared with other clients; the store has its own if it isn't set.
         *
         * @param value the resources; the owner shuts them down
         * @return this builder
         */
        public Builder resources(ClientResources value) {
            resources = requireNonNull(value, "resources");
            return this;
        }

        /**
         * Connects.
         *
         * @return the store, which has to be closed
         * @throws IllegalStateException if no URI was set
         * @throws io.kvorum.slots.topology.RefusedException if none of the servers answers
         */
        public RedisStore connect() {
            if (uris.isEmpty()) {
                throw new IllegalStateException("store needs a URI");
            }
            return Connecting.connect(uris, timeout, connectTimeout, replicas, tries, resources, primary);
        }
    }
}
