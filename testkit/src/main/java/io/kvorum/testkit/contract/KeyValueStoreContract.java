package io.kvorum.testkit.contract;

import static io.kvorum.testkit.contract.Bytes.bytes;
import static io.kvorum.testkit.contract.Bytes.text;
import static io.kvorum.testkit.contract.Bytes.texts;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyFilter;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/**
 * What every {@link KeyValueStore} does: all operations of the interface, its bounds, its expiry and its refusals.
 *
 * <pre>{@code
 * final class MyStoreTest extends KeyValueStoreContract {
 *     private final FixedClock clock = new FixedClock();
 *     private final MyStore store = new MyStore(clock);
 *
 *     protected KeyValueStore store() { return store; }
 *     protected InstantSource clock() { return clock; }
 *     protected void pass(Duration time) { clock.forward(time); }
 * }
 * }</pre>
 *
 * <p>For a store that is far away, or whose clock is real, {@link #precision} says how exact its deadlines are. A test
 * that an implementation cannot meet is overridden there, with the reason.
 */
public abstract class KeyValueStoreContract extends KeyOperationsContract {
    private static final byte[] KEY = bytes("{k}1");
    private static final byte[] OTHER = bytes("{k}2");
    private static final byte[] ELSEWHERE = bytes("{x}1");
    private static final byte[] VALUE = bytes("value");
    private static final int SLOT = HashSlot.of(KEY);

    /** For use by subclasses. */
    protected KeyValueStoreContract() {}

    /** {@return the store; the same during one test, and empty when the test began} */
    protected abstract KeyValueStore store();

    @Override
    protected final KeyOperations keys() {
        return store();
    }

    /**
     * {@return the most bytes that a key may have, if this is worth a test} A small limit is, half a gigabyte is not.
     */
    protected OptionalInt maxKeyLength() {
        return OptionalInt.empty();
    }

    /** {@return the most bytes that a value may have, if this is worth a test} */
    protected OptionalInt maxValueLength() {
        return OptionalInt.empty();
    }

    /**
     * Runs actions beside each other, and waits for their ends. By default in threads.
     *
     * @param actions what to do
     */
    protected void together(List<Runnable> actions) {
        ExecutorService threads = Executors.newFixedThreadPool(actions.size());
        try {
            CompletableFuture.allOf(actions.stream()
                            .map(action -> CompletableFuture.runAsync(action, threads))
                            .toArray(CompletableFuture<?>[]::new))
                    .join();
        } finally {
            threads.shutdownNow();
        }
    }

    // ---- transactions

    @Test
    protected void aTransactionSeesItsOwnChangesAndReturnsItsResult() {
        String seen = store().transact(KEY, keys -> {
            keys.set(KEY, VALUE);
            keys.append(KEY, bytes("s"));
            keys.rename(KEY, OTHER);
            return text(keys.get(OTHER)) + keys.exists(KEY);
        });

        assertEquals("valuesfalse", seen);
        assertEquals("values", text(store().get(OTHER)));
        assertFalse(store().exists(KEY));
        assertNull(store().<byte[]>transact(SLOT, keys -> keys.get(KEY)));
    }

    @Test
    protected void aTransactionThatThrowsChangesNothing() {
        store().set(KEY, VALUE);
        IllegalStateException failure = assertThrows(
                IllegalStateException.class,
                () -> store().update(KEY, keys -> {
                    keys.delete(KEY);
                    keys.set(OTHER, VALUE);
                    throw new IllegalStateException("of a test");
                }));

        assertEquals("of a test", failure.getMessage());
        assertEquals("value", text(store().get(KEY)));
        assertFalse(store().exists(OTHER));
    }

    @Test
    protected void aTransactionIsOfOneSlot() {
        assertCrossSlot(() -> store().update(KEY, keys -> {
            keys.set(KEY, VALUE);
            keys.set(ELSEWHERE, VALUE);
        }));
        assertCrossSlot(() -> store().transact(KEY, keys -> keys.get(ELSEWHERE)));
        assertCrossSlot(() -> store().read(SLOT, keys -> keys.get(ELSEWHERE)));

        assertFalse(store().exists(KEY));
        assertFalse(store().exists(ELSEWHERE));
    }

