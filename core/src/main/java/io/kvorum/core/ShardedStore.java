package io.kvorum.core;

import io.kvorum.core.engine.Engines;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One store out of many: each operation goes to the primary of the shard that owns the slot, by the topology of the
 * moment.
 *
 * <p>An operation on keys, {@link #countInSlot} or {@link #dropSlot} that a node refuses because it is not, or no
 * longer, the right one ({@code MOVED}, {@code READ_ONLY}, {@code FENCED}) is sent on to the node that the refusal
 * names, else to the one that the topology names by then; after {@value #MAX_REDIRECTS} such redirects the last refusal
 * is thrown. A slot whose data has not followed it yet is refused as {@code MOVING}, one that nobody owns, or whose
 * primary cannot be reached, as {@code CLUSTER_DOWN}. Refused operations have changed nothing, so sending them on is
 * safe.
 *
 * <p>{@link #size} adds up the primaries of all shards, one after the other. Neither it nor {@link #forEachInSlot},
 * whose action may have seen entries by then, is sent on: what the node refuses is thrown.
 *
 * <p>What is about all keys skips none that exist. {@link #scan} goes up to a slot that is on its way, and is refused
 * as {@code MOVING} there, with a cursor that is good once the slot has arrived; {@link #size} and {@link #clear} are
 * refused as long as any slot is on its way, and have deleted nothing then.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ShardedStore extends SlottedStore {
    /** How often one operation is sent on before its refusal is thrown. */
    public static final int MAX_REDIRECTS = 5;

    private static final int MAX_LOCAL = HashSlot.COUNT;

    private final Supplier<ClusterTopology> topology;
    private final Function<NodeId, @Nullable KeyValueStore> nodes;
    private final List<LocalStore> locals;
    private volatile @Nullable BackgroundExpiry expiry;
    private final AtomicInteger nextShardToExpire = new AtomicInteger();

    /** By slot: the stores of an application without a cluster, which need not be looked up. */
    private final KeyValueStore @Nullable [] fixed;

    /**
     * Makes a view of a cluster.
     *
     * @param topology the current topology; asked for each operation, so it must be quick
     * @param nodes the store of a node, or {@code null} if the node cannot be reached; asked for each operation
     */
    public ShardedStore(Supplier<ClusterTopology> topology, Function<NodeId, @Nullable KeyValueStore> nodes) {
        this(topology, nodes, List.of());
    }

    private ShardedStore(
            Supplier<ClusterTopology> topology,
            Function<NodeId, @Nullable KeyValueStore> nodes,
            List<LocalStore> locals) {
        super(locals.isEmpty() ? List.of() : locals.stream().map(Engines::only).toList());
        this.topology = Objects.requireNonNull(topology, "topology");
        this.nodes = Objects.requireNonNull(nodes, "nodes");
        this.locals = locals;
        this.fixed = locals.isEmpty() ? null : bySlot(locals);
    }

    /** {@return what makes a store of several {@link LocalStore}s, for an application that needs no cluster yet} */
    public static ShardedStoreBuilder builder() {
        return new ShardedStoreBuilder();
    }

    static void checkShards(int shards) {
        if (shards < 1 || shards > MAX_LOCAL) {
            throw new IllegalArgumentException("shards must be between 1 and " + MAX_LOCAL + ": " + shards);
        }
    }

    /** Deletes expired keys from now on, until this is closed. */
    void expireWith(ScheduledExecutorService scheduler, Duration interval) {
        expiry = BackgroundExpiry.start(this, scheduler, interval);
    }

    /** Ends the deletion of expired keys in the background, if the builder was given a scheduler. Idempotent. */
    @Override
    public void close() {
        BackgroundExpiry running = expiry;
        if (running != null) {
            running.close();
        }
    }

    /** {@return how many shards there are, and how many keys if they are in this JVM} */
    @Override
    public String toString() {
        return locals.isEmpty()
                ? "ShardedStore[" + topology.get().shards().size() + " shards of a cluster]"
                : "ShardedStore[" + locals.size() + " local shards, " + size() + " keys]";
    }

    /**
     * Makes a store of several {@link LocalStore}s with the default settings of a {@link #builder}, the system's clock
     * and nobody who listens: for an application that needs no cluster yet.
     *
     * @param shards how many; 1 to 16,384
     * @return the store
     * @throws IllegalArgumentException if {@code shards} is out of range
     */
    public static ShardedStore local(int shards) {
        return builder().shards(shards).build();
    }

    /**
     * Makes a store of the given ones, among which the slots are divided as by {@link SlotRange#evenSplit}. The caller
     * may keep them, to ask for their statistics or to digest them; what changes them is shown to the sinks they were
     * made with.
     *
     * @param stores the stores, each once; 1 to 16,384. What they hold must be in the slots they get.
     * @return the store
     * @throws IllegalArgumentException if there are too few or too many stores, or one of them occurs twice
     */
    public static ShardedStore local(List<LocalStore> stores) {
        List<LocalStore> copy = List.copyOf(stores);
        if (copy.isEmpty() || copy.size() > MAX_LOCAL) {
            throw new IllegalArgumentException("stores must be between 1 and " + MAX_LOCAL + ": " + copy.size());
        }
        if (new HashSet<>(copy).size() < copy.size()) { // a store is equal only to itself
            throw new IllegalArgumentException("stores must be different ones");
        }
        List<SlotRange> ranges = SlotRange.evenSplit(copy.size());
        Map<NodeId, KeyValueStore> nodes = new HashMap<>();
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = 0; i < copy.size(); i++) {
            ShardId shard = new ShardId("shard-" + (i + 1));
            NodeId node = new NodeId("local-" + (i + 1));
            SlotRange range = ranges.get(i);
            nodes.put(node, copy.get(i));
            changes.add(new TopologyChange.AddShard(shard, 1, node, List.of()));
            changes.add(new TopologyChange.AssignSlots(SlotSet.ofRange(range.first(), range.last()), shard));
        }
        ClusterTopology topology = ClusterTopology.EMPTY.apply(ClusterTopology.EMPTY.version(), changes);
        return new ShardedStore(() -> topology, nodes::get, copy);
    }

    private static KeyValueStore[] bySlot(List<LocalStore> locals) {
        KeyValueStore[] bySlot = new KeyValueStore[HashSlot.COUNT];
        List<SlotRange> ranges = SlotRange.evenSplit(locals.size());
        for (int i = 0; i < ranges.size(); i++) {
            Arrays.fill(bySlot, ranges.get(i).first(), ranges.get(i).last() + 1, locals.get(i));
        }
        return bySlot;
    }

    /**
     * {@return the slots that cannot be served now, because nobody owns them or because the primary of their shard
     * cannot be reached}
     */
    public SlotSet uncovered() {
        ClusterTopology current = topology.get();
        SlotSet uncovered = current.uncovered();
        for (Shard shard : current.shards()) {
            if (nodes.apply(shard.primary()) == null) {
                uncovered = uncovered.union(shard.slots());
            }
        }
        return uncovered;
    }

    /**
     * Deletes keys whose deadline has passed from the primaries that are {@link LocalStore}s, as
     * {@link LocalStore#expire} does, each call starting with another shard. To be called now and then. Other primaries
     * are passed over: a node of a cluster deletes its own, see {@code ReplicatedStore.expire}.
     *
     * @param budget the most keys to delete; at least 1
     * @return how many keys were deleted
     * @throws IllegalArgumentException if {@code budget} is below 1
     */
    public int expire(int budget) {
        if (budget < 1) {
            throw new IllegalArgumentException("budget must be at least 1: " + budget);
        }
        List<LocalStore> stores = locals.isEmpty() ? localPrimaries() : locals;
        int first = nextShardToExpire.getAndIncrement();
        int deleted = 0;
        for (int i = 0; i < stores.size() && deleted < budget; i++) {
            LocalStore store = stores.get(Math.floorMod(first + i, stores.size()));
            deleted += store.expire(budget - deleted);
        }
        return deleted;
    }

    /**
     * {@return what the shards have done together since this was first called, as {@link LocalStore#stats}}
     *
     * @throws IllegalStateException if this store is a view of a cluster
     */
    public StoreStats stats() {
        requireLocal();
        return locals.stream().map(LocalStore::stats).reduce(StoreStats::plus).orElseThrow();
    }

    private List<LocalStore> localPrimaries() {
        List<LocalStore> stores = new ArrayList<>();
        for (Shard shard : topology.get().shards()) {
            if (nodes.apply(shard.primary()) instanceof LocalStore store) {
                stores.add(store);
            }
        }
        return stores;
    }

    /**
     * As {@link LocalStore#subscribe(KeyFilter, KeyspaceListener, Executor, int)}, of every shard.
     *
     * @param filter which keys; asked under a lock of the store, so it must be quick and must call no store; if it
     *     throws, the event is delivered
     * @param listener is told
     * @param executor runs the listener, one call at a time
     * @param capacity the most events that wait to be delivered; at least 1
     * @return the subscription, which the caller closes
     * @throws IllegalStateException if this store is a view of a cluster
     */
    public KeyspaceSubscription subscribe(
            KeyFilter filter, KeyspaceListener listener, Executor executor, int capacity) {
        requireLocal();
        return KeyspaceSubscription.start(
                Engines.of(this), EnumSet.allOf(KeyspaceEvent.Kind.class), filter, listener, executor, capacity);
    }

    private void requireLocal() {
        if (locals.isEmpty()) {
            throw new IllegalStateException("only a store made by ShardedStore.local has subscriptions and statistics");
        }
    }

    /** As {@link #subscribe(KeyspaceListener, Executor, int, Set)}, to events of every kind. */
    public KeyspaceSubscription subscribe(KeyspaceListener listener, Executor executor, int capacity) {
        return subscribe(listener, executor, capacity, EnumSet.allOf(KeyspaceEvent.Kind.class));
    }

    /**
     * Tells a listener of every change of every shard from now on, as {@link LocalStore#subscribe(KeyspaceListener,
     * Executor, int, Set)} does, with one queue and one sequence for all of them. If all is replaced, that is an event
     * for each shard.
     *
     * @param listener is told
     * @param executor runs the listener, one call at a time
     * @param capacity the most events that wait to be delivered; at least 1
     * @param kinds the events that are wanted
     * @return the subscription, which the caller closes
     * @throws IllegalArgumentException if {@code capacity} is below 1
     * @throws IllegalStateException if this store was not made by {@link #local(List)}
     */
    public KeyspaceSubscription subscribe(
            KeyspaceListener listener, Executor executor, int capacity, Set<KeyspaceEvent.Kind> kinds) {
        requireLocal();
        return KeyspaceSubscription.start(Engines.of(this), kinds, KeyFilter.all(), listener, executor, capacity);
    }

    @Override
    byte @Nullable [] get(int slot, byte[] key) {
        KeyValueStore store = primaryOf(slot);
        try {
            return store instanceof SlottedStore slotted ? slotted.get(slot, key) : store.get(key);
        } catch (RefusedException e) {
            return this.<byte @Nullable []>redirect(
                    slot, e, to -> to instanceof SlottedStore slotted ? slotted.get(slot, key) : to.get(key));
        }
    }

    @Override
    int get(int slot, byte[] key, ByteBuf target) {
        KeyValueStore store = primaryOf(slot);
        try {
            return get(store, slot, key, target);
        } catch (RefusedException e) {
            return redirect(slot, e, to -> get(to, slot, key, target));
        }
    }

    private static int get(KeyValueStore store, int slot, byte[] key, ByteBuf target) {
        return store instanceof SlottedStore slotted ? slotted.get(slot, key, target) : store.get(key, target);
    }

    @Override
    <T extends @Nullable Object> @Nullable T lend(int slot, byte[] key, ValueReader<T> reader) {
        KeyValueStore store = primaryOf(slot);
        try {
            return lend(store, slot, key, reader);
        } catch (RefusedException e) {
            return this.<@Nullable T>redirect(slot, e, to -> lend(to, slot, key, reader));
        }
    }

    private static <T extends @Nullable Object> @Nullable T lend(
            KeyValueStore store, int slot, byte[] key, ValueReader<T> reader) {
        return store instanceof SlottedStore slotted ? slotted.lend(slot, key, reader) : store.lend(key, reader);
    }

    @Override
    boolean set(int slot, byte[] key, byte[] value, SetOptions options) {
        KeyValueStore store = primaryOf(slot);
        try {
            return set(store, slot, key, value, options);
        } catch (RefusedException e) {
            return redirect(slot, e, to -> set(to, slot, key, value, options));
        }
    }

    private static boolean set(KeyValueStore store, int slot, byte[] key, byte[] value, SetOptions options) {
        return store instanceof SlottedStore slotted
                ? slotted.set(slot, key, value, options)
                : store.set(key, value, options);
    }

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        return this.<T>route(HashSlot.check(slot), to -> to.read(slot, function));
    }

    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        return this.<T>route(HashSlot.check(slot), to -> to.transact(slot, function));
    }

    /** A page ends where the slots end that a shard owns and has the data of, if not before. */
    @Override
    public ScanPage scan(ScanCursor cursor, ScanOptions options) {
        int slot = cursor.slot();
        int last = SlotScan.lastSlot(cursor, options);
        ClusterTopology current = topology.get();
        Shard owner = current.shardOf(slot);
        SlotSet others = owner == null ? SlotSet.ALL : current.servedBy(owner).complement();
        int other = others.next(slot + 1);
        ScanOptions within = options.withLastSlot(other < 0 ? last : Math.min(last, other - 1));
        return route(slot, to -> to.scan(cursor, within));
    }

    @Override
    public byte @Nullable [] randomKey() {
        List<KeyValueStore> stores = primaries();
        long size = 0;
        for (KeyValueStore store : stores) {
            size += store.size();
        }
        long drawn = ThreadLocalRandom.current().nextLong(Math.max(1, size));
        int first = 0;
        while (first < stores.size() - 1 && drawn >= stores.get(first).size()) {
            drawn -= stores.get(first).size();
            first++;
        }
        byte[] key = null;
        for (int i = 0; i < stores.size() && key == null; i++) { // the others only if it has none by now
            key = stores.get((first + i) % stores.size()).randomKey();
        }
        return key;
    }

    @Override
    public List<byte[]> keysInSlot(int slot, int limit) {
        return route(HashSlot.check(slot), to -> to.keysInSlot(slot, limit));
    }

    /**
     * {@inheritDoc}
     *
     * <p>Goes from shard to shard by the topology of the beginning, and stops at the first shard that fails. If one of
     * the slots is on its way, this is refused before anything is deleted; one that has moved later is refused where it
     * is met.
     */
    @Override
    public long clear(SlotSet slots) {
        ClusterTopology current = topology.get();
        requireArrived(current, slots);
        long deleted = 0;
        SlotSet remaining = slots;
        for (Shard shard : current.shards()) {
            SlotSet own = slots.intersect(shard.slots());
            if (!own.isEmpty()) {
                try {
                    deleted += route(own.next(0), to -> to.clear(own));
                } catch (RuntimeException e) {
                    throw PartlyClearedException.after(deleted, slots.minus(remaining), remaining, e);
                }
                remaining = remaining.minus(own);
            }
        }
        return deleted;
    }

    private static void requireArrived(ClusterTopology topology, SlotSet slots) {
        SlotSet moving = topology.moving();
        int slot = moving.isEmpty() ? -1 : moving.intersect(slots).next(0);
        if (slot >= 0) {
            throw RefusedException.moving(topology, slot, null);
        }
    }

    /**
     * {@inheritDoc} Refused while a slot is on its way: its keys are at one shard, and some of them perhaps at the
     * other already.
     */
    @Override
    public long size() {
        requireArrived(topology.get(), SlotSet.ALL);
        long size = 0;
        for (KeyValueStore store : primaries()) {
            size += store.size();
        }
        return size;
    }

    /** Returns the primary of each shard that owns slots. */
    private List<KeyValueStore> primaries() {
        List<KeyValueStore> stores = new ArrayList<>();
        ClusterTopology current = topology.get();
        for (Shard shard : current.shards()) {
            if (!shard.slots().isEmpty()) {
                int slot = shard.slots().next(0);
                stores.add(fixed == null ? store(current, slot) : fixed[slot]);
            }
        }
        return stores;
    }

    @Override
    public int countInSlot(int slot) {
        return route(HashSlot.check(slot), to -> to.countInSlot(slot));
    }

    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        Objects.requireNonNull(action, "action");
        primaryOf(HashSlot.check(slot)).forEachInSlot(slot, action);
    }

    @Override
    public int dropSlot(int slot) {
        return route(HashSlot.check(slot), to -> to.dropSlot(slot));
    }

    private <T extends @Nullable Object> T route(int slot, Function<KeyValueStore, T> operation) {
        KeyValueStore store = primaryOf(slot);
        try {
            return operation.apply(store);
        } catch (RefusedException e) {
            return redirect(slot, e, operation);
        }
    }

    private <T extends @Nullable Object> T redirect(
            int slot, RefusedException refusal, Function<KeyValueStore, T> operation) {
        RefusedException last = refusal;
        for (int i = 0; i < MAX_REDIRECTS && isElsewhere(last); i++) {
            NodeId named = last.primary();
            KeyValueStore store = named == null ? null : nodes.apply(named);
            if (store == null) {
                store = primaryOf(slot);
            }
            try {
                return operation.apply(store);
            } catch (RefusedException e) {
                last = e;
            }
        }
        throw last;
    }

    private static boolean isElsewhere(RefusedException refusal) {
        return switch (refusal.kind()) {
            case MOVED, READ_ONLY, FENCED -> true;
            case CROSS_SLOT, MOVING, CLUSTER_DOWN, PAUSED, TOO_FEW_REPLICAS, OVERLOADED, LAGGING, OUT_OF_MEMORY ->
                false;
        };
    }

    private KeyValueStore primaryOf(int slot) {
        return fixed == null ? currentPrimaryOf(slot) : fixed[slot];
    }

    private KeyValueStore currentPrimaryOf(int slot) {
        ClusterTopology current = topology.get();
        if (current.isMoving(slot)) {
            throw RefusedException.moving(current, slot, null);
        }
        return store(current, slot);
    }

    private KeyValueStore store(ClusterTopology current, int slot) {
        NodeId primary = current.primaryOf(slot);
        KeyValueStore store = primary == null ? null : nodes.apply(primary);
        if (store == null) {
            throw unserved(current, slot);
        }
        return store;
    }

    private static RefusedException unserved(ClusterTopology topology, int slot) {
        Shard shard = topology.shardOf(slot);
        return shard == null
                ? new RefusedException(Kind.CLUSTER_DOWN, "no shard owns slot " + slot, slot, null, null, null, -1)
                : new RefusedException(
                        Kind.CLUSTER_DOWN,
                        "the primary of slot " + slot + " cannot be reached: " + shard.primary(),
                        slot,
                        shard.id(),
                        null,
                        shard.primary(),
                        shard.epoch());
    }
}
