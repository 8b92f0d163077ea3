package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The steps that bring slots to the shards that should own them. A plan changes nothing: it is made for one version of
 * a topology, can be printed and checked, and is carried out at once by {@link #applyTo} or step by step. Each step is
 * a {@link TopologyChange} that assigns or moves slots.
 *
 * <p>The same input gives the same plan. Of the slots of a shard, those with the lowest numbers move first.
 *
 * <p>Immutable.
 *
 * @param version the version of the topology that the plan was made for
 * @param steps the changes, in an order in which they are possible; each an {@link TopologyChange.AssignSlots} or a
 *     {@link TopologyChange.MoveSlots}
 */
public record SlotPlan(long version, List<TopologyChange> steps) {
    /** The highest weight of a shard. */
    public static final int MAX_WEIGHT = 1_000_000;

    /** Copies the steps. */
    public SlotPlan {
        steps = List.copyOf(steps);
    }

    /**
     * Plans an even split of all slots: one range to each shard, of sizes that differ by at most one.
     *
     * @param topology the topology to start from
     * @param shards the shards, in the order of their ranges; 1 to {@link HashSlot#COUNT} different ones
     * @return the plan
     * @throws IllegalArgumentException if there is no shard or one is named twice
     * @throws TopologyConflictException if one of them is not in the topology
     * @see SlotRange#evenSplit(int)
     */
    public static SlotPlan evenSplit(ClusterTopology topology, List<ShardId> shards) {
        List<SlotRange> ranges = SlotRange.evenSplit(shards.size());
        Map<ShardId, SlotSet> owned = new TreeMap<>();
        for (int i = 0; i < ranges.size(); i++) {
            if (owned.put(shards.get(i), SlotSet.ofRanges(List.of(ranges.get(i)))) != null) {
                throw new IllegalArgumentException("shard must be named once: " + shards.get(i));
            }
        }
        return explicit(topology, owned);
    }

    /**
     * Plans to give certain slots to certain shards. All other slots stay.
     *
     * @param topology the topology to start from
     * @param slots for each shard the slots to give it
     * @return the plan
     * @throws IllegalArgumentException if a slot is given to two shards
     * @throws TopologyConflictException if one of the shards is not in the topology
     */
    public static SlotPlan explicit(ClusterTopology topology, Map<ShardId, SlotSet> slots) {
        SlotRoutes routes = new SlotRoutes();
        @Nullable ShardId[] takers = new ShardId[HashSlot.COUNT];
        new TreeMap<>(slots).forEach((id, set) -> {
            topology.known(id);
            set.forEach(slot -> {
                if (takers[slot] != null) {
                    throw new IllegalArgumentException(
                            "slot must be given to one shard: " + slot + " is given to " + takers[slot] + " and " + id);
                }
                takers[slot] = id;
                Shard owner = topology.shardOf(slot);
                if (owner == null || !owner.id().equals(id)) {
                    routes.add(slot, owner == null ? null : owner.id(), id);
                }
            });
        });
        return new SlotPlan(topology.version(), routes.changes());
    }

    /**
     * Plans to give each shard a share of all slots in proportion to its weight, by the fewest moves. In the end each
     * shard has its exact share, rounded down or up. Slots without an owner are assigned, which counts as no move.
     *
     * @param topology the topology to start from
     * @param weights the weights of shards, 0 to {@link #MAX_WEIGHT}; a shard that is not named has weight 1
     * @param threshold the tolerated distance of a shard from its share, as a fraction of that share: with 0.02 nothing
     *     is planned while all slots have an owner and all shards are within two per cent; at least 0
     * @return the plan
     * @throws IllegalArgumentException if a weight or the threshold is out of range, or no shard has a weight above 0
     * @throws TopologyConflictException if a named shard is not in the topology
     */
    public static SlotPlan rebalance(ClusterTopology topology, Map<ShardId, Integer> weights, double threshold) {
        if (!(threshold >= 0)) {
            throw new IllegalArgumentException("threshold must be at least 0: " + threshold);
        }
        new TreeMap<>(weights).forEach((id, weight) -> {
            topology.known(id);
            if (weight < 0 || weight > MAX_WEIGHT) {
                throw new IllegalArgumentException(
                        "weight of " + id + " must be between 0 and " + MAX_WEIGHT + ": " + weight);
            }
        });
        List<Share> shares = new ArrayList<>();
        long total = 0;
        for (Shard shard : topology.shards()) {
            Share share = new Share(shard, weights.getOrDefault(shard.id(), 1));
            shares.add(share);
            total += share.weight;
        }
        if (total == 0) {
            throw new IllegalArgumentException("weight of at least one shard must be above 0");
        }
        boolean balanced = topology.uncovered().isEmpty();
        for (Share share : shares) {
            double exact = (double) HashSlot.COUNT * share.weight / total;
            balanced &= Math.abs(share.owned - exact) <= exact * threshold;
        }
        if (balanced) {
            return new SlotPlan(topology.version(), List.of());
        }
        roundShares(shares, total);
        return plan(topology, shares, topology.uncovered());
    }

    /**
     * Plans to take all slots from some shards. They go to the shards with the fewest slots, and no other slot moves.
     *
     * @param topology the topology to start from
     * @param drained the shards to empty
     * @return the plan
     * @throws IllegalArgumentException if there is no other shard to take the slots
     * @throws TopologyConflictException if one of the shards is not in the topology
     */
    public static SlotPlan drain(ClusterTopology topology, Collection<ShardId> drained) {
        Collection<ShardId> givers = new TreeSet<>(drained);
        int freed = 0;
        for (ShardId id : givers) {
            freed += topology.known(id).slots().size();
        }
        List<Share> shares = new ArrayList<>();
        List<Share> takers = new ArrayList<>();
        for (Shard shard : topology.shards()) {
            Share share = new Share(shard, 1);
            shares.add(share);
            if (givers.contains(shard.id())) {
                share.target = 0;
            } else {
                takers.add(share);
            }
        }
        if (takers.isEmpty() && freed > 0) {
            throw new IllegalArgumentException("there must be another shard to take the slots of " + givers);
        }
        takers.sort(Comparator.comparingInt(share -> share.owned)); // stable: equal ones stay ordered by id
        raise(takers, freed);
        return plan(topology, shares, SlotSet.EMPTY);
    }

    /**
     * Plans to move a number of slots from some shards to another, from each in proportion to the slots it owns.
     *
     * @param topology the topology to start from
     * @param count the number of slots to move; 0 to the number that {@code from} own together
     * @param to the shard that takes them
     * @param from the shards that give them; without {@code to}
     * @return the plan
     * @throws IllegalArgumentException if {@code count} is out of range or {@code from} contains {@code to}
     * @throws TopologyConflictException if one of the shards is not in the topology
     */
    public static SlotPlan move(ClusterTopology topology, int count, ShardId to, Collection<ShardId> from) {
        topology.known(to);
        Collection<ShardId> givers = new TreeSet<>(from);
        if (givers.contains(to)) {
            throw new IllegalArgumentException("slots must move to another shard: " + to);
        }
        List<Share> shares = new ArrayList<>();
        int available = 0;
        for (ShardId id : givers) {
            Share share = new Share(topology.known(id), 1);
            shares.add(share);
            available += share.owned;
        }
        if (count < 0 || count > available) {
            throw new IllegalArgumentException("count must be between 0 and " + available + ": " + count);
        }
        int left = count;
        for (Share share : shares) {
            int given = available == 0 ? 0 : (int) ((long) count * share.owned / available);
            share.target -= given;
            left -= given;
        }
        for (Share share : shares) { // the remainder of the rounding, less than the number of givers
            if (left > 0 && share.target > 0) {
                share.target--;
                left--;
            }
        }
        Share taker = new Share(topology.known(to), 1);
        taker.target += count;
        shares.add(taker);
        return plan(topology, shares, SlotSet.EMPTY);
    }

    /** {@return the number of slots that the plan moves from one shard to another} */
    public int movedSlots() {
        int moved = 0;
        for (TopologyChange step : steps) {
            moved +=
                    step instanceof TopologyChange.MoveSlots move ? move.slots().size() : 0;
        }
        return moved;
    }

    /**
     * Carries the whole plan out.
     *
     * @param topology the topology that the plan was made for
     * @return the topology after the last step
     * @throws TopologyConflictException if the topology is at another version, or a step is impossible; nothing
     *     changed. To check a plan, carry it out and drop the result
     */
    public ClusterTopology applyTo(ClusterTopology topology) {
        return topology.apply(version, steps);
    }

    /** {@return the version and a line for each step, as in {@code move 0-99 from s1 to s2}} */
    @Override
    public String toString() {
        return "plan for version " + version + ", " + movedSlots() + " slots move"
                + steps.stream().map(step -> "\n" + describe(step)).collect(Collectors.joining());
    }

    private static String describe(TopologyChange step) {
        if (step instanceof TopologyChange.MoveSlots move) {
            return "move " + move.slots() + " from " + move.from() + " to " + move.to();
        } else if (step instanceof TopologyChange.AssignSlots assign) {
            return "assign " + assign.slots() + " to " + assign.shard();
        }
        return step.toString();
    }

    /** A shard, how many slots it owns, and how many it should own. */
    private static final class Share {
        private final Shard shard;
        private final int weight;
        private final int owned;
        private int target;

        Share(Shard shard, int weight) {
            this.shard = shard;
            this.weight = weight;
            this.owned = shard.slots().size();
            this.target = owned;
        }
    }

    /**
     * Sets the targets: each share rounded down, and as many rounded up as slots are left. Rounding up saves a move if
     * the shard owns more than its share rounded down, so those go first, and no other choice needs fewer moves.
     */
    private static void roundShares(List<Share> shares, long total) {
        long left = HashSlot.COUNT;
        List<Share> uneven = new ArrayList<>();
        for (Share share : shares) {
            long product = (long) HashSlot.COUNT * share.weight;
            share.target = (int) (product / total);
            left -= share.target;
            if (product % total != 0) {
                uneven.add(share);
            }
        }
        uneven.sort(Comparator.comparing((Share share) -> share.owned <= share.target)
                .thenComparing(share -> -((long) HashSlot.COUNT * share.weight % total)));
        for (int i = 0; i < left; i++) {
            uneven.get(i).target++;
        }
    }

    /** Raises the lowest targets by a number of slots, one by one; the shares are sorted by their targets. */
    private static void raise(List<Share> sorted, int slots) {
        int left = slots;
        for (int level = 1; left > 0; level++) {
            // The first `level` shares are level; they rise together up to the next one, as far as the slots last.
            int height = sorted.get(level - 1).target;
            int next = level < sorted.size() ? sorted.get(level).target : Integer.MAX_VALUE;
            int each = (int) Math.min(left / level, (long) next - height);
            for (int i = 0; each > 0 && i < level; i++) {
                sorted.get(i).target += each;
            }
            left -= each * level;
            if (each < next - height) {
                for (int i = 0; i < left; i++) {
                    sorted.get(i).target++;
                }
                return;
            }
        }
    }

    /** Creates the steps: slots without an owner, then slots above the targets of shards, go to shards below theirs. */
    private static SlotPlan plan(ClusterTopology topology, List<Share> shares, SlotSet unowned) {
        IntStream surplus = shares.stream()
                .flatMapToInt(share -> share.shard.slots().stream().limit(Math.max(share.owned - share.target, 0)));
        int[] supply = IntStream.concat(unowned.stream(), surplus).toArray();
        int next = 0;
        SlotRoutes routes = new SlotRoutes();
        for (Share share : shares) {
            for (int missing = share.target - share.owned; missing > 0; missing--) {
                int slot = supply[next++];
                Shard owner = topology.shardOf(slot);
                routes.add(slot, owner == null ? null : owner.id(), share.shard.id());
            }
        }
        return new SlotPlan(topology.version(), routes.changes());
    }
}
