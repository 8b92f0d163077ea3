package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.MalformedTextException;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddReplica;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveReplica;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which slots belong to which shard, who leads each shard, and who follows, at one version.
 *
 * <p>A topology changes in two ways. {@link #apply} makes the next version from this one: it takes the version that the
 * caller has seen, and refuses if that is not this one's. {@link #merge} joins what two sides know, in any order and
 * any number of times: of a shard the entry of the higher epoch wins, of a slot the later change. A slot has at most
 * one owner, always.
 *
 * <p>The version is a sum over all changes that this topology holds. It grows by one or more with each change, and a
 * merge has at least the higher version of both sides. Two topologies of the same version are equal, unless the same
 * shard or slot was changed on two sides at once; then one of the two changes, the same one everywhere, is lost in the
 * merge. Whoever must not lose such a race applies all changes of a shard's slots in one place.
 *
 * <p>Immutable.
 */
public final class ClusterTopology {
    /** The topology without a shard, at version 0. */
    public static final ClusterTopology EMPTY = new ClusterTopology(
            0,
            new ShardEntry[0],
            new char[HashSlot.COUNT],
            new int[HashSlot.COUNT],
            new Shard[1],
            Collections.emptySortedSet());

    /** How many shards may ever be added: an owner is one more than an index, and must fit into a {@code char}. */
    static final int MAX_SHARDS = Character.MAX_VALUE - 1;

    private final long version;
    /** One for each shard that ever was, removed ones too, in ascending order of their ids. */
    private final ShardEntry[] entries;
    /** For each slot one more than the index of its owner in {@link #entries}; 0 where there is none. */
    private final char[] owners;
    /** For each slot how often its owner changed. */
    private final int[] stamps;
    /** For each owner as in {@link #owners} its shard; {@code null} for no owner and where the shard is removed. */
    private final @Nullable Shard[] shardOfOwner;
    /** For each owner as in {@link #owners} its primary; {@code null} as above. */
    private final @Nullable NodeId[] primaryOfOwner;

    private final List<Shard> shards;
    /** Lines of the text form that only a later release understands. */
    private final SortedSet<String> otherLines;

    private ClusterTopology(
            long version,
            ShardEntry[] entries,
            char[] owners,
            int[] stamps,
            @Nullable Shard[] shardOfOwner,
            SortedSet<String> otherLines) {
        this.version = version;
        this.entries = entries;
        this.owners = owners;
        this.stamps = stamps;
        this.shardOfOwner = shardOfOwner;
        this.otherLines = otherLines;
        primaryOfOwner = new NodeId[shardOfOwner.length];
        List<Shard> present = new ArrayList<>(entries.length);
        for (int owner = 0; owner < shardOfOwner.length; owner++) {
            Shard shard = shardOfOwner[owner];
            if (shard != null) {
                primaryOfOwner[owner] = shard.primary();
                present.add(shard);
            }
        }
        shards = List.copyOf(present);
    }

    /** {@return the version; 0 for the empty topology} */
    public long version() {
        return version;
    }

    /** {@return all shards, in ascending order of their ids} */
    public List<Shard> shards() {
        return shards;
    }

    /** {@return the shard with this id, or {@code null} if there is none} */
    public @Nullable Shard shard(ShardId id) {
        int index = indexOf(id);
        return index < 0 ? null : shardOfOwner[index + 1];
    }

    /**
     * Finds the shard of a node.
     *
     * @param node the node
     * @return the shard whose primary or replica it is, or {@code null} if there is none
     */
    public @Nullable Shard shardOf(NodeId node) {
        for (Shard shard : shards) {
            if (shard.primary().equals(node) || shard.replicas().contains(node)) {
                return shard;
            }
        }
        return null;
    }

    /**
     * Finds the owner of a slot.
     *
     * @param slot the slot
     * @return the shard that owns it, or {@code null} if nobody does
     * @throws IllegalArgumentException if it is no slot
     */
    public @Nullable Shard shardOf(int slot) {
        return shardOfOwner[owners[HashSlot.check(slot)]];
    }

    /**
     * Finds the node that takes the writes of a slot.
     *
     * @param slot the slot
     * @return the primary of the shard that owns it, or {@code null} if nobody does
     * @throws IllegalArgumentException if it is no slot
     */
    public @Nullable NodeId primaryOf(int slot) {
        return primaryOfOwner[owners[HashSlot.check(slot)]];
    }

    /** {@return the slots that nobody owns} */
    public SlotSet uncovered() {
        long[] bits = new long[HashSlot.COUNT / Long.SIZE];
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            if (shardOfOwner[owners[slot]] == null) {
                bits[slot >>> 6] |= 1L << slot;
            }
        }
        return SlotSet.ofBits(bits);
    }

    /** {@return the shards that have no replica, in ascending order} */
    public List<ShardId> shardsWithoutReplicas() {
        return shards.stream()
                .filter(shard -> shard.replicas().isEmpty())
                .map(Shard::id)
                .toList();
    }

    /**
     * Says whether every slot would still be served after any one node is lost: every slot has an owner, and every
     * shard that owns slots keeps the majority of its nodes that a failover needs. That takes three nodes.
     *
     * @return whether any one node may be lost
     */
    public boolean survivesLossOfAnyNode() {
        return uncovered().isEmpty()
                && shards.stream()
                        .filter(shard -> !shard.slots().isEmpty())
                        .allMatch(shard -> shard.replicas().size() >= 2);
    }

    /**
     * Makes the next version.
     *
     * @param expectedVersion the version that the caller has seen
     * @param change the change
     * @return the topology after the change, at a higher version
     * @throws TopologyConflictException if this is another version, or the change is not possible here; nothing changed
     */
    public ClusterTopology apply(long expectedVersion, TopologyChange change) {
        return apply(expectedVersion, List.of(change));
    }

    /**
     * Makes a next version by several changes, one after the other: all of them or none.
     *
     * @param expectedVersion the version that the caller has seen
     * @param changes the changes, in order
     * @return the topology after the last change; this one if there is no change
     * @throws TopologyConflictException if this is another version, or one of the changes is not possible after those
     *     before it; nothing changed
     */
    public ClusterTopology apply(long expectedVersion, List<? extends TopologyChange> changes) {
        if (expectedVersion != version) {
            throw conflict(
                    Kind.STALE_VERSION,
                    "version must be " + version + ", the current one: " + expectedVersion,
                    null,
                    null);
        }
        ClusterTopology next = this;
        for (TopologyChange change : changes) {
            next = new TopologyStep(next).after(change);
        }
        return next;
    }

    /**
     * Joins what this topology and another know. The result does not depend on the order in which topologies are
     * merged, nor on how often each is.
     *
     * @param other the other topology
     * @return the joined topology; this one if the other knows nothing more
     * @throws TopologyConflictException if both together know more shards than a topology can, 65,534 with removed ones
     */
    public ClusterTopology merge(ClusterTopology other) {
        if (equals(other)) {
            return this;
        }
        ShardEntry[] mergedEntries = mergedEntries(other);
        if (mergedEntries.length > MAX_SHARDS) {
            throw tooManyShards(mergedEntries[MAX_SHARDS].id());
        }
        char[] ownIndex = ownersIn(mergedEntries, entries);
        char[] otherIndex = ownersIn(mergedEntries, other.entries);
        char[] mergedOwners = new char[HashSlot.COUNT];
        int[] mergedStamps = new int[HashSlot.COUNT];
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            char own = ownIndex[owners[slot]];
            char theirs = otherIndex[other.owners[slot]];
            int later = Integer.compare(stamps[slot], other.stamps[slot]);
            boolean ownWins = later > 0 || (later == 0 && own >= theirs);
            mergedOwners[slot] = ownWins ? own : theirs;
            mergedStamps[slot] = Math.max(stamps[slot], other.stamps[slot]);
        }
        SortedSet<String> mergedLines = new TreeSet<>(otherLines);
        mergedLines.addAll(other.otherLines);
        ClusterTopology merged = of(List.of(mergedEntries), mergedOwners, mergedStamps, mergedLines);
        return merged.equals(this) ? this : merged;
    }

    /**
     * Says what is different in another topology, for listeners and logs. Applied to this one, in order, the changes
     * make a topology with the same shards as the other, provided that the other came from this one and that no node
     * went from one shard to another.
     *
     * @param later the other topology
     * @return the changes; none if both have the same shards
     */
    public List<TopologyChange> changesTo(ClusterTopology later) {
        List<TopologyChange> first = new ArrayList<>();
        List<TopologyChange> last = new ArrayList<>();
        for (Shard after : later.shards) {
            Shard before = shard(after.id());
            if (before == null) {
                first.add(new AddShard(after.id(), after.epoch(), after.primary(), after.replicas()));
            } else {
                addChanges(before, after, first);
            }
        }
        for (Shard before : shards) {
            if (later.shard(before.id()) == null) {
                last.add(new RemoveShard(before.id()));
            }
        }
        SlotRoutes routes = new SlotRoutes();
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            Shard owner = shardOf(slot);
            Shard laterOwner = later.shardOf(slot);
            ShardId from = owner == null ? null : owner.id();
            ShardId to = laterOwner == null ? null : laterOwner.id();
            if (!Objects.equals(from, to)) {
                routes.add(slot, from, to);
            }
        }
        first.addAll(routes.changes());
        first.addAll(last);
        return List.copyOf(first);
    }

    private static void addChanges(Shard before, Shard after, List<TopologyChange> changes) {
        ShardId id = after.id();
        List<NodeId> nodesBefore = before.nodes();
        List<NodeId> nodesAfter = after.nodes();
        for (NodeId node : nodesAfter) {
            if (!nodesBefore.contains(node)) {
                changes.add(new AddReplica(id, node));
            }
        }
        if (before.epoch() != after.epoch() || !before.primary().equals(after.primary())) {
            changes.add(new Promote(id, after.epoch(), after.primary()));
        }
        for (NodeId node : nodesBefore) {
            if (!nodesAfter.contains(node)) {
                changes.add(new RemoveReplica(id, node));
            }
        }
    }

    /**
     * Writes the topology as text, all that {@link #merge} needs included: a line for the version, one for each shard,
     * and one for each owner and number of changes of slots.
     *
     * <pre>
     * topology format=1 version=16386
     * shard id=s1 epoch=1 revision=1 changes=1 primary=s1-a replicas=s1-b,s1-c
     * slots owner=s1 stamp=1 set=0-16383
     * </pre>
     *
     * @return the text; equal topologies have equal texts
     */
    public String toText() {
        return TopologyText.write(version, List.of(entries), owners, stamps, otherLines);
    }

    /**
     * Reads what {@link #toText()} wrote. Lines of a kind, and fields of a shard, that this release does not know are
     * kept: they stand in the text of the result, of what is made from it by changes, and of what it is merged into.
     *
     * @param text the text
     * @return the topology, equal to the one that was written
     * @throws MalformedTextException if the text has another form, or says what no topology can be
     */
    public static ClusterTopology parse(String text) {
        return TopologyText.parse(text);
    }

    /** Makes a topology of its parts, and sums up its version. */
    static ClusterTopology of(
            List<ShardEntry> shardEntries, char[] owners, int[] stamps, SortedSet<String> otherLines) {
        long sum = 0;
        for (ShardEntry entry : shardEntries) {
            sum += entry.weight();
        }
        for (int stamp : stamps) {
            sum += stamp;
        }
        ShardEntry[] entries = shardEntries.toArray(ShardEntry[]::new);
        return new ClusterTopology(sum, entries, owners, stamps, shardsOf(entries, owners), otherLines);
    }

    /** {@return whether the other knows exactly the same, the history of each slot and shard included} */
    @Override
    public boolean equals(@Nullable Object object) {
        return object instanceof ClusterTopology other
                && version == other.version
                && Arrays.equals(entries, other.entries)
                && Arrays.equals(owners, other.owners)
                && Arrays.equals(stamps, other.stamps)
                && otherLines.equals(other.otherLines);
    }

    @Override
    public int hashCode() {
        return Objects.hash(version, Arrays.hashCode(entries), Arrays.hashCode(owners));
    }

    /** {@return the version and the shards in one line, for logs} */
    @Override
    public String toString() {
        return "ClusterTopology[version=" + version + ", shards=" + shards + "]";
    }

    /** Finds a shard that must be there. */
    Shard known(ShardId id) {
        Shard shard = shard(id);
        if (shard == null) {
            throw conflict(Kind.UNKNOWN_SHARD, "shard must be in the topology: " + id, id, null);
        }
        return shard;
    }

    private TopologyConflictException tooManyShards(ShardId id) {
        return conflict(Kind.TOO_MANY_SHARDS, "shards ever added must be at most " + MAX_SHARDS + ": " + id, id, null);
    }

    /** Refuses something that is about no single slot. */
    TopologyConflictException conflict(Kind kind, String message, @Nullable ShardId shard, @Nullable NodeId node) {
        return new TopologyConflictException(kind, message, version, shard, node, -1);
    }

    /** Gives slots, which all belong to {@code from} or to nobody, to {@code to} or to nobody. */
    ClusterTopology withOwner(SlotSet slots, @Nullable ShardId from, @Nullable ShardId to) {
        char[] newOwners = owners.clone();
        int[] newStamps = stamps.clone();
        @Nullable Shard[] newShards = shardOfOwner.clone();
        int giver = from == null ? 0 : indexOf(from) + 1;
        int taker = to == null ? 0 : indexOf(to) + 1;
        int stampsSeen = 0;
        for (SlotRange range : slots.ranges()) {
            Arrays.fill(newOwners, range.first(), range.last() + 1, (char) taker);
            for (int slot = range.first(); slot <= range.last(); slot++) {
                stampsSeen |= ++newStamps[slot];
            }
        }
        if (stampsSeen < 0) {
            throw new ArithmeticException("owner of a slot must change fewer than 2^31 times");
        }
        Shard giving = shardOfOwner[giver];
        if (giving != null) {
            newShards[giver] = giving.withSlots(giving.slots().minus(slots));
        }
        Shard taking = shardOfOwner[taker];
        if (taking != null) {
            newShards[taker] = taking.withSlots(taking.slots().union(slots));
        }
        return new ClusterTopology(version + slots.size(), entries, newOwners, newStamps, newShards, otherLines);
    }

    /** {@return what is remembered of a shard, removed or not, or {@code null} if it never was there} */
    @Nullable
    ShardEntry entry(ShardId id) {
        int index = indexOf(id);
        return index < 0 ? null : entries[index];
    }

    /** Puts an entry in the place of the shard's former one, or adds it if there is none. */
    ClusterTopology withEntry(ShardEntry entry) {
        int index = indexOf(entry.id());
        return index < 0 ? withNewEntry(-index - 1, entry) : withEntry(index, entry);
    }

    private ClusterTopology withEntry(int index, ShardEntry entry) {
        ShardEntry[] newEntries = entries.clone();
        newEntries[index] = entry;
        @Nullable Shard[] newShards = shardOfOwner.clone();
        Shard before = shardOfOwner[index + 1];
        newShards[index + 1] = entry.shard(before == null ? SlotSet.EMPTY : before.slots());
        long newVersion = version - entries[index].weight() + entry.weight();
        return new ClusterTopology(newVersion, newEntries, owners, stamps, newShards, otherLines);
    }

    private ClusterTopology withNewEntry(int index, ShardEntry entry) {
        if (entries.length == MAX_SHARDS) {
            throw tooManyShards(entry.id());
        }
        ShardEntry[] newEntries = new ShardEntry[entries.length + 1];
        System.arraycopy(entries, 0, newEntries, 0, index);
        newEntries[index] = entry;
        System.arraycopy(entries, index, newEntries, index + 1, entries.length - index);
        char[] newIndex = ownersIn(newEntries, entries);
        char[] newOwners = new char[HashSlot.COUNT];
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            newOwners[slot] = newIndex[owners[slot]];
        }
        @Nullable Shard[] newShards = new Shard[newEntries.length + 1];
        for (int owner = 0; owner < shardOfOwner.length; owner++) {
            newShards[newIndex[owner]] = shardOfOwner[owner];
        }
        newShards[index + 1] = entry.shard(SlotSet.EMPTY);
        return new ClusterTopology(version + entry.weight(), newEntries, newOwners, stamps, newShards, otherLines);
    }

    /** Takes from a removed shard the slots that another side gave it while it was being removed. */
    ClusterTopology withoutClaims(ShardId removed) {
        int owner = indexOf(removed) + 1;
        long[] bits = new long[HashSlot.COUNT / Long.SIZE];
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            if (owners[slot] == owner) {
                bits[slot >>> 6] |= 1L << slot;
            }
        }
        SlotSet claimed = SlotSet.ofBits(bits);
        return claimed.isEmpty() ? this : withOwner(claimed, null, null);
    }

    private ShardEntry[] mergedEntries(ClusterTopology other) {
        List<ShardEntry> merged = new ArrayList<>(entries.length + other.entries.length);
        int own = 0;
        int theirs = 0;
        while (own < entries.length && theirs < other.entries.length) {
            int order = entries[own].id().compareTo(other.entries[theirs].id());
            if (order < 0) {
                merged.add(entries[own++]);
            } else if (order > 0) {
                merged.add(other.entries[theirs++]);
            } else {
                merged.add(entries[own++].merge(other.entries[theirs++]));
            }
        }
        merged.addAll(Arrays.asList(entries).subList(own, entries.length));
        merged.addAll(Arrays.asList(other.entries).subList(theirs, other.entries.length));
        return merged.toArray(ShardEntry[]::new);
    }

    /** For each owner, as a number in {@code part}, the same owner as a number in {@code all}. */
    private static char[] ownersIn(ShardEntry[] all, ShardEntry[] part) {
        char[] owners = new char[part.length + 1];
        int index = 0;
        for (int i = 0; i < part.length; i++) {
            while (!all[index].id().equals(part[i].id())) {
                index++;
            }
            owners[i + 1] = (char) (index + 1);
        }
        return owners;
    }

    private static @Nullable Shard[] shardsOf(ShardEntry[] entries, char[] owners) {
        long[][] bits = new long[entries.length + 1][];
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            char owner = owners[slot];
            if (bits[owner] == null) {
                bits[owner] = new long[HashSlot.COUNT / Long.SIZE];
            }
            bits[owner][slot >>> 6] |= 1L << slot;
        }
        @Nullable Shard[] shards = new Shard[entries.length + 1];
        for (int i = 0; i < entries.length; i++) {
            long[] own = bits[i + 1];
            shards[i + 1] = entries[i].shard(own == null ? SlotSet.EMPTY : SlotSet.ofBits(own));
        }
        return shards;
    }

    /** Finds the index of a shard's entry; a negative number, as {@link Arrays#binarySearch} gives it, if none. */
    private int indexOf(ShardId id) {
        int low = 0;
        int high = entries.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = entries[middle].id().compareTo(id);
            if (order == 0) {
                return middle;
            } else if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -low - 1;
    }
}
