package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.SetOptions.Condition;
import io.kvorum.slots.HashSlot;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Operations of several threads on few keys of one slot, each history compared with a plain map that takes the same
 * operations one after the other. By threads at full speed, not by model checking: Lincheck 3.7 cannot follow a
 * {@code VarHandle} that views a byte array, of which the engine consists.
 */
@Tag("lincheck")
@Tag("races")
@Timeout(600)
final class LinearizabilityTest {
    static final int ITERATIONS = Integer.getInteger("kvorum.lincheck.iterations", 4);
    private static final int SLOT = HashSlot.of("{t}");

    @Test
    void ofTheSlabEngine() {
        check(OfTheSlabEngine.class, ITERATIONS);
    }

    /** The check itself: it finds an operation that is not atomic. */
    @Test
    void ofABrokenStoreIsFoundToBeNone() {
        LincheckAssertionError found = assertThrows(LincheckAssertionError.class, () -> check(Broken.class, 100));

        assertTrue(String.valueOf(found.getMessage()).contains("Invalid execution results"), found::toString);
    }

    static void check(Class<? extends Operations> operations, int iterations) {
        new StressOptions()
                .iterations(iterations)
                .invocationsPerIteration(1_000)
                .threads(2)
                .actorsPerThread(4)
                .actorsBefore(2)
                .actorsAfter(1)
                .minimizeFailedScenario(false)
                .sequentialSpecification(PlainMap.class)
                .check(operations);
    }

    /** Appends by two operations, between which an append of another thread is lost. */
    public static final class Broken extends Operations {
        private final LocalStore store;

        public Broken() {
            this(new LocalStore(StoreSettings.defaults().withStripes(1), 7, new FixedClock(1_000)));
        }

        private Broken(LocalStore store) {
            super(store);
            this.store = store;
        }

        @Override
        @Operation
        public int append(@Param(gen = IntGen.class, conf = "1:2") int key) {
            byte[] value = store.get(key(key));
            for (int i = 0; i < 200; i++) {
                Thread.onSpinWait();
            }
            String longer = (value == null ? "" : text(value)) + "+";
            store.set(key(key), bytes(longer));
            return longer.length();
        }
    }

    private static byte[] key(int number) {
        return bytes("{t}" + number);
    }

    /** The operations, with long and short values, so that records move as well as change in place. */
    public abstract static class Operations {
        private final LocalStore store;

        Operations(LocalStore store) {
            this.store = store;
        }

        @Operation
        public @Nullable String get(@Param(gen = IntGen.class, conf = "1:2") int key) {
            return text(store.get(key(key)));
        }

        @Operation
        public void set(
                @Param(gen = IntGen.class, conf = "1:2") int key, @Param(gen = IntGen.class, conf = "1:9") int value) {
            store.set(key(key), bytes(value(value)));
        }

        @Operation
        public boolean setIfAbsent(
                @Param(gen = IntGen.class, conf = "1:2") int key, @Param(gen = IntGen.class, conf = "1:9") int value) {
            return store.set(
                    key(key), bytes(value(value)), SetOptions.defaults().withCondition(Condition.IF_ABSENT));
        }

        @Operation
        public boolean delete(@Param(gen = IntGen.class, conf = "1:2") int key) {
            return store.delete(key(key));
        }

        @Operation
        public int append(@Param(gen = IntGen.class, conf = "1:2") int key) {
            return store.append(key(key), bytes("+"));
        }

        @Operation
        public boolean rename() {
            return store.rename(key(1), key(2));
        }

        @Operation
        public int lengths() {
            return store.read(SLOT, keys -> keys.length(key(1)) * 1_000 + keys.length(key(2)));
        }

        @Operation
        public String swap() {
            return store.transact(SLOT, keys -> {
                byte[] one = keys.getAndDelete(key(1));
                byte[] two = keys.getAndDelete(key(2));
                if (one != null) {
                    keys.set(key(2), one);
                }
                if (two != null) {
                    keys.set(key(1), two);
                }
                return text(one) + "," + text(two);
            });
        }

        @Operation
        public long size() {
            return store.countInSlot(SLOT);
        }
    }

    static String value(int number) {
        return "v".repeat(number * 7);
    }

    public static final class OfTheSlabEngine extends Operations {
        public OfTheSlabEngine() {
            super(new LocalStore(StoreSettings.defaults().withStripes(1), 7, new FixedClock(1_000)));
        }
    }

    public static final class OfTheCaffeineEngine extends Operations {
        public OfTheCaffeineEngine() {
            super(new LocalStore(Tables.CAFFEINE.settings().withStripes(1), 7, new FixedClock(1_000)));
        }
    }

    /** What the operations mean. */
    public static final class PlainMap {
        private final Map<Integer, String> map = new TreeMap<>();

        public @Nullable String get(int key) {
            return map.get(key);
        }

        public void set(int key, int value) {
            map.put(key, value(value));
        }

        public boolean setIfAbsent(int key, int value) {
            return map.putIfAbsent(key, value(value)) == null;
        }

        public boolean delete(int key) {
            return map.remove(key) != null;
        }

        public int append(int key) {
            return map.merge(key, "+", String::concat).length();
        }

        public boolean rename() {
            String value = map.remove(1);
            if (value != null) {
                map.put(2, value);
            }
            return value != null;
        }

        public int lengths() {
            return map.getOrDefault(1, "").length() * 1_000
                    + map.getOrDefault(2, "").length();
        }

        public String swap() {
            String one = map.remove(1);
            String two = map.remove(2);
            if (one != null) {
                map.put(2, one);
            }
            if (two != null) {
                map.put(1, two);
            }
            return one + "," + two;
        }

        public long size() {
            return map.size();
        }

        /** For the verifier, which compares states. */
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof PlainMap plain && map.equals(plain.map);
        }

        @Override
        public int hashCode() {
            return List.copyOf(map.entrySet()).hashCode();
        }
    }
}
