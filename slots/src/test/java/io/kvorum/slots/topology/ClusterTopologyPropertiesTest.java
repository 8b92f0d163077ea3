package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.FinishMove;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.SetAddress;
import io.kvorum.slots.topology.TopologyChange.SetMembers;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every history of topologies keeps, on random ones: several sides start from the same topology, change it on
 * their own, and now and then merge what another has. {@code -Dslots.seed=N} sets the seed, {@code -Dslots.histories=N}
 * how many.
 */
@Tag("long")
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

    /** All orders of a few topologies, each with some of them twice and in random groups. */
    @Test
    void removedAndAddedAgainAllOrdersEndTheSame() {
        for (int round = 0; round < HISTORIES; round++) {
            String trace = trace(round);
            List<ClusterTopology> published = historyOfOneShard();
            ClusterTopology expected = merge(published);

            for (List<ClusterTopology> order : orders(published)) {
                List<ClusterTopology> heard = new ArrayList<>(order);
                heard.add(random.nextInt(heard.size()), order.get(random.nextInt(order.size())));
                while (heard.size() > 1) {
                    int at = random.nextInt(heard.size() - 1);
                    heard.set(at, heard.get(at).merge(heard.remove(at + 1)));
                }
                assertEquals(expected, heard.get(0), trace);
            }
        }
    }

    @Test
    void mergeContainsTheLatestOfEachPart() {
        for (int round = 0; round < HISTORIES; round++) {
            String trace = trace(round);
            List<ClusterTopology> published = round % 2 == 0 ? history() : historyOfOneShard();
            ClusterTopology merged = merge(published);

            for (ShardEntry entry : merged.entries()) {
                List<ShardEntry> all = published.stream()
                        .flatMap(topology -> topology.entries().stream())
                        .filter(other -> other.id().equals(entry.id()))
                        .toList();
                long tenure = all.stream().mapToLong(ShardEntry::tenure).max().orElseThrow();
                List<ShardEntry.Present> latest = all.stream()
                        .filter(other -> other.tenure() == tenure && !other.isRemoved())
                        .map(ShardEntry::known)
                        .toList();

                assertEquals(tenure, entry.tenure(), trace);
                assertEquals(latest.isEmpty(), merged.shard(entry.id()) == null, trace);
                if (!latest.isEmpty()) {
                    assertEquals(
                            latest.stream()
                                    .mapToLong(ShardEntry.Present::epoch)
                                    .max()
                                    .orElseThrow(),
                            entry.known().epoch(),
                            trace);
                    assertEquals(
                            latest.stream()
                                    .map(ShardEntry.Present::membersAt)
                                    .max(Comparator.naturalOrder())
                                    .orElseThrow(),
                            entry.known().membersAt(),
                            trace);
                }
            }
        }
    }

    /** Facts, such as promotions and member lists, are learned by several sides, of which each misses some. */
    @Test
    void versionTellsApartWhatSidesKnowOfTheSameFacts() {
        ShardId shard = new ShardId("s");
        List<NodeId> nodes = List.of(new NodeId("a"), new NodeId("b"), new NodeId("c"), new NodeId("d"));
        ClusterTopology start =
                ClusterTopology.EMPTY.apply(0, new AddShard(shard, 1, nodes.get(0), nodes.subList(1, 4)));
        for (int round = 0; round < HISTORIES; round++) {
            List<ClusterTopology> sides = new ArrayList<>(Collections.nCopies(SIDES, start));
            for (int fact = 1; fact <= 10; fact++) {
                TopologyChange change = random.nextBoolean()
                        ? new Promote(shard, Epoch.of(fact, 1), nodes.get(0))
                        : new SetMembers(
                                shard, new LogPosition(Epoch.of(fact, 1), 100L * fact), nodes.subList(0, 1 + fact % 4));
                for (int side = 0; side < SIDES; side++) {
                    if (random.nextBoolean()) {
                        ClusterTopology known = sides.get(side);
                        sides.set(side, known.apply(known.version(), change));
                    }
                }
            }
            ClusterTopology merged = merge(sides);
            for (ClusterTopology side : sides) {
                assertEquals(side.equals(merged), side.version() == merged.version(), trace(round));
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

            ClusterTopology reached = first.apply(first.version(), changes);
            assertEquals(shardsOf(later), shardsOf(reached), () -> "seed=" + SEED + changes);
            for (int slot = 0; slot < HashSlot.COUNT; slot++) {
                int current = slot;
                assertEquals(later.sourceOf(slot), reached.sourceOf(slot), () -> "slot=" + current + changes);
                assertTrue(later.isMoving(slot) || !reached.isMoving(slot), () -> "slot=" + current + changes);
            }
            assertEquals(
                    List.of(),
                    reached.changesTo(later).stream()
                            .filter(change -> change instanceof SetAddress)
                            .toList(),
                    trace(round));
            assertEquals(List.of(), later.changesTo(later), trace(round));
        }
    }

    /**
     * What three sides publish that promote, remove and add one shard, in whatever epoch, and rarely hear each other.
     */
    private List<ClusterTopology> historyOfOneShard() {
        ShardId shard = new ShardId("s");
        SlotSet slots = SlotSet.ofRange(0, 9);
        List<ClusterTopology> sides = new ArrayList<>(Collections.nCopies(SIDES, ClusterTopology.EMPTY));
        List<ClusterTopology> published = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            int side = random.nextInt(SIDES);
            ClusterTopology topology = sides.get(side);
            if (random.nextInt(4) == 0) {
                topology = topology.merge(sides.get(random.nextInt(SIDES)));
            }
            Shard known = topology.shard(shard);
            NodeId node = new NodeId("n" + random.nextInt(3));
            List<TopologyChange> changes = new ArrayList<>();
            if (known == null) {
                changes.add(new AddShard(shard, random.nextInt(4), node, List.of()));
            } else {
                switch (random.nextInt(5)) {
                    case 0 -> changes.add(new Promote(shard, known.epoch() + 1 + random.nextInt(9), known.primary()));
                    case 1 -> changes.add(new SetMembers(shard, laterThan(known.membersAt()), List.of(node)));
                    case 2 -> {
                        if (known.slots().isEmpty()) {
                            changes.add(new AssignSlots(slots, shard));
                        }
                    }
                    default -> {
                        if (!known.slots().isEmpty()) {
                            changes.add(new UnassignSlots(known.slots(), shard));
                        }
                        changes.add(new RemoveShard(shard));
                    }
                }
            }
            sides.set(side, topology.apply(topology.version(), changes));
            published.add(sides.get(side));
        }
        Collections.shuffle(published, random);
        return published.subList(0, 5);
    }

    /** The shards, but for how often each was added. */
    private static List<Shard> shardsOf(ClusterTopology topology) {
        return topology.shards().stream()
                .map(shard -> new Shard(
                        shard.id(),
                        1,
                        shard.epoch(),
                        shard.primary(),
                        shard.replicas(),
                        shard.membersAt(),
                        shard.slots()))
                .toList();
    }

    private static <T> List<List<T>> orders(List<T> elements) {
        if (elements.isEmpty()) {
            return List.of(List.of());
        }
        List<List<T>> orders = new ArrayList<>();
        for (List<T> rest : orders(elements.subList(1, elements.size()))) {
            for (int at = 0; at <= rest.size(); at++) {
                List<T> order = new ArrayList<>(rest);
                order.add(at, elements.get(0));
                orders.add(order);
            }
        }
        return orders;
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
        return switch (random.nextInt(9)) {
            case 0 -> new RemoveShard(shard);
            case 1 -> new AssignSlots(slots, shard);
            case 2 -> new UnassignSlots(owned, shard);
            case 3 -> shard.equals(other) ? new RemoveShard(shard) : new MoveSlots(owned, shard, other);
            case 4, 5 ->
                new Promote(
                        shard,
                        known.epoch() + 1,
                        known.nodes().get(random.nextInt(known.nodes().size())));
            case 6 -> {
                SlotSet moving = owned.minus(topology.moving().complement());
                yield new FinishMove(moving.isEmpty() ? slots : moving, shard);
            }
            case 7 -> new SetMembers(shard, laterThan(known.membersAt()), randomNodes(known, node));
            default -> {
                NodeId some = known.nodes().get(random.nextInt(known.nodes().size()));
                yield new SetAddress(
                        some, random.nextInt(4) == 0 ? null : new NodeAddress(side, 1 + random.nextInt(9)));
            }
        };
    }

    private LogPosition laterThan(LogPosition position) {
        return random.nextBoolean()
                ? new LogPosition(position.epoch(), position.offset() + 1 + random.nextInt(100))
                : new LogPosition(position.epoch() + 1, random.nextInt(100));
    }

    private List<NodeId> randomNodes(Shard shard, NodeId more) {
        List<NodeId> nodes = new ArrayList<>(shard.nodes());
        nodes.removeIf(node -> random.nextInt(4) == 0);
        nodes.add(more);
        return nodes;
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
