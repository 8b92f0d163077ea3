package io.kvorum.core.engine;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.FixedClock;
import org.junit.jupiter.api.Test;

final class CaffeineTableTest extends TableContract {
    private static final int SLOT = 1;

    private final KeyHash hash = new KeyHash(1, 2);
    private final FixedClock clock = new FixedClock(100);
    private final CaffeineTable table = new CaffeineTable(STRIPE_BITS, SLOTS);

    @Override
    Table table(SlabTable.Hash anyHash) {
        return new CaffeineTable(STRIPE_BITS, SLOTS);
    }

    @Override
    void check(Table checked) {
        ((CaffeineTable) checked).checkInvariants();
    }

    @Test
    void evictsNothingByItselfHoweverItGrowsAndShrinks() {
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 20_000; i++) {
                put("k" + i, "v");
            }
            table.checkInvariants();
            assertEquals(20_000, table.size());
            for (int i = 10; i < 20_000; i++) {
                assertTrue(table.remove(hash.of(bytes("k" + i)), bytes("k" + i)));
            }
            table.checkInvariants();
            assertEquals(10, table.size());
        }
    }

    @Test
    void theColdestAreThoseThatAreNotRead() {
        for (int i = 0; i < 1_000; i++) {
            put("hot" + i, "v");
        }
        for (int i = 0; i < 5_000; i++) {
            read("hot" + i % 1_000);
        }
        int hotEvicted = 0;
        for (int i = 0; i < 20_000; i++) {
            put("cold" + i, "v");
            read("hot" + i % 1_000);
            byte[] coldest = table.coldestKey(key -> false);
            assertTrue(coldest != null && table.remove(hash.of(coldest), coldest));
            hotEvicted += String.valueOf(text(coldest)).startsWith("hot") ? 1 : 0;
        }
        table.checkInvariants();

        assertTrue(hotEvicted < 100, "evicted " + hotEvicted);
    }

    @Test
    void ofNothingNothingIsColdest() {
        assertNull(table.coldestKey(key -> false));
    }

    private void read(String name) {
        byte[] key = bytes(name);
        table.get(hash.of(key), key, clock);
    }

    private void put(String name, String value) {
        byte[] key = bytes(name);
        table.put(SLOT, hash.of(key), key, bytes(value), Table.NO_DEADLINE);
    }
}
