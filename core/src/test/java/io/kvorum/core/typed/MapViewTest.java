package io.kvorum.core.typed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.testing.ConcurrentMapTestSuiteBuilder;
import com.google.common.collect.testing.TestStringMapGenerator;
import com.google.common.collect.testing.features.CollectionSize;
import com.google.common.collect.testing.features.MapFeature;
import io.kvorum.core.LocalStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicReference;
import junit.framework.TestResult;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("long")
final class MapViewTest {
    /** Many stripes take time to make, and every test makes a store. */
    private static final StoreSettings SMALL = StoreSettings.defaults().withStripes(1);

    private static ConcurrentMap<String, String> map() {
        return TypedStore.of(new LocalStore(SMALL), Codec.text(), Codec.text()).asMap();
    }

    /** The tests that Guava publishes for maps. */
    @Test
    void isAConcurrentMap() {
        TestResult result = new TestResult();
        ConcurrentMapTestSuiteBuilder.using(new TestStringMapGenerator() {
                    @Override
                    protected Map<String, String> create(Map.Entry<String, String>[] entries) {
                        ConcurrentMap<String, String> map = map();
                        for (Map.Entry<String, String> entry : entries) {
                            map.put(entry.getKey(), entry.getValue());
                        }
                        return map;
                    }
                })
                .named("asMap")
                .withFeatures(
                        CollectionSize.ANY,
                        MapFeature.GENERAL_PURPOSE,
                        com.google.common.collect.testing.features.CollectionFeature.SUPPORTS_ITERATOR_REMOVE)
                .createTestSuite()
                .run(result);

        assertTrue(result.runCount() > 300, () -> "only " + result.runCount());
        StringBuilder failures = new StringBuilder();
        Collections.list(result.failures())
                .forEach(failure -> failures.append(failure).append('\n'));
        Collections.list(result.errors())
                .forEach(failure -> failures.append(failure).append('\n'));
        assertEquals("", failures.toString());
    }

    /** A map that leaves keys out says that they do not exist. */
    @Test
    void refusesToSkipASlotThatIsOnItsWay() {
        ShardId left = new ShardId("left");
        ShardId right = new ShardId("right");
        NodeId alice = new NodeId("alice");
        NodeId bob = new NodeId("bob");
        ClusterTopology settled = ClusterTopology.EMPTY.apply(
                0,
                List.of(
                        new TopologyChange.AddShard(left, 1, alice, List.of()),
                        new TopologyChange.AddShard(right, 1, bob, List.of()),
                        new TopologyChange.AssignSlots(SlotSet.ofRange(0, 8191), left),
                        new TopologyChange.AssignSlots(SlotSet.ofRange(8192, 16383), right)));
        ClusterTopology moving = settled.apply(
                settled.version(), new TopologyChange.MoveSlots(SlotSet.ofRange(8192, 16383), right, left));
        AtomicReference<ClusterTopology> topology = new AtomicReference<>(settled);
        Map<NodeId, LocalStore> nodes = Map.of(alice, new LocalStore(SMALL), bob, new LocalStore(SMALL));
        ConcurrentMap<String, String> map = TypedStore.of(
                        new ShardedStore(topology::get, nodes::get), Codec.text(), Codec.text())
                .asMap();
        map.put("bar", "1");
        map.put("foo", "2");
        topology.set(moving);

        assertThrows(RefusedException.class, map::size);
        assertThrows(RefusedException.class, map::clear);
        Iterator<String> keys = map.keySet().iterator();
        assertEquals("bar", keys.next());
        RefusedException refusal = assertThrows(RefusedException.class, keys::hasNext);
        assertEquals(RefusedException.Kind.MOVING, refusal.kind());
        assertThrows(RefusedException.class, () -> map.containsValue("2"));
        topology.set(settled);
        assertEquals(Map.of("bar", "1", "foo", "2"), map);
        assertEquals("foo", keys.next());
    }

    @Test
    void isTheStoreItself() {
        TypedStore<String, String> store = TypedStore.of(new LocalStore(SMALL), Codec.text(), Codec.text());
        store.set("a", "1");
        assertEquals(Map.of("a", "1"), store.asMap());
        store.asMap().merge("a", "2", String::concat);

        assertEquals("12", store.get("a"));
    }
}
