package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddReplica;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveReplica;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * What every history of topologies keeps, on random ones: several sides start from the same topology, change it on
 * their own, and now and then merge what another has. {@code -Dslots.seed=N} sets the seed, {@code -Dslots.histories=N}
 * how many.
 */
final class ClusterTopologyPropertiesTest {
    private static final long SEED = Long.getLong("slots.seed", 20_261_122);
    private static final int HISTORIES = Integer.getInteger("slots.histories", 20);
    private static final int SIDES = 3;

    private final Random random = new Random(SEED);

    @Test
    void mergeDoesNotDependOnOrderGroupingOrRepetition() {
        for (int round = 0; round < HISTORIES; round++) {
            String trace = trace(round);
            List<ClusterTopology> published = history();
            ClusterTopology expected = merge(published);

            for (int i = 0; i < 3; i++) {
                List<ClusterTopology> shuffled = new ArrayList<>(published);
                shuffled.addAll(published.subList(0, published.size() / 2));
                Collections.shuffle(shuffled, random);
                int cut = random.nextInt(shuffled.size());
                ClusterTopology left = merge(shuffled.subList(0, cut));
                ClusterTopology right = merge(shuffled.subList(cut, shuffled.size()));

                assertEquals(expected, merge(shuffled), trace);
                assertEquals(expected, left.merge(right), trace);
                assertEquals(expected, right.merge(left), trace);
            }
            for (ClusterTopology topology : published) {
                assertTrue(expected.version() >= topology.version(), trace);
                assertSame(expected, expected.merge(topology), trace);
            }
        }
    }

    @Test
    void everyTopologyKeepsItsInvariants() {
        for (int round = 0; round < HISTORIES; round++) {
            String trace = trace(round);
            for (ClusterTopology topology : history()) {
                SlotSet seen = SlotSet.EMPTY;
                for (Shard shard : topology.shards()) {
                    assertEquals(SlotSet.EMPTY, seen.intersect(shard.slots()), trace);
                    seen = seen.union(shard.slots());
                    shard.slots().forEach(slot -> {
                        assertSame(shard, topology.shardOf(slot), trace);
                        assertSame(shard.primary(), topology.primaryOf(slot), trace);
                    });
                }
                assertEquals(seen.complement(), topology.uncovered(), trace);
            }
        }
    }

    @Test
    void textIsReadBackAsTheSameTopology() {
        for (int round = 0; round < HISTORIES; round++) {
            for (ClusterTopology topology : history()) {
                ClusterTopology read = ClusterTopology.parse(topology.toText());

                assertEquals(topology, read, trace(round));
                assertEquals(topology.hashCode(), read.hashCode(), trace(round));
                assertEquals(topology.toText(), read.toText(), trace(round));
            }
        }
    }

    @Test
    void changesToALaterTopologyLeadThere() {
        for (int round = 0; round < HISTORIES; round++) {
            ClusterTopology topology = ClusterTopology.EMPTY;
            List<ClusterTopology> line = new ArrayList<>(List.of(topology));
            for (int i = 0; i < 40; i++) {
                topology = changed(topology, "x");
                line.add(topology);
            }
            ClusterTopology first = line.get(random.nextInt(line.size()));
            ClusterTopology later = line.get(line.indexOf(first) + random.nextInt(line.size() - line.indexOf(first)));

            List<TopologyChange> changes = first.changesTo(later);

            assertEquals(
                    later.shards(), first.apply(first.version(), changes).shards(), () -> "seed=" + SEED + changes);
            assertEquals(List.of(), later.changesTo(later), trace(round));
        }
    }

    /** Every topology that any of three sides ever had. */
    private List<ClusterTopology> history() {
        ClusterTopology start = ClusterTopology.EMPTY;
        for (int i = 0; i < 8; i++) {
            start = changed(start, "start");
        }
        List<ClusterTopology> sides = new ArrayList<>(Collections.nCopies(SIDES, start));
        List<ClusterTopology> published = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            int side = random.nextInt(SIDES);
            ClusterTopology topology = sides.get(side);
            sides.set(
                    side,
                    random.nextInt(5) == 0
                            ? topology.merge(sides.get(random.nextInt(SIDES)))
                            : changed(topology, "side" + side));
            published.add(sides.get(side));
        }
        return published;
    }

    /** Tries random changes until one is possible. */
    private ClusterTopology changed(ClusterTopology topology, String side) {
        while (true) {
            try {
                ClusterTopology next = topology.apply(topology.version(), randomChange(topology, side));
                assertTrue(next.version() > topology.version());
                return next;
            } catch (TopologyConflictException e) {
                assertEquals(topology.version(), e.version()); // refused: another one
            }
        }
    }

    private TopologyChange randomChange(ClusterTopology topology, String side) {
        ShardId shard = new ShardId("s" + random.nextInt(5));
        Shard known = topology.shard(shard);
        ShardId other = new ShardId("s" + random.nextInt(5));
        SlotSet slots = randomSlots(random);
        NodeId node = new NodeId(shard + "-" + side + "-" + random.nextInt(10_000));
        if (known == null) {
            return random.nextBoolean()
                    ? new AddShard(shard, random.nextInt(20), node, List.of())
                    : new AssignSlots(slots, shard);
        }
        SlotSet owned = known.slots().isEmpty() ? slots : known.slots();
        return switch (random.nextInt(8)) {
            case 0 -> new RemoveShard(shard);
            case 1 -> new AssignSlots(slots, shard);
            case 2 -> new UnassignSlots(owned, shard);
            case 3 -> shard.equals(other) ? new RemoveShard(shard) : new MoveSlots(owned, shard, other);
            case 4, 5 ->
                new Promote(
                        shard,
                        known.epoch() + 1,
                        known.nodes().get(random.nextInt(known.nodes().size())));
            case 6 -> new AddReplica(shard, node);
            default ->
                new RemoveReplica(
                        shard, known.nodes().get(random.nextInt(known.nodes().size())));
        };
    }

    private static SlotSet randomSlots(RandomGenerator random) {
        int first = random.nextInt(HashSlot.COUNT);
        return SlotSet.ofRange(first, Math.min(first + random.nextInt(3_000), HashSlot.COUNT - 1));
    }

    private static ClusterTopology merge(List<ClusterTopology> topologies) {
        ClusterTopology merged = ClusterTopology.EMPTY;
        for (ClusterTopology topology : topologies) {
            merged = merged.merge(topology);
        }
        return merged;
    }

    private static String trace(int round) {
        return "seed=" + SEED + " round=" + round;
    }
}
