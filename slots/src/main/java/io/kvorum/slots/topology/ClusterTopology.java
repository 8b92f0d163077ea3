package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.MalformedTextException;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The slots, nodes and primaries of all shards of a cluster, and the addresses of the nodes, at one version.
 *
 * <p>A topology changes in two ways. {@link #apply} creates the next version: it takes the version that the caller has
 * seen and refuses any other. {@link #merge} joins the knowledge of two sides, in any order and any number of times:
 *
 * <ul>
 *   <li>of a shard, the later <em>generation</em> wins. A generation begins when the shard is added and ends when it is
 *       removed, so no older news brings a removed shard back, whatever its epoch;
 *   <li>within a generation, the higher epoch decides who leads, and the later position of the member list decides
 *       which nodes the shard has;
 *   <li>of a slot's owner and of a node's address, the later change wins.
 * </ul>
 *
 * <p>A slot never has more than one owner.
 *
 * <p>The version is a sum over all changes that the topology contains. Each change raises it, and a merge has at least
 * the higher version of both sides. Two topologies of the same version are equal, unless two sides changed the owner of
 * the same slot, the address of the same node, or the same generation's epoch or member list independently. Then the
 * merge keeps one of the two changes, the same one everywhere. To avoid that, apply all changes of a shard's slots in
 * one place.
 *
 * <p>Immutable.
 */
public final class ClusterTopology {
    /** The topology without a shard, at version 0. */
    public static final ClusterTopology EMPTY = new ClusterTopology();

    /** How many shards may ever be added: an owner is one more than an index, and must fit into a {@code char}. */
    static final int MAX_SHARDS = Character.MAX_VALUE - 1;

    /** How many nodes may ever be given an address. */
    static final int MAX_ADDRESSES = 1 << 20;

    private final long version;
    /** One for each shard that ever was, removed ones too, in ascending order of their ids. */
    private final ShardEntry[] entries;

    private final SlotTable slots;
    private final SortedMap<NodeId, NodeEntry> nodes;
    /** Lines of the text form that only a later release understands. */
    private final SortedSet<String> otherLines;

    // What follows is derived from the above.

    /** For each slot one more than the index of its owner in {@link #entries}; 0 if it has none. */
    private final char[] owners;
    /** For each owner as in {@link #owners} its shard; {@code null} for no owner and where the shard is removed. */
    private final @Nullable Shard[] shardOfOwner;
    /** For each owner as in {@link #owners} its primary; {@code null} as above. */
    private final @Nullable NodeId[] primaryOfOwner;

    private final List<Shard> shards;
    private final SlotSet moving;

    private ClusterTopology() {
        version = 0;
        entries = new ShardEntry[0];
        slots = SlotTable.EMPTY;
        nodes = Collections.emptySortedMap();
        otherLines = Collections.emptySortedSet();
        owners = new char[HashSlot.COUNT];
        shardOfOwner = new Shard[1];
        primaryOfOwner = new NodeId[1];
        shards = List.of();
        moving = SlotSet.EMPTY;
    }

    /**
     * Creates a topology from its parts.
     *
     * @param basis a topology that most of the parts were taken from; its shards are used again where they are equal
     */
    ClusterTopology(
            ShardEntry[] entries,
            SlotTable slots,
            SortedMap<NodeId, NodeEntry> nodes,
            SortedSet<String> otherLines,
            ClusterTopology basis) {
        this.entries = entries;
        this.slots = slots;
        this.nodes = nodes;
        this.otherLines = otherLines;
        version = sumOfChanges();
        owners = slots.equals(basis.slots) && hasTenuresOf(basis) ? basis.owners : findOwners();
        shardOfOwner = new Shard[entries.length + 1];
        primaryOfOwner = new NodeId[entries.length + 1];
        List<Shard> present = new ArrayList<>(entries.length);
        SlotSet[] owned = slotsOfOwners(basis);
        int index = 0;
        for (int i = 0; i < entries.length; i++) {
            while (index < basis.entries.length && basis.entries[index].id().compareTo(entries[i].id()) < 0) {
                index++;
            }
            Shard shard = null;
            if (index < basis.entries.length && basis.entries[index].equals(entries[i])) {
                shard = basis.shardOfOwner[index + 1];
            }
            if (shard == null || !shard.slots().equals(owned[i + 1])) {
                shard = entries[i].shard(owned[i + 1]);
            }
            if (shard != null) {
                shardOfOwner[i + 1] = shard;
                primaryOfOwner[i + 1] = shard.primary();
                present.add(shard);
            }
        }
        shards = List.copyOf(present);
        moving = owners == basis.owners && slots.equals(basis.slots) ? basis.moving : findMoving();
    }

    private long sumOfChanges() {
        long sum = slots.changes();
        for (ShardEntry entry : entries) {
            sum = Math.addExact(sum, entry.weight());
        }
        for (NodeEntry node : nodes.values()) {
            sum = Math.addExact(sum, node.stamp());
        }
        return sum;
    }

    private boolean hasTenuresOf(ClusterTopology other) {
        boolean same = entries.length == other.entries.length;
        for (int i = 0; same && i < entries.length; i++) {
            ShardEntry own = entries[i];
            ShardEntry their = other.entries[i];
            same = own.tenure() == their.tenure() && own.id().equals(their.id());
        }
        return same;
    }

    private char[] findOwners() {
        char[] found = new char[HashSlot.COUNT];
        SlotTable.Owner last = null;
        char lastOwner = 0;
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            SlotTable.Owner owner = slots.owner(slot);
            if (owner != null) {
                if (!owner.equals(last)) {
                    int index = indexOf(owner.shard());
                    lastOwner = index >= 0 && entries[index].isOwner(owner) ? (char) (index + 1) : 0;
                    last = owner;
                }
                found[slot] = lastOwner;
            }
        }
        return found;
    }

    private SlotSet findMoving() {
        SlotSet candidates = slots.moving();
        return candidates.isEmpty()
                ? candidates
                : SlotSet.of(
                        candidates.stream().filter(slot -> owners[slot] != 0).toArray());
    }

    /** Returns for each owner, as in {@link #owners}, its slots. */
    private SlotSet[] slotsOfOwners(ClusterTopology basis) {
        SlotSet[] sets = new SlotSet[entries.length + 1];
        Arrays.fill(sets, SlotSet.EMPTY);
        if (owners == basis.owners) {
            for (int owner = 1; owner < sets.length; owner++) {
                Shard shard = basis.shardOfOwner[owner];
                sets[owner] = shard == null ? SlotSet.EMPTY : shard.slots();
            }
            return sets;
        }
        int[] firstRun = new int[sets.length]; // for each owner the lowest slot of its first run of slots
        Arrays.fill(firstRun, -1);
        int[] nextRun = new int[HashSlot.COUNT];
        int[] lastOfRun = new int[HashSlot.COUNT];
        for (int last = HashSlot.COUNT - 1; last >= 0; ) {
            char owner = owners[last];
            int first = last;
            while (first > 0 && owners[first - 1] == owner) {
                first--;
            }
            lastOfRun[first] = last;
            nextRun[first] = firstRun[owner];
            firstRun[owner] = first;
            last = first - 1;
        }
        for (int owner = 1; owner < sets.length; owner++) {
            List<SlotRange> ranges = new ArrayList<>();
            for (int run = firstRun[owner]; run >= 0; run = nextRun[run]) {
                ranges.add(new SlotRange(run, lastOfRun[run]));
            }
            sets[owner] = SlotSet.ofRanges(ranges);
        }
        return sets;
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
     * @return the shard that owns it, or {@code null} if there is none
     * @throws IllegalArgumentException if it is no slot
     */
    public @Nullable Shard shardOf(int slot) {
        return shardOfOwner[owners[HashSlot.check(slot)]];
    }

    /**
     * Finds the node that takes the writes of a slot.
     *
     * @param slot the slot
     * @return the primary of the shard that owns it, or {@code null} if there is none
     * @throws IllegalArgumentException if it is no slot
     */
    public @Nullable NodeId primaryOf(int slot) {
        return primaryOfOwner[owners[HashSlot.check(slot)]];
    }

    /** {@return the address of a node, or {@code null} if none is known} */
    public @Nullable NodeAddress addressOf(NodeId node) {
        NodeEntry entry = nodes.get(node);
        return entry == null ? null : entry.address();
    }

    /**
     * {@return the slots on their way: given to another shard, but without their data yet} Their owner refuses every
     * operation on them.
     *
     * @see TopologyChange.MoveSlots
     */
    public SlotSet moving() {
        return moving;
    }

    /**
     * {@return the slots of a shard that it serves: those that it owns but for those on their way to it}
     *
     * @param shard a shard of this topology
     */
    public SlotSet servedBy(Shard shard) {
        return moving.isEmpty() ? shard.slots() : shard.slots().minus(moving);
    }

    /**
     * Says whether a slot is {@linkplain #moving() on its way}.
     *
     * @param slot the slot
     * @return whether its owner is without its data
     * @throws IllegalArgumentException if it is no slot
     */
    public boolean isMoving(int slot) {
        HashSlot.check(slot);
        return !moving.isEmpty() && moving.contains(slot);
    }

    /**
     * Finds where the data of a slot on its way is.
     *
     * @param slot the slot
     * @return the shard that has its data, or {@code null} if the slot isn't on its way or that shard was removed
     * @throws IllegalArgumentException if it is no slot
     */
    public @Nullable ShardId sourceOf(int slot) {
        if (!isMoving(slot)) {
            return null;
        }
        SlotTable.Owner source = slots.source(slot);
        ShardEntry entry = source == null ? null : entry(source.shard());
        return source == null || entry == null || !entry.isOwner(source) ? null : source.shard();
    }

    /** {@return the slots without an owner} */
    public SlotSet uncovered() {
        long[] bits = new long[HashSlot.COUNT / Long.SIZE];
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            if (owners[slot] == 0) {
                bits[slot >>> 6] |= 1L << slot;
            }
        }
        return SlotSet.ofBits(bits);
    }

    /** {@return the shards without a replica, in ascending order} */
    public List<ShardId> shardsWithoutReplicas() {
        return shards.stream()
                .filter(shard -> shard.replicas().isEmpty())
                .map(Shard::id)
                .toList();
    }

    /**
     * Says whether every slot would still be served after the loss of any one node: every slot has an owner, and every
     * shard that owns slots keeps the majority of its nodes that a failover needs. That takes three nodes.
     *
     * @return whether the slots survive the loss of any one node
     */
    public boolean survivesLossOfAnyNode() {
        return uncovered().isEmpty()
                && shards.stream()
                        .filter(shard -> !shard.slots().isEmpty())
                        .allMatch(shard -> shard.replicas().size() >= 2);
    }

    /**
     * Creates the next version.
     *
     * @param expectedVersion the version that the caller has seen
     * @param change the change
     * @return the topology after the change, at a higher version
     * @throws TopologyConflictException if this is another version, or the change is impossible here; nothing changed
     */
    public ClusterTopology apply(long expectedVersion, TopologyChange change) {
        return apply(expectedVersion, List.of(change));
    }

    /**
     * Creates a later version by several changes, one after the other: all of them or none. Takes time in proportion to
     * the size of the topology and of the list.
     *
     * @param expectedVersion the version that the caller has seen
     * @param changes the changes, in order
     * @return the topology after the last change; this one if there is no change
     * @throws TopologyConflictException if this is another version, or one of the changes is impossible after those
     *     before it; nothing changed
     */
    public ClusterTopology apply(long expectedVersion, List<? extends TopologyChange> changes) {
        if (expectedVersion != version) {
            throw conflict(
                    Kind.STALE_VERSION,
                    "expected version must be the current one, " + version + ": " + expectedVersion,
                    null,
                    null);
        }
        if (changes.isEmpty()) {
            return this;
        }
        TopologyEdit edit = new TopologyEdit(this, changes);
        changes.forEach(edit::apply);
        return edit.topology();
    }

    /**
     * Joins this topology and another. The result does not depend on the order in which topologies are merged, nor on
     * how often each is.
     *
     * @param other the other topology
     * @return the joined topology; this one if the other contains nothing new
     * @throws TopologyConflictException if both together contain more shards, removed ones included, or more addresses
     *     than a topology can
     */
    public ClusterTopology merge(ClusterTopology other) {
        if (equals(other)) {
            return this;
        }
        ShardEntry[] mergedEntries = mergedEntries(other);
        if (mergedEntries.length > MAX_SHARDS) {
            throw tooManyShards(mergedEntries[MAX_SHARDS].id());
        }
        SortedMap<NodeId, NodeEntry> mergedNodes = nodes;
        if (!nodes.equals(other.nodes)) {
            mergedNodes = new TreeMap<>(nodes);
            for (NodeEntry node : other.nodes.values()) {
                mergedNodes.merge(node.node(), node, NodeEntry::merge);
            }
            if (mergedNodes.size() > MAX_ADDRESSES) {
                throw tooManyAddresses(mergedNodes.lastKey());
            }
        }
        SortedSet<String> mergedLines = otherLines;
        if (!otherLines.containsAll(other.otherLines)) {
            mergedLines = new TreeSet<>(otherLines);
            mergedLines.addAll(other.otherLines);
        }
        ClusterTopology merged =
                new ClusterTopology(mergedEntries, slots.merge(other.slots), mergedNodes, mergedLines, this);
        return merged.equals(this) ? this : merged;
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

    /**
     * Lists the differences to a later topology, for listeners and logs. Applied to this topology, in order, they
     * create one with the same shards, apart from their generations, the same slots on their way from the same shards,
     * and the same addresses of their nodes, provided that the later topology came from this one and that no node went
     * from one shard to another. Of a slot whose data was left at a shard that is gone, they say that it is on its way
     * only if this topology has that shard, and the later one has not got it again.
     *
     * @param later the later topology
     * @return the changes; none if both have the same shards, slots on their way, and addresses
     */
    public List<TopologyChange> changesTo(ClusterTopology later) {
        return TopologyDifference.between(this, later);
    }

    /**
     * Writes the topology as text, with all that {@link #merge} needs: a line for the version, one for each shard, one
     * for each owner and number of changes of slots, and one for each node with an address.
     *
     * <pre>
     * topology format=1 version=16390
     * shard id=s1 generation=1 epoch=0.1 primary=s1-a nodes=s1-a,s1-b,s1-c
     * shard id=s2 generation=1 epoch=0.1 primary=s2-a nodes=s2-a,s2-b,s2-c
     * slots owner=s1 stamp=1 set=0-16382
     * slots owner=s2 from=s1 stamp=2 set=16383
     * node id=s1-a stamp=1 address=10.0.0.1:7000
     * </pre>
     *
     * @return the text; equal topologies have equal texts
     */
    public String toText() {
        return TopologyText.write(this);
    }

    /**
     * Parses the form that {@link #toText()} writes. Unknown kinds of lines and unknown fields of a shard, written by a
     * later release, are kept: they stay in the topology through changes and merges.
     *
     * @param text the text
     * @return the topology, equal to the one that was written
     * @throws MalformedTextException if the text has another form, or contradicts itself
     */
    public static ClusterTopology parse(String text) {
        return TopologyText.parse(text);
    }

    /** {@return whether the other contains exactly the same, the history of each slot and shard included} */
    @Override
    public boolean equals(@Nullable Object object) {
        return this == object
                || (object instanceof ClusterTopology other
                        && version == other.version
                        && Arrays.equals(entries, other.entries)
                        && slots.equals(other.slots)
                        && nodes.equals(other.nodes)
                        && otherLines.equals(other.otherLines));
    }

    @Override
    public int hashCode() {
        return Objects.hash(version, Arrays.hashCode(entries), slots.hashCode());
    }

    /** {@return the version and the shards in one line, for logs} */
    @Override
    public String toString() {
        return "ClusterTopology[version=" + version + ", shards=" + shards + "]";
    }

    // The parts, not to be modified.

    List<ShardEntry> entries() {
        return Arrays.asList(entries);
    }

    SlotTable slots() {
        return slots;
    }

    SortedMap<NodeId, NodeEntry> nodes() {
        return nodes;
    }

    SortedSet<String> otherLines() {
        return otherLines;
    }

    /** Returns the record of a shard, removed or not, or {@code null} if it was never added. */
    @Nullable
    ShardEntry entry(ShardId id) {
        int index = indexOf(id);
        return index < 0 ? null : entries[index];
    }

    /** Finds a shard that must be there. */
    Shard known(ShardId id) {
        Shard shard = shard(id);
        if (shard == null) {
            throw unknownShard(id);
        }
        return shard;
    }

    TopologyConflictException unknownShard(ShardId id) {
        return conflict(Kind.UNKNOWN_SHARD, "shard must be in the topology: " + id, id, null);
    }

    TopologyConflictException tooManyShards(ShardId id) {
        return conflict(
                Kind.TOO_MANY_SHARDS,
                "shards, removed ones included, must be at most " + MAX_SHARDS + ": " + id,
                id,
                null);
    }

    TopologyConflictException tooManyAddresses(NodeId node) {
        return conflict(
                Kind.TOO_MANY_ADDRESSES,
                "nodes with an address must be at most " + MAX_ADDRESSES + ": " + node,
                null,
                node);
    }

    /** Refuses something that is not about a single slot. */
    TopologyConflictException conflict(Kind kind, String message, @Nullable ShardId shard, @Nullable NodeId node) {
        return new TopologyConflictException(kind, message, version, shard, node, -1);
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
