package io.kvorum.core.replicated;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A shard of two nodes, of which only one exists, so that a test can choose whether a majority is there. */
@Timeout(60)
final class BlockingStoreTest {
    private static final NodeId NODE = OneNode.NODE;
    private static final NodeId ABSENT = new NodeId("absent");
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration SHORT = Duration.ofMillis(1);
    private static final int SLOT = 5061; // of "bar"

    private final OneNode one = new OneNode(8192);
    private final ReplicatedStore node = one.store;

    @AfterEach
    void close() {
        one.close();
    }

    @Test
    void everyOperationWaitsForItsOutcome() {
        one.begin(NODE);
        KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, LONG);
        byte[] key = bytes("bar");
        store.set(key, bytes("1"));
        assertEquals("1", text(store.get(key)));
        assertTrue(store.exists(key));
        assertTrue(store.expireAt(key, 5_000));
        assertEquals(OptionalLong.of(5_000), store.deadlineOf(key));
        assertTrue(store.persist(key));
        store.setAll(List.of(new Entry(bytes("{bar}2"), bytes("2"))));
        List<byte[]> values = new ArrayList<>();
        values.addAll(store.getAll(List.of(key, bytes("{bar}2"))));
        assertEquals("2", text(values.get(1)));
        assertEquals(2, store.size());
        assertEquals(2, store.countInSlot(SLOT));
        List<Entry> entries = new ArrayList<>();
        store.forEachInSlot(SLOT, entries::add);
        assertEquals(2, entries.size());
        assertTrue(store.delete(key));
        assertFalse(store.delete(key));
        assertNull(store.get(key));
        assertEquals(1, store.dropSlot(SLOT));
        assertEquals(OneNode.EPOCH, node.status().position().epoch());
    }

    @Test
    void refusalsComeAsTheyAre() {
        KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, LONG);
        RefusedException readOnly = assertThrows(RefusedException.class, () -> store.set(bytes("bar"), bytes("1")));
        RefusedException down = assertThrows(RefusedException.class, () -> store.get(bytes("foo")));

        assertEquals(RefusedException.Kind.READ_ONLY, readOnly.kind());
        assertEquals(RefusedException.Kind.CLUSTER_DOWN, down.kind());
    }

    /** Although there is nothing to delete: who sees no refusal takes everything for deleted. */
    @Test
    void onlyThePrimaryClears() {
        KeyValueStore store = node.store(Acknowledgement.LOCAL, ReadLevel.LOCAL, LONG);

        RefusedException refusal = assertThrows(RefusedException.class, store::clear);
        assertEquals(RefusedException.Kind.READ_ONLY, refusal.kind());
    }

    @Test
    void theWaitingEnds() {
        one.begin(NODE, ABSENT);
        KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, SHORT);

        assertThrows(OutcomeUnknownException.class, () -> store.set(bytes("bar"), bytes("1")));
        assertThrows(OutcomeUnknownException.class, () -> store.get(bytes("bar")));
        assertEquals("1", text(one.local.get(bytes("bar"))));
    }

    @Test
    void theWaitingMayLastForEver() {
        one.begin(NODE);
        KeyValueStore store = node.store(
                Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
        store.set(bytes("bar"), bytes("1"));

        assertEquals("1", text(store.get(bytes("bar"))));
    }

    @Test
    void anInterruptEndsTheWaitingAndStays() {
        one.begin(NODE, ABSENT);
        KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, LONG);
        Thread.currentThread().interrupt();

        OutcomeUnknownException unknown =
                assertThrows(OutcomeUnknownException.class, () -> store.set(bytes("bar"), bytes("1")));
        assertTrue(Thread.interrupted());
        assertEquals(OutcomeUnknownException.Reason.INTERRUPTED, unknown.reason());
    }

    @Test
    void anErrorAfterAChangeComesOnceTheChangeIsAcknowledged() {
        one.begin(NODE);
        AssertionError error = new AssertionError("of the user's");

        assertSame(error, assertThrows(AssertionError.class, () -> writeAndThrow(LONG, error)));
        assertEquals("1", text(one.local.get(bytes("bar"))));
    }

    @Test
    void anErrorAfterAChangeThatNobodyAcknowledgesLeavesTheOutcomeUnknown() {
        one.begin(NODE, ABSENT);

        OutcomeUnknownException unknown = assertThrows(
                OutcomeUnknownException.class, () -> writeAndThrow(SHORT, new AssertionError("of the user's")));
        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, unknown.reason());
        assertEquals(NODE, unknown.node());
    }

    @Test
    void anErrorBeforeAnyChangeComesAtOnce() {
        one.begin(NODE, ABSENT);
        AssertionError error = new AssertionError("of the user's");

        assertSame(
                error,
                assertThrows(
                        AssertionError.class,
                        () -> node.writeAndWait(Acknowledgement.MAJORITY, Wait.of(LONG), store -> {
                            throw error;
                        })));
    }

    private void writeAndThrow(Duration timeout, Error error) {
        node.writeAndWait(Acknowledgement.MAJORITY, Wait.of(timeout), store -> {
            store.set(bytes("bar"), bytes("1"));
            throw error;
        });
    }

    @Test
    void aLocalWriteWaitsForNobody() {
        one.begin(NODE, ABSENT);
        KeyValueStore store = node.store(Acknowledgement.LOCAL, ReadLevel.LOCAL, LONG);
        store.set(bytes("bar"), bytes("1"));

        assertEquals("1", text(store.get(bytes("bar"))));
    }

    @Test
    void isReachedThroughAShardedStore() {
        one.begin(NODE);
        KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, LONG);
        ShardedStore sharded = new ShardedStore(() -> one.topology, id -> id.equals(NODE) ? store : null);
        sharded.set(bytes("bar"), bytes("1"));

        assertEquals("1", text(sharded.get(bytes("bar"))));
        assertThrows(RefusedException.class, () -> sharded.get(bytes("foo")));
    }
}