    @Test
    protected void theOperationsOfATransactionEndWithIt() {
        KeyOperations late = store().transact(KEY, keys -> keys);
        KeyReads lateReads = store().read(SLOT, keys -> keys);

        assertThrows(IllegalStateException.class, () -> late.set(KEY, VALUE));
        assertThrows(IllegalStateException.class, () -> lateReads.get(KEY));
        assertFalse(store().exists(KEY));
    }

    @Test
    protected void aTransactionOffersEveryOperation() {
        List<String> seen = store().transact(KEY, keys -> {
            List<String> found = new ArrayList<>();
            keys.setAll(List.of(new Entry(KEY, bytes("1")), new Entry(OTHER, bytes("abc"))));
            found.add("increment " + keys.increment(KEY, 9));
            found.add("range " + text(keys.getRange(OTHER, 1, -1)));
            found.add("set range " + keys.setRange(OTHER, 4, bytes("e")));
            found.add("compute " + text(keys.compute(KEY, value -> bytes(text(value) + "!"))));
            found.add("copy " + keys.copyIfAbsent(KEY, bytes("{k}3")));
            found.add("all " + texts(keys.getAll(List.of(KEY, bytes("{k}3"), bytes("{k}4")))));
            found.add("persist " + keys.persist(KEY));
            found.add("delete " + keys.deleteIfEqual(KEY, bytes("10!")) + keys.exists(KEY));
            found.add("get and delete " + text(keys.getAndDelete(bytes("{k}3"))));
            return found;
        });

        assertEquals(
                List.of(
                        "increment 10",
                        "range bc",
                        "set range 5",
                        "compute 10!",
                        "copy true",
                        "all [10!, 10!, null]",
                        "persist false",
                        "delete truefalse",
                        "get and delete 10!"),
                seen);
        assertArrayEquals(new byte[] {'a', 'b', 'c', 0, 'e'}, store().get(OTHER));
        assertEquals(1, store().countInSlot(SLOT));
    }

    @Test
    protected void aReadSeesItsSlot() {
        store().set(KEY, VALUE, life());

        List<String> seen = store().read(
                        SLOT,
                        keys -> List.of(
                                keys.exists(KEY) + " " + keys.exists(OTHER),
                                text(keys.get(KEY)) + keys.length(KEY),
                                String.valueOf(keys.deadlineOf(KEY).isPresent())));
        assertEquals(List.of("true false", "value5", "true"), seen);
    }

    @Test
    protected void changesOfOneKeyAreOneAfterTheOther() {
        long writers = 4;
        long each = 50;
        List<Runnable> actions = new ArrayList<>();
        for (int i = 0; i < writers; i++) {
            actions.add(() -> {
                for (int n = 0; n < each; n++) {
                    store().increment(KEY, 1);
                    store().compute(OTHER, value -> Bytes.concat(value == null ? new byte[0] : value, bytes("x")));
                }
            });
        }
        actions.add(() -> {
            for (int n = 0; n < each; n++) {
                store().update(bytes("{p}a"), keys -> {
                    keys.increment(bytes("{p}a"), 1);
                    keys.increment(bytes("{p}b"), -1);
                });
            }
        });
        actions.add(() -> {
            for (int n = 0; n < each; n++) {
                List<String> pair = texts(store().getAll(List.of(bytes("{p}a"), bytes("{p}b"))));
                if (pair.get(0) != null) {
                    assertEquals("-" + pair.get(0), pair.get(1), "both or none must be seen");
                }
            }
        });
        together(actions);

        assertEquals(writers * each, store().increment(KEY, 0));
        assertEquals(writers * each, store().length(OTHER));
        assertEquals(-each, store().increment(bytes("{p}b"), 0));
    }

