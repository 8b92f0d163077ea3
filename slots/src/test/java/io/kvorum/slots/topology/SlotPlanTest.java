package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SlotPlanTest {
    private static final long SEED = Long.getLong("slots.seed", 20_261_122);

    private static final ShardId S0 = shard(0);
    private static final ShardId S1 = shard(1);
    private static final ShardId S2 = shard(2);
    private static final ShardId S3 = shard(3);

    @Test
    void evenSplitGivesEachShardARange() {
        SlotPlan plan = SlotPlan.evenSplit(topology("", "", ""), List.of(S0, S1, S2));

        assertEquals("""
                plan for version 6, 0 slots move
                assign 0-5460 to s0
                assign 5461-10922 to s1
                assign 10923-16383 to s2""", plan.toString());
    }

    @Test
    void evenSplitFollowsTheOrderOfTheShards() {
        ClusterTopology topology = topology("0-8191", "8192-16383");

        ClusterTopology after = SlotPlan.evenSplit(topology, List.of(S1, S0)).applyTo(topology);

        assertEquals(List.of("8192-16383", "0-8191"), sets(after));
    }

    @Test
    void evenSplitNeedsDifferentKnownShards() {
        ClusterTopology topology = topology("", "");

        assertThrows(IllegalArgumentException.class, () -> SlotPlan.evenSplit(topology, List.of()));
        assertThrows(IllegalArgumentException.class, () -> SlotPlan.evenSplit(topology, List.of(S0, S1, S0)));
        assertUnknown(() -> SlotPlan.evenSplit(topology, List.of(S0, S2)));
    }

    @Test
    void explicitSlotsAreAssignedAndMovedAndTheRestStays() {
        ClusterTopology topology = topology("0-99,300", "100-199");

        SlotPlan plan = SlotPlan.explicit(
                topology, Map.of(S1, SlotSet.parse("50-149,200-249"), S0, SlotSet.parse("0-9,150-160")));

        assertEquals(
                "plan for version " + topology.version() + ", 61 slots move\n"
                        + "move 150-160 from s1 to s0\n"
                        + "move 50-99 from s0 to s1\n"
                        + "assign 200-249 to s1",
                plan.toString());
        assertEquals(List.of("0-49,150-160,300", "50-149,161-249"), sets(plan.applyTo(topology)));
    }

    @Test
    void explicitSlotsAreGivenToOneKnownShard() {
        ClusterTopology topology = topology("", "");

        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> SlotPlan.explicit(topology, Map.of(S0, SlotSet.of(4, 5), S1, SlotSet.of(5))));

        assertEquals("slot must be given to one shard: 5 is given to s0 and s1", e.getMessage());
        assertUnknown(() -> SlotPlan.explicit(topology, Map.of(S2, SlotSet.of(5))));
    }

    @Test
    void planIsForOneVersion() {
        ClusterTopology topology = topology("", "");
        SlotPlan plan = SlotPlan.evenSplit(topology, List.of(S0));
        ClusterTopology later = topology.apply(topology.version(), new AssignSlots(SlotSet.of(0), S1));

        TopologyConflictException e = assertThrows(TopologyConflictException.class, () -> plan.applyTo(later));

        assertEquals(Kind.STALE_VERSION, e.kind());
    }

    @Test
    void rebalanceOfABalancedTopologyMovesNothing() {
        ClusterTopology topology = topology("0-5460", "5461-10922", "10923-16383");

        assertEquals(List.of(), SlotPlan.rebalance(topology, Map.of(), 0.001).steps());
        assertEquals(List.of(), SlotPlan.rebalance(topology, Map.of(), 0).steps());
    }

    @Test
    void rebalanceFillsANewShardFromAll() {
        ClusterTopology topology = topology("0-5460", "5461-10922", "10923-16383", "");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(), 0.02);

        assertEquals(4_096, plan.movedSlots());
        assertEquals(
                List.of("1365-5460", "6827-10922", "12288-16383", "0-1364,5461-6826,10923-12287"),
                sets(plan.applyTo(topology)));
    }

    @Test
    void rebalanceHandsOutWhatNobodyOwns() {
        ClusterTopology topology = topology("0-9999", "10000-10099");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(), 10);

        assertEquals(1_808, plan.movedSlots());
        assertEquals(List.of("1808-9999", "0-1807,10000-16383"), sets(plan.applyTo(topology)));
    }

    @Test
    void rebalanceFollowsTheWeights() {
        ClusterTopology topology = topology("0-5460", "5461-10922", "10923-16383");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(S0, 3, S2, 0), 0);

        assertEquals(5_461 + 1_366, plan.movedSlots());
        assertEquals(
                List.of(12_288, 4_096, 0),
                plan.applyTo(topology).shards().stream()
                        .map(shard -> shard.slots().size())
                        .toList());
    }

    @Test
    void rebalanceRoundsTheLargestFractionsUp() {
        ClusterTopology topology = topology("", "", "");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(S2, 5), 0);

        assertEquals(List.of(2_341, 2_340, 11_703), sizes(plan.applyTo(topology)));
    }

    @Test
    void smallWeightMayHaveTheLargestFraction() {
        ClusterTopology topology = topology("", "", "");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(S1, 2, S2, 3), 0);

        assertEquals(List.of(2_731, 5_461, 8_192), sizes(plan.applyTo(topology)));
    }

    @Test
    void shareWithoutAFractionIsNotRoundedUp() {
        ClusterTopology topology = topology("0-16383", "", "");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(S0, 3, S1, 2), 0);

        assertEquals(List.of(8_192, 5_461, 2_731), sizes(plan.applyTo(topology)));
    }

    @Test
    void shardAtTheThresholdIsBalanced() {
        ClusterTopology topology = topology("0-8255", "8256-16383"); // 64 more and 64 fewer than 8,192

        assertEquals(0, SlotPlan.rebalance(topology, Map.of(), 64 / 8_192.0).movedSlots());
        assertEquals(64, SlotPlan.rebalance(topology, Map.of(), 63 / 8_192.0).movedSlots());
    }

    @Test
    void thresholdIsAPartOfTheShardsOwnShare() {
        ClusterTopology topology = topology("0-4136", "4137-16383"); // 41 more, and 41 fewer, than 4,096 and 12,288
        Map<ShardId, Integer> weights = Map.of(S1, 3);

        assertEquals(41, SlotPlan.rebalance(topology, weights, 40.5 / 4_096).movedSlots());
        assertEquals(0, SlotPlan.rebalance(topology, weights, 41.5 / 4_096).movedSlots());
        assertEquals(
                0,
                SlotPlan.rebalance(topology, Map.of(S0, 2, S1, 6), 41.5 / 4_096).movedSlots());
    }

    @Test
    void planOfOtherStepsIsPrintedToo() {
        SlotPlan plan = new SlotPlan(3, List.of(new TopologyChange.RemoveShard(S0)));

        assertEquals("plan for version 3, 0 slots move\nRemoveShard[shard=s0]", plan.toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {8_193, 8_273, 8_274, 8_275, 9_000})
    void rebalanceActsOnlyBeyondTheThreshold(int owned) {
        ClusterTopology topology = topology("0-" + (owned - 1), owned + "-16383");

        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(), 0.01);

        assertEquals(owned - 8_192 > 81 ? owned - 8_192 : 0, plan.movedSlots());
    }

    @Test
    void rebalanceRefusesBadWeights() {
        ClusterTopology topology = topology("0-8191", "8192-16383");

        assertMessage(
                "weight of s0 must be between 0 and 1000000: -1",
                () -> SlotPlan.rebalance(topology, Map.of(S0, -1), 0));
        assertMessage(
                "weight of s1 must be between 0 and 1000000: 1000001",
                () -> SlotPlan.rebalance(topology, Map.of(S1, 1_000_001), 0));
        assertMessage(
                "weight of at least one shard must be above 0",
                () -> SlotPlan.rebalance(topology, Map.of(S0, 0, S1, 0), 0));
        assertMessage("threshold must be at least 0: -0.1", () -> SlotPlan.rebalance(topology, Map.of(), -0.1));
        assertMessage("threshold must be at least 0: NaN", () -> SlotPlan.rebalance(topology, Map.of(), Double.NaN));
        assertUnknown(() -> SlotPlan.rebalance(topology, Map.of(S2, 1), 0));
        assertEquals(
                8_192,
                SlotPlan.rebalance(topology, Map.of(S0, 0, S1, 1_000_000), 0).movedSlots());
    }

    /** Tries every way to round the shares and compares the number of moves with the best of them. */
    @Test
    void rebalanceNeedsTheFewestMoves() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 150; round++) {
            ClusterTopology topology = randomTopology(random);
            Map<ShardId, Integer> weights = new LinkedHashMap<>();
            topology.shards().forEach(shard -> weights.put(shard.id(), random.nextInt(4)));
            weights.put(S0, 1 + random.nextInt(3));
            String trace = "seed=" + SEED + " round=" + round;

            SlotPlan plan = SlotPlan.rebalance(topology, weights, 0);

            int total = weights.values().stream().mapToInt(weight -> weight).sum();
            ClusterTopology after = plan.applyTo(topology);
            assertEquals(SlotSet.EMPTY, after.uncovered(), trace);
            for (Shard shard : after.shards()) {
                double exact = (double) HashSlot.COUNT * weights.getOrDefault(shard.id(), 1) / total;
                assertTrue(Math.abs(shard.slots().size() - exact) < 1, trace);
            }
            assertEquals(fewestMoves(topology.shards(), weights, total, 0, HashSlot.COUNT), plan.movedSlots(), trace);
        }
    }

    private static int fewestMoves(List<Shard> shards, Map<ShardId, Integer> weights, int total, int index, int slots) {
        if (index == shards.size()) {
            return slots == 0 ? 0 : Integer.MAX_VALUE / 2;
        }
        Shard shard = shards.get(index);
        int product = HashSlot.COUNT * weights.getOrDefault(shard.id(), 1);
        int fewest = Integer.MAX_VALUE / 2;
        for (int share = product / total; share * total < product + total; share++) {
            int moved = Math.max(shard.slots().size() - share, 0);
            fewest = Math.min(fewest, moved + fewestMoves(shards, weights, total, index + 1, slots - share));
        }
        return fewest;
    }

    @Test
    void drainRaisesTheLowestFirst() {
        ClusterTopology topology = topology("0-99", "100-109", "200-229", "300-301");

        SlotPlan plan = SlotPlan.drain(topology, List.of(S0));

        assertEquals(100, plan.movedSlots());
        assertEquals(List.of(0, 47, 47, 48), sizes(plan.applyTo(topology)));
    }

    @Test
    void drainLeavesHigherShardsAlone() {
        ClusterTopology topology = topology("0-9", "100-149", "200-229", "300-304");

        ClusterTopology after = SlotPlan.drain(topology, List.of(S0)).applyTo(topology);

        assertEquals(List.of("", "100-149", "200-229", "0-9,300-304"), sets(after));
    }

    @Test
    void severalShardsAreDrainedAtOnce() {
        ClusterTopology topology = topology("0-9", "100-149", "200-229", "300-304");

        ClusterTopology after = SlotPlan.drain(topology, List.of(S1, S0, S1)).applyTo(topology);

        assertEquals(List.of(0, 0, 47, 48), sizes(after));
    }

    @Test
    void drainNeedsAShardThatTakes() {
        ClusterTopology topology = topology("0-9", "");

        assertMessage(
                "there must be another shard to take the slots of [s0, s1]",
                () -> SlotPlan.drain(topology, List.of(S0, S1)));
        assertUnknown(() -> SlotPlan.drain(topology, List.of(S2)));
        assertEquals(
                List.of(), SlotPlan.drain(topology("", ""), List.of(S0, S1)).steps());
        assertEquals(List.of(), SlotPlan.drain(topology, List.of(S1)).steps());
    }

    @Test
    void drainEvensOutAsFarAsItsSlotsGo() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 100; round++) {
            ClusterTopology topology = randomTopology(random);
            int freed = topology.shards().get(0).slots().size();
            String trace = "seed=" + SEED + " round=" + round;
            if (topology.shards().size() == 1) {
                continue;
            }

            SlotPlan plan = SlotPlan.drain(topology, List.of(S0));

            ClusterTopology after = plan.applyTo(topology);
            assertEquals(freed, plan.movedSlots(), trace);
            int[] expected = topology.shards().stream()
                    .skip(1)
                    .mapToInt(shard -> shard.slots().size())
                    .toArray();
            for (int i = 0; i < freed; i++) {
                int lowest = 0;
                for (int j = 1; j < expected.length; j++) {
                    lowest = expected[j] < expected[lowest] ? j : lowest;
                }
                expected[lowest]++;
            }
            List<Integer> sizes = sizes(after);
            assertEquals(0, sizes.get(0), trace);
            assertEquals(
                    Arrays.stream(expected).sorted().boxed().toList(),
                    sizes.stream().skip(1).sorted().toList(),
                    trace);
        }
    }

    @Test
    void moveTakesFromEachInProportion() {
        ClusterTopology topology = topology("0-99", "100-129", "200-209", "300");

        SlotPlan plan = SlotPlan.move(topology, 71, S3, List.of(S2, S0, S1));

        assertEquals(71, plan.movedSlots());
        assertEquals(List.of(100 - 51, 30 - 15, 10 - 5, 1 + 71), sizes(plan.applyTo(topology)));
        assertEquals("51-99", sets(plan.applyTo(topology)).get(0));
    }

    @Test
    void moveTakesNothingFromAShardWithoutSlots() {
        ClusterTopology topology = topology("", "0-9", "20-24", "");

        SlotPlan plan = SlotPlan.move(topology, 7, S3, List.of(S0, S1, S2));

        assertEquals(List.of(0, 5, 3, 7), sizes(plan.applyTo(topology)));
    }

    @Test
    void moveTakesAtMostWhatIsThere() {
        ClusterTopology topology = topology("0-9", "", "20");

        assertEquals(
                List.of(0, 10, 1),
                sizes(SlotPlan.move(topology, 10, S1, List.of(S0)).applyTo(topology)));
        assertEquals(
                List.of(0, 11, 0),
                sizes(SlotPlan.move(topology, 11, S1, List.of(S0, S2)).applyTo(topology)));
        assertEquals(List.of(), SlotPlan.move(topology, 0, S1, List.of()).steps());
        assertMessage("count must be between 0 and 10: 11", () -> SlotPlan.move(topology, 11, S1, List.of(S0)));
        assertMessage("count must be between 0 and 10: -1", () -> SlotPlan.move(topology, -1, S1, List.of(S0)));
        assertMessage("slots must move to another shard: s0", () -> SlotPlan.move(topology, 1, S0, List.of(S0)));
        assertUnknown(() -> SlotPlan.move(topology, 1, S3, List.of(S0)));
        assertUnknown(() -> SlotPlan.move(topology, 1, S0, List.of(S3)));
    }

    @Test
    void planIsCarriedOutStepByStep() {
        ClusterTopology topology = topology("0-5460", "5461-10922", "10923-16383", "");
        SlotPlan plan = SlotPlan.rebalance(topology, Map.of(), 0);

        ClusterTopology current = topology;
        for (TopologyChange step : plan.steps()) {
            assertTrue(step instanceof MoveSlots, step.toString());
            current = current.apply(current.version(), step);
        }

        assertEquals(plan.applyTo(topology), current);
    }

    private static void assertUnknown(Executable action) {
        assertEquals(
                Kind.UNKNOWN_SHARD,
                assertThrows(TopologyConflictException.class, action).kind());
    }

    private static void assertMessage(String message, Executable action) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, action).getMessage());
    }

    private static List<String> sets(ClusterTopology topology) {
        return topology.shards().stream().map(shard -> shard.slots().toString()).toList();
    }

    private static List<Integer> sizes(ClusterTopology topology) {
        return topology.shards().stream().map(shard -> shard.slots().size()).toList();
    }

    private static ShardId shard(int i) {
        return new ShardId("s" + i);
    }

    private static ClusterTopology topology(String... sets) {
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = 0; i < sets.length; i++) {
            changes.add(new AddShard(shard(i), 1, new NodeId("n" + i), List.of()));
        }
        for (int i = 0; i < sets.length; i++) {
            if (!sets[i].isEmpty()) {
                changes.add(new AssignSlots(SlotSet.parse(sets[i]), shard(i)));
            }
        }
        return ClusterTopology.EMPTY.apply(0, changes);
    }

    /** One to five shards with neighbouring slots of random sizes, and some slots without an owner. */
    private static ClusterTopology randomTopology(SplittableRandom random) {
        int shards = 1 + random.nextInt(5);
        String[] sets = new String[shards];
        int first = random.nextInt(100);
        for (int i = 0; i < shards; i++) {
            int size = random.nextInt(random.nextBoolean() ? 3_000 : 30);
            sets[i] = size == 0 ? "" : first + "-" + (first + size - 1);
            first += size + random.nextInt(20);
        }
        return topology(sets);
    }
}
