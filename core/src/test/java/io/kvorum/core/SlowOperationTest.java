package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.SlowOperation.Kind;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SlowOperationTest {
    private static final int SLOT = HashSlot.of(bytes("{t}"));

    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, new FixedClock(1_000));
    private final List<SlowOperation> told = new ArrayList<>();

    @Test
    void eachOperationIsToldOnceWithItsSlot() {
        store.onSlowOperation(Duration.ZERO, told::add);
        store.get(bytes("{t}"));
        store.get(bytes("{t}"), Unpooled.buffer());
        store.lend(bytes("{t}"), value -> 1);
        store.set(bytes("{t}"), bytes("1"));
        store.set(bytes("{t}"), bytes("1"), SetOptions.defaults().withDeadline(999));
        store.set(bytes("{t}"), bytes("1"), SetOptions.defaults().withCondition(SetOptions.Condition.IF_ABSENT));
        store.getAll(List.of(bytes("{t}")));
        store.increment(bytes("{t}n"), 1);
        store.scan(ScanCursor.START, ScanOptions.defaults());
        store.dropSlot(SLOT);
        store.expire(10);
        ByteBuf change = Unpooled.buffer();
        MutationWriter.put(change, bytes("{t}"), bytes("2"), KeyValueStore.NO_DEADLINE);
        store.replicatedState().apply(SLOT, change);

        List<Kind> kinds = told.stream().map(SlowOperation::operation).toList();
        assertEquals(
                List.of(
                        Kind.GET,
                        Kind.GET,
                        Kind.GET,
                        Kind.SET,
                        Kind.SET,
                        Kind.TRANSACT,
                        Kind.READ,
                        Kind.TRANSACT,
                        Kind.SCAN,
                        Kind.DROP_SLOT,
                        Kind.EXPIRE,
                        Kind.APPLY),
                kinds);
        for (SlowOperation operation : told) {
            boolean ofSlots = operation.operation() == Kind.SCAN || operation.operation() == Kind.EXPIRE;
            assertEquals(ofSlots ? -1 : SLOT, operation.slot());
            assertFalse(operation.took().isNegative());
            assertFalse(operation.failed());
        }
    }

    @Test
    void aQuickOneIsNotTold() {
        store.onSlowOperation(Duration.ofSeconds(Long.MAX_VALUE), told::add);
        store.get(bytes("a"));

        assertEquals(List.of(), told);
    }

    @Test
    void noneIsToldUnlessSomebodyAsks() {
        store.get(bytes("a"));
        store.onSlowOperation(Duration.ZERO, told::add);
        store.ignoreSlowOperations();
        store.get(bytes("a"));

        assertEquals(List.of(), told);
        assertThrows(IllegalArgumentException.class, () -> store.onSlowOperation(Duration.ofNanos(-1), told::add));
    }

    @Test
    void oneThatFailsIsTold() {
        store.onSlowOperation(Duration.ZERO, told::add);
        assertThrows(
                IllegalStateException.class,
                () -> store.transact(SLOT, keys -> {
                    throw new IllegalStateException("planned");
                }));

        assertEquals(1, told.size());
        assertTrue(told.get(0).failed());
    }

    @Test
    void aListenerMayUseTheStoreAndMayFail() {
        store.onSlowOperation(Duration.ZERO, operation -> {
            if (operation.operation() == Kind.SET) {
                store.get(bytes("a"));
                throw new StackOverflowError("planned");
            }
            told.add(operation);
        });
        store.set(bytes("a"), bytes("1"));

        assertEquals(1, told.size());
    }
}