    @Test
    protected void whatIsNoSlotIsRefused() {
        for (int slot : new int[] {-1, HashSlot.COUNT, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> store().transact(slot, keys -> true));
            assertThrows(IllegalArgumentException.class, () -> store().read(slot, keys -> true));
            assertThrows(IllegalArgumentException.class, () -> store().countInSlot(slot));
            assertThrows(IllegalArgumentException.class, () -> store().forEachInSlot(slot, entry -> {}));
            assertThrows(IllegalArgumentException.class, () -> store().dropSlot(slot));
            assertThrows(IllegalArgumentException.class, () -> store().keysInSlot(slot, 1));
        }
    }

    // ---- bounds

    @Test
    protected void aKeyMayBeEmpty() {
        byte[] empty = new byte[0];
        store().set(empty, VALUE);

        assertEquals("value", text(store().get(empty)));
        assertEquals(1, store().countInSlot(HashSlot.of(empty)));
        assertTrue(store().delete(empty));
    }

    @Test
    protected void aKeyThatIsTooLongIsRefused() {
        assumeTrue(maxKeyLength().isPresent(), "no limit to test");
        byte[] longest = new byte[maxKeyLength().getAsInt()];
        byte[] tooLong = new byte[longest.length + 1];
        store().set(longest, VALUE);

        assertEquals("value", text(store().get(longest)));
        assertThrows(IllegalArgumentException.class, () -> store().set(tooLong, VALUE));
        assertThrows(IllegalArgumentException.class, () -> store().increment(tooLong, 1));
        assertThrows(IllegalArgumentException.class, () -> store().append(tooLong, VALUE));
        assertEquals(1, store().size());
    }

    @Test
    protected void aValueThatIsOrBecomesTooLongIsRefused() {
        assumeTrue(maxValueLength().isPresent(), "no limit to test");
        int max = maxValueLength().getAsInt();
        byte[] tooLong = new byte[max + 1];
        store().set(KEY, new byte[max]);

        assertEquals(max, store().length(KEY));
        assertThrows(IllegalArgumentException.class, () -> store().append(KEY, new byte[1]));
        assertThrows(IllegalArgumentException.class, () -> store().setRange(KEY, max, new byte[1]));
        assertThrows(IllegalArgumentException.class, () -> store().set(KEY, tooLong));
        assertThrows(IllegalArgumentException.class, () -> store().getAndSet(KEY, tooLong));
        assertThrows(IllegalArgumentException.class, () -> store().compute(KEY, value -> tooLong));
        assertThrows(
                IllegalArgumentException.class,
                () -> store().setAll(List.of(new Entry(OTHER, VALUE), new Entry(KEY, tooLong))));
        assertEquals(max, store().length(KEY));
        assertFalse(store().exists(OTHER));
    }

