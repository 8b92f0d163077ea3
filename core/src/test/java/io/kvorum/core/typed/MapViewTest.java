package io.kvorum.core.typed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.testing.ConcurrentMapTestSuiteBuilder;
import com.google.common.collect.testing.TestStringMapGenerator;
import com.google.common.collect.testing.features.CollectionSize;
import com.google.common.collect.testing.features.MapFeature;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import junit.framework.TestResult;
import org.junit.jupiter.api.Test;

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

    @Test
    void isTheStoreItself() {
        TypedStore<String, String> store = TypedStore.of(new LocalStore(SMALL), Codec.text(), Codec.text());
        store.set("a", "1");
        assertEquals(Map.of("a", "1"), store.asMap());
        store.asMap().merge("a", "2", String::concat);

        assertEquals("12", store.get("a"));
    }
}
