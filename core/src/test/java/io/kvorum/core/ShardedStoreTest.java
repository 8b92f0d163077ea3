package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.SetOptions.Condition;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ShardedStoreTest {
    private static final ShardId LEFT = new ShardId("left");
    private static final ShardId RIGHT = new ShardId("right");
    private static final NodeId ALICE = new NodeId("alice");
    private static final NodeId ANN = new NodeId("ann");
    private static final NodeId BOB = new NodeId("bob");
    private static final byte[] FOO = bytes("foo"); // slot 12182, right
    private static final byte[] BAR = bytes("bar"); // slot 5061, left

    private final Map<NodeId, KeyValueStore> nodes = new HashMap<>();
    private final List<NodeId> refusers = new ArrayList<>();
    private final Map<NodeId, RefusedException> refusals = new HashMap<>();
    private ClusterTopology topology = applied(
            ClusterTopology.EMPTY,
            new TopologyChange.AddShard(LEFT, 1, ALICE, List.of(ANN)),
            new TopologyChange.AddShard(RIGHT, 1, BOB, List.of()),
            new TopologyChange.AssignSlots(SlotSet.ofRange(0, 8191), LEFT),
            new TopologyChange.AssignSlots(SlotSet.ofRange(8192, 16000), RIGHT));
    private final ShardedStore store = new ShardedStore(() -> topology, nodes::get);

    ShardedStoreTest() {
        for (NodeId node : List.of(ALICE, ANN, BOB)) {
            nodes.put(
                    node,
                    new LocalStore(StoreSettings.defaults(), 7, () -> Instant.ofEpochMilli(1_000), (slot, change) -> {
                        RefusedException refusal = refusals.get(node);
                        if (refusal != null) {
                            refusers.add(node);
                            throw refusal;
                        }
                    }));
        }
    }

    @Test
    void eachKeyIsAtThePrimaryOfItsSlot() {
        store.set(FOO, bytes("1"));
        store.set(BAR, bytes("2"));

        assertEquals("1", text(at(BOB).get(FOO)));
        assertEquals("2", text(at(ALICE).get(BAR)));
        assertEquals("1", text(store.get(FOO)));
        assertEquals("2", text(store.get(BAR)));
        assertEquals(0, at(ANN).size());
        assertEquals(2, store.size());
    }

    @Test
    void everyOperationIsPassedOn() {
        assertTrue(store.set(FOO, bytes("1"), SetOptions.defaults().withCondition(Condition.IF_ABSENT)));
        assertFalse(store.set(FOO, bytes("1"), SetOptions.defaults().withCondition(Condition.IF_ABSENT)));
        assertTrue(store.exists(FOO));
        assertTrue(store.expireAt(FOO, 5_000));
        assertEquals(OptionalLong.of(5_000), store.deadlineOf(FOO));
        assertTrue(store.persist(FOO));
        store.setAll(List.of(new Entry(bytes("{foo}2"), bytes("2")), new Entry(bytes("{foo}3"), bytes("3"))));
        assertEquals(
                Arrays.asList("1", "2", null),
                store.getAll(List.of(FOO, bytes("{foo}2"), bytes("{foo}4"))).stream()
                        .map(Bytes::text)
                        .toList());
        assertEquals(3, store.countInSlot(12182));
        List<Entry> entries = new ArrayList<>();
        store.forEachInSlot(12182, entries::add);
        assertEquals(3, entries.size());
        assertTrue(store.delete(FOO));
        assertEquals(2, store.dropSlot(12182));
        assertNull(store.get(FOO));
        assertEquals(0, store.size());
    }

    @Test
    void aStoreOfAnotherKindIsUsedByItsPublicMethods() {
        nodes.put(BOB, new PlainStore(at(BOB)));
        everyOperationIsPassedOn();
    }

    @Test
    void keysOfDifferentSlotsAreRefusedBeforeAnythingChanges() {
        RefusedException refusal = assertThrows(
                RefusedException.class,
                () -> store.setAll(List.of(new Entry(FOO, bytes("1")), new Entry(BAR, bytes("1")))));

        assertEquals(Kind.CROSS_SLOT, refusal.kind());
        assertThrows(RefusedException.class, () -> store.getAll(List.of(FOO, BAR)));
        assertEquals(0, at(ALICE).size() + at(BOB).size());
    }

    @Test
    void aSlotOfNobodyIsRefused() {
        byte[] key = bytes("6ZJ"); // slot 16383
        RefusedException refusal = assertThrows(RefusedException.class, () -> store.set(key, key));

        assertEquals(Kind.CLUSTER_DOWN, refusal.kind());
        assertEquals(16383, refusal.slot());
        assertNull(refusal.shard());
        assertThrows(RefusedException.class, () -> store.get(key));
        assertThrows(RefusedException.class, () -> store.countInSlot(16383));
    }

    @Test
    void aSlotWhoseDataHasNotFollowedItIsRefused() {
        store.set(FOO, FOO);
        SlotSet slot = SlotSet.of(12182);
        topology = applied(topology, new TopologyChange.MoveSlots(slot, RIGHT, LEFT));
        RefusedException refusal = assertThrows(RefusedException.class, () -> store.get(FOO));

        assertEquals(Kind.MOVING, refusal.kind());
        assertEquals(12182, refusal.slot());
        assertEquals(LEFT, refusal.shard());
        assertThrows(RefusedException.class, () -> store.set(FOO, BAR));
        assertThrows(RefusedException.class, () -> store.countInSlot(12182));
        assertThrows(RefusedException.class, store::size);

        at(ALICE).set(FOO, FOO);
        topology = applied(topology, new TopologyChange.FinishMove(slot, LEFT));
        assertEquals("foo", text(store.get(FOO)));
    }

    /** The slots before them have the same owner. */
    @Test
    void aScanStopsAtSlotsWhoseDataHasNotFollowedThem() {
        SlotSet slots = SlotSet.ofRange(8192, 8200);
        byte[] key = oneKeyForEach(List.of(8195)).get(0);
        store.set(BAR, BAR);
        store.set(key, key);
        topology = applied(topology, new TopologyChange.MoveSlots(slots, RIGHT, LEFT));
        ScanPage page = store.scan(ScanCursor.START, ScanOptions.defaults());
        assertEquals(List.of("bar"), page.keys().stream().map(Bytes::text).toList());
        assertEquals(8192, page.next().slot());
        RefusedException refusal =
                assertThrows(RefusedException.class, () -> store.scan(page.next(), ScanOptions.defaults()));
        assertEquals(Kind.MOVING, refusal.kind());
        assertEquals(8192, refusal.slot());

        at(ALICE).set(key, key);
        at(BOB).delete(key);
        topology = applied(topology, new TopologyChange.FinishMove(slots, LEFT));
        ScanPage arrived = store.scan(page.next(), ScanOptions.defaults());
        assertEquals(
                List.of(text(key)), arrived.keys().stream().map(Bytes::text).toList());
    }

    @Test
    void nothingIsClearedWhileASlotIsOnItsWay() {
        SlotSet slots = SlotSet.ofRange(8192, 8200);
        byte[] key = oneKeyForEach(List.of(8195)).get(0);
        store.set(BAR, BAR);
        store.set(key, key);
        topology = applied(topology, new TopologyChange.MoveSlots(slots, RIGHT, LEFT));
        RefusedException refusal = assertThrows(RefusedException.class, store::clear);
        assertEquals(Kind.MOVING, refusal.kind());
        assertEquals(8192, refusal.slot());
        assertThrows(RefusedException.class, () -> store.clear(SlotSet.ofRange(5000, 8192)));
        assertEquals(2, at(ALICE).size() + at(BOB).size());

        assertEquals(1, store.clear(SlotSet.ofRange(5000, 8191)));
    }

    @Test
    void clearingThatStopsAtAShardNamesWhatIsLeft() {
        byte[] other = bytes("{foo}2");
        store.set(BAR, BAR);
        store.set(FOO, FOO);
        store.set(other, other);
        KeyValueStore right = nodes.remove(BOB);

        PartlyClearedException partly = assertThrows(PartlyClearedException.class, store::clear);
        assertEquals(1, partly.deleted());
        assertEquals(SlotSet.ofRange(0, 8191), partly.cleared());
        assertEquals(SlotSet.ofRange(8192, HashSlot.COUNT - 1), partly.remaining());
        assertEquals(
                Kind.CLUSTER_DOWN,
                assertInstanceOf(RefusedException.class, partly.getCause()).kind());

        nodes.put(BOB, right);
        assertEquals(2, store.clear(partly.remaining()));
        assertEquals(0, store.size());
    }

    @Test
    void theSlotsOfAShardThatIsClearedInPartCount() {
        List<byte[]> keys = oneKeyForEach(List.of(5000, 9000, 10_000, 11_000));
        List<Integer> changed = new ArrayList<>();
        nodes.put(
                BOB, new LocalStore(StoreSettings.defaults(), 7, () -> Instant.ofEpochMilli(1_000), (slot, change) -> {
                    changed.add(slot);
                    if (changed.size() == 5) { // of three sets and two deletions
                        throw refusal(Kind.OVERLOADED, null);
                    }
                }));
        keys.forEach(key -> store.set(key, key));

        PartlyClearedException partly = assertThrows(PartlyClearedException.class, store::clear);
        assertEquals(2, partly.deleted());
        assertEquals(SlotSet.ofRange(0, 9999), partly.cleared());
        assertEquals(10_000, partly.remaining().next(0));
        assertEquals(2, store.clear(partly.remaining()));
        assertEquals(0, store.size());
    }

    @Test
    void aSlotWhosePrimaryCannotBeReachedIsRefused() {
        nodes.remove(BOB);
        RefusedException refusal = assertThrows(RefusedException.class, () -> store.set(FOO, FOO));

        assertEquals(Kind.CLUSTER_DOWN, refusal.kind());
        assertEquals(12182, refusal.slot());
        assertEquals(RIGHT, refusal.shard());
        assertEquals(BOB, refusal.primary());
        assertEquals(1, refusal.epoch());
        assertThrows(RefusedException.class, store::size);
        store.set(BAR, BAR);
    }

    @Test
    void saysWhatItCannotServe() {
        assertEquals(SlotSet.ofRange(16001, 16383), store.uncovered());
        nodes.remove(BOB);
        assertEquals(SlotSet.ofRange(8192, 16383), store.uncovered());
        nodes.remove(ANN);
        assertEquals(SlotSet.ofRange(8192, 16383), store.uncovered());
        nodes.remove(ALICE);
        assertEquals(SlotSet.ALL, store.uncovered());
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"MOVED", "READ_ONLY", "FENCED"})
    void oneRedirectCorrectsAStaleTopology(Kind kind) {
        refusals.put(ALICE, refusal(kind, ANN));
        store.set(BAR, bytes("1"));

        assertEquals("1", text(at(ANN).get(BAR)));
        assertEquals(List.of(ALICE), refusers);
    }

    @Test
    void aRefusalThatNamesNobodyIsFollowedByTheTopologyOfThatMoment() {
        List<NodeId> asked = new ArrayList<>();
        ShardedStore learning = new ShardedStore(() -> topology, node -> {
            asked.add(node);
            topology = applied(topology, new TopologyChange.Promote(LEFT, topology.version() + 1, ANN));
            return nodes.get(node);
        });
        refusals.put(ALICE, refusal(Kind.FENCED, null));
        learning.set(BAR, bytes("1"));

        assertEquals(List.of(ALICE, ANN), asked);
        assertEquals("1", text(at(ANN).get(BAR)));
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"MOVED", "READ_ONLY", "FENCED"})
    void redirectsAreBounded(Kind kind) {
        refusals.put(ALICE, refusal(kind, ANN));
        refusals.put(ANN, refusal(kind, ALICE));
        RefusedException thrown = assertThrows(RefusedException.class, () -> store.delete(setAtBoth()));

        assertEquals(kind, thrown.kind());
        assertEquals(ShardedStore.MAX_REDIRECTS + 1, refusers.size());
    }

    private byte[] setAtBoth() {
        Map<NodeId, RefusedException> kept = Map.copyOf(refusals);
        refusals.clear();
        at(ALICE).set(BAR, BAR);
        at(ANN).set(BAR, BAR);
        refusals.putAll(kept);
        return BAR;
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"MOVED", "READ_ONLY", "FENCED"},
            mode = EnumSource.Mode.EXCLUDE)
    void otherRefusalsAreNotRedirected(Kind kind) {
        refusals.put(ALICE, refusal(kind, ANN));
        RefusedException thrown = assertThrows(RefusedException.class, () -> store.set(BAR, BAR));

        assertEquals(kind, thrown.kind());
        assertEquals(List.of(ALICE), refusers);
        assertEquals(0, at(ANN).size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1024})
    void aLocalOneServesEverySlot(int shards) {
        ShardedStore local = ShardedStore.local(shards);
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            assertEquals(0, local.countInSlot(slot));
        }
        for (int i = 0; i < 1_000; i++) {
            local.set(bytes("k" + i), bytes("v" + i));
        }

        assertEquals(1_000, local.size());
        assertEquals("v77", text(local.get(bytes("k77"))));
        assertEquals(SlotSet.EMPTY, local.uncovered());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 16_385})
    void aLocalOneHasABoundedNumberOfShards(int shards) {
        assertThrows(IllegalArgumentException.class, () -> ShardedStore.local(shards));
    }

    @Test
    void aLocalOneIsMadeOfTheStoresThatItIsGiven() {
        FixedClock clock = new FixedClock(1_000);
        List<Integer> slots = new ArrayList<>();
        List<LocalStore> stores = localStores(3, clock, (slot, change) -> slots.add(slot));
        ShardedStore local = ShardedStore.local(stores);
        List<byte[]> keys = oneKeyForEach(List.of(0, 5460, 5461, 10922, 10923, 16383));
        for (byte[] key : keys) {
            local.set(key, bytes("1"));
        }

        assertEquals(List.of(0, 5460, 5461, 10922, 10923, 16383), slots);
        for (int i = 0; i < keys.size(); i++) {
            assertTrue(stores.get(i / 2).exists(keys.get(i)));
        }
    }

    @Test
    void aLocalOneDeletesExpiredKeysOfEveryShard() {
        FixedClock clock = new FixedClock(1_000);
        List<Integer> slots = new ArrayList<>();
        ShardedStore local = ShardedStore.local(localStores(3, clock, (slot, change) -> slots.add(slot)));
        for (int i = 0; i < 300; i++) {
            local.set(bytes("k" + i), bytes("1"), SetOptions.defaults().withDeadline(2_000));
        }
        local.set(FOO, bytes("1"));
        assertEquals(0, local.expire(1_000));
        clock.set(2_001);
        slots.clear();

        assertEquals(7, local.expire(7));
        assertEquals(294, local.size());
        assertEquals(293, local.expire(1_000));
        assertEquals(1, local.size());
        assertEquals(300, slots.size());
        assertEquals(0, local.expire(1));
        assertThrows(IllegalArgumentException.class, () -> local.expire(0));
    }

    @Test
    void aSmallBudgetGoesToOneShardAfterTheOther() {
        FixedClock clock = new FixedClock(1_000);
        List<LocalStore> stores = localStores(3, clock, (slot, change) -> {});
        ShardedStore local = ShardedStore.local(stores);
        for (int i = 0; i < 300; i++) {
            local.set(bytes("k" + i), bytes("1"), SetOptions.defaults().withDeadline(2_000));
        }
        clock.set(2_001);
        List<Long> before = stores.stream().map(LocalStore::size).toList();
        for (int i = 0; i < 3; i++) {
            assertEquals(5, local.expire(5));
        }

        assertEquals(
                before.stream().map(size -> size - 5).toList(),
                stores.stream().map(LocalStore::size).toList());
    }

    @Test
    void onlyLocalPrimariesAreExpired() {
        FixedClock clock = new FixedClock(1_000);
        List<LocalStore> stores = localStores(3, clock, (slot, change) -> {});
        nodes.put(ALICE, stores.get(0));
        nodes.put(ANN, stores.get(1));
        nodes.put(BOB, new PlainStore(stores.get(2)));
        for (LocalStore each : stores) {
            each.set(BAR, BAR, SetOptions.defaults().withDeadline(1_001));
        }
        clock.set(1_002);

        assertEquals(1, store.expire(10));
        assertEquals(List.of(0L, 1L, 1L), stores.stream().map(LocalStore::size).toList());

        nodes.clear();
        assertEquals(0, store.expire(10));
    }

    @Test
    void aLocalOneIsMadeOfDifferentStores() {
        LocalStore twice = new LocalStore();

        assertThrows(IllegalArgumentException.class, () -> ShardedStore.local(List.of(twice, twice)));
        assertThrows(IllegalArgumentException.class, () -> ShardedStore.local(List.of()));
    }

    private static List<LocalStore> localStores(int count, FixedClock clock, MutationSink sink) {
        return Stream.generate(() -> new LocalStore(StoreSettings.defaults(), 7, clock, sink))
                .limit(count)
                .toList();
    }

    private static List<byte[]> oneKeyForEach(List<Integer> slots) {
        return slots.stream()
                .map(slot -> IntStream.iterate(0, i -> i + 1)
                        .mapToObj(i -> bytes("k" + i))
                        .filter(key -> HashSlot.of(key) == slot)
                        .findFirst()
                        .orElseThrow())
                .toList();
    }

    private KeyValueStore at(NodeId node) {
        KeyValueStore present = nodes.get(node);
        if (present == null) {
            throw new AssertionError(node);
        }
        return present;
    }

    private static RefusedException refusal(Kind kind, @Nullable NodeId primary) {
        return new RefusedException(kind, "refused by a test", -1, null, null, primary, 1);
    }

    private static ClusterTopology applied(ClusterTopology topology, TopologyChange... changes) {
        return topology.apply(topology.version(), List.of(changes));
    }
}