    @Test
    protected void aLargeValueIsKept() {
        byte[] large = new byte[Math.min(1 << 20, maxValueLength().orElse(1 << 20))];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) ((i * 31) >> 3);
        }
        store().set(KEY, large);

        assertArrayEquals(large, store().get(KEY));
    }

    // ---- without copies

    @Test
    protected void aValueIsLentForTheCall() {
        store().set(KEY, VALUE);

        assertEquals("value", store().lend(KEY, value -> new String(value.toArray(), UTF_8)));
        assertNull(store().<String>lend(OTHER, value -> "found"));
        var kept = store().lend(KEY, value -> value);
        assertNotNull(kept);
        assertThrows(IllegalStateException.class, kept::toArray);
    }

    @Test
    protected void aValueIsAppendedToABuffer() {
        store().set(KEY, VALUE);
        ByteBuf target = Unpooled.buffer(4).writeByte('<');

        assertEquals(5, store().get(KEY, target));
        assertEquals(-1, store().get(OTHER, target));
        assertEquals("<value", target.toString(UTF_8));
        ByteBuf small = Unpooled.buffer(3, 3).writeByte('<');
        assertThrows(IndexOutOfBoundsException.class, () -> store().get(KEY, small));
        assertEquals("<", small.toString(UTF_8));
    }

    @Test
    protected void aValueIsSetFromABuffer() {
        ByteBuf source = Unpooled.copiedBuffer("<value>", UTF_8);
        source.readerIndex(1).writerIndex(6);
        store().set(KEY, source);

        assertEquals("value", text(store().get(KEY)));
        assertEquals(1, source.readerIndex());
        assertEquals(6, source.writerIndex());
        assertEquals(1, source.refCnt());
    }

    // ---- several slots

    @Test
    protected void keysOfAnySlotsAreSetReadAndDeleted() {
        long deadline = clock().millis() + life().toMillis();
        store().setEach(List.of(new Entry(KEY, bytes("1")), new Entry(ELSEWHERE, bytes("2"), deadline)));

        assertEquals(Arrays.asList("2", null, "1"), texts(store().getEach(List.of(ELSEWHERE, OTHER, KEY))));
        assertEquals(OptionalLong.of(deadline), store().deadlineOf(ELSEWHERE));
        assertEquals(2, store().deleteEach(List.of(KEY, OTHER, ELSEWHERE)));
        assertEquals(0, store().size());
    }

    // ---- slots and all keys

    @Test
    protected void aSlotCountsAndListsItsKeys() {
        fill(20, i -> "{k}" + i);
        store().set(ELSEWHERE, VALUE);

        assertEquals(21, store().size());
        assertEquals(20, store().countInSlot(SLOT));
        assertEquals(0, store().countInSlot(HashSlot.of(bytes("nobody"))));
        List<String> entries = new ArrayList<>();
        store().forEachInSlot(SLOT, entry -> entries.add(text(entry.key()) + "=" + text(entry.value())));
        Set<String> expected = new TreeSet<>();
        for (int i = 0; i < 20; i++) {
            expected.add("{k}" + i + "={k}" + i);
        }
        assertEquals(20, entries.size());
        assertEquals(expected, new TreeSet<>(entries));
        assertEquals(20, store().keysInSlot(SLOT, 100).size());
        assertEquals(7, store().keysInSlot(SLOT, 7).size());
        assertThrows(IllegalArgumentException.class, () -> store().keysInSlot(SLOT, 0));
    }

    @Test
    protected void aSlotCanBeChangedWhileItIsListed() {
        fill(100, i -> "{k}" + i);
        List<String> seen = new ArrayList<>();
        store().forEachInSlot(SLOT, entry -> {
            seen.add(text(entry.key()));
            store().delete(entry.key());
        });

        assertEquals(new HashSet<>(seen).size(), seen.size());
        assertEquals(100, seen.size());
        assertEquals(0, store().countInSlot(SLOT));
    }

    @Test
    protected void anExpiredKeyIsNotListed() {
        store().set(KEY, VALUE, life());
        store().set(OTHER, VALUE);
        pass(life().plus(precision()).plusMillis(1));

        List<String> seen = new ArrayList<>();
        store().forEachInSlot(SLOT, entry -> seen.add(text(entry.key())));
        assertEquals(List.of("{k}2"), seen);
        assertEquals(List.of("{k}2"), texts(List.copyOf(store().keysInSlot(SLOT, 10))));
        assertEquals(List.of("{k}2"), List.copyOf(scan(ScanOptions.defaults()).keySet()));
        assertEquals("{k}2", text(store().randomKey()));
    }

    @Test
    protected void aSlotIsDropped() {
        fill(20, i -> "{k}" + i);
        store().set(ELSEWHERE, VALUE);

        assertEquals(20, store().dropSlot(SLOT));
        assertEquals(0, store().dropSlot(SLOT));
        assertEquals(1, store().size());
        assertFalse(store().exists(KEY));
        assertTrue(store().exists(ELSEWHERE));
    }

    @Test
    protected void everythingIsCleared() {
        assertEquals(0, store().clear());
        fill(50, i -> "key-" + i);
        store().set(KEY, VALUE);

        assertEquals(1, store().clear(SlotSet.ofRange(SLOT, SLOT)));
        assertEquals(50, store().size());
        assertEquals(50, store().clear());
        assertEquals(0, store().size());
    }

    @Test
    protected void aScanFindsEveryKeyOnce() {
        Set<String> expected = new TreeSet<>();
        fill(300, i -> i % 2 == 0 ? "key-" + i : "{k}" + i).forEach(expected::add);
        for (int count : new int[] {1, 10, 10_000}) {
            SortedMap<String, Integer> found = scan(ScanOptions.defaults().withCount(count));
            assertEquals(expected, found.keySet());
            assertEquals(Set.of(1), new HashSet<>(found.values()));
        }
    }

    @Test
    protected void aScanGoesOnWhileKeysComeAndGo() {
        List<String> staying = fill(200, i -> "key-" + i);
        fill(50, i -> "going-" + i);
        TreeMap<String, Integer> found = new TreeMap<>();
        ScanCursor cursor = ScanCursor.START;
        for (int page = 0; !cursor.isEnd(); page++) {
            assertTrue(page < HashSlot.COUNT, "a scan must end");
            ScanPage next = store().scan(cursor, ScanOptions.defaults().withCount(20));
            next.keys().forEach(key -> found.merge(new String(key, UTF_8), 1, Integer::sum));
            store().delete(bytes("going-" + page));
            store().set(bytes("coming-" + page), VALUE);
            cursor = ScanCursor.parse(next.next().toString());
        }

        assertTrue(found.keySet().containsAll(staying));
        assertEquals(Set.of(1), new HashSet<>(found.values()));
    }

    @Test
    protected void aScanReturnsWhatItsOptionsSay() {
        fill(100, i -> (i % 10 == 0 ? "a-" : "b-") + i);
        store().set(KEY, VALUE);

        assertEquals(
                10,
                scan(ScanOptions.defaults().withFilter(KeyFilter.glob("a-*"))).size());
        ScanPage page = store().scan(
                        new ScanCursor(SLOT, 0),
                        ScanOptions.defaults().withCount(1000).withLastSlot(SLOT));
        assertEquals(List.of("{k}1"), texts(List.copyOf(page.keys())));
    }

    @Test
    protected void anEmptyStoreHasNothingToScan() {
        assertTrue(scan(ScanOptions.defaults()).isEmpty());
        ScanCursor end = ScanCursor.START;
        while (!end.isEnd()) {
            end = store().scan(end, ScanOptions.defaults()).next();
        }
        ScanCursor atEnd = end;
        assertThrows(IllegalArgumentException.class, () -> store().scan(atEnd, ScanOptions.defaults()));
    }

    @Test
    protected void aRandomKeyIsAnyOfThem() {
        assertNull(store().randomKey());
        Set<String> expected = new TreeSet<>(fill(4, i -> "key-" + i));
        Set<String> drawn = new TreeSet<>();
        for (int i = 0; i < 1_000 && drawn.size() < expected.size(); i++) {
            drawn.add(String.valueOf(text(store().randomKey())));
        }
        assertEquals(expected, drawn);
    }

    // ---- other forms

    @Test
    protected void itsAsynchronousFormDoesTheSame() {
        var async = store().async(Runnable::run);
        async.set(KEY, VALUE).toCompletableFuture().join();

        assertEquals("value", text(async.get(KEY).toCompletableFuture().join()));
        assertEquals("value", text(store().get(KEY)));
        CompletionException failure = assertThrows(
                CompletionException.class,
                () -> async.rename(KEY, ELSEWHERE).toCompletableFuture().join());
        assertInstanceOf(RefusedException.class, failure.getCause());
    }

    @Test
    protected void itCanBeClosedTwice() {
        store().close();
        store().close();
    }

    private List<String> fill(int count, IntFunction<String> name) {
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            keys.add(name.apply(i));
            store().set(bytes(name.apply(i)), bytes(name.apply(i)));
        }
        return keys;
    }

    private SortedMap<String, Integer> scan(ScanOptions options) {
        TreeMap<String, Integer> found = new TreeMap<>();
        ScanCursor cursor = ScanCursor.START;
        for (int page = 0; !cursor.isEnd(); page++) {
            assertTrue(page < 2 * HashSlot.COUNT, "a scan must end");
            ScanPage next = store().scan(cursor, options);
            next.keys().forEach(key -> found.merge(new String(key, UTF_8), 1, Integer::sum));
            cursor = next.next();
        }
        return found;
    }
}
