package io.kvorum.testkit.history;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.ForwardingStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class HistoryTest {
    private static final byte[] KEY = bytes("key");

    private long now;
    private final History history = new History(() -> now++);
    private final FaultyStore store = new FaultyStore();
    private final RecordedClient ada = history.client("ada", store);
    private final RecordedClient bob = history.client("bob", store);

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @Test
    void aRightStoreIsFoundRight() {
        ada.set(KEY, bytes("1"));
        assertArrayEquals(bytes("1"), bob.get(KEY));
        bob.delete(KEY);
        ada.get(KEY);
        ada.set(KEY, bytes("2"));

        assertEquals(List.of(), history.linearizabilityViolations());
        assertEquals(List.of(), history.sessionViolations());
        assertEquals(new Losses(3, 0, Duration.ZERO, List.of()), history.losses(store::get));
        assertEquals(5, history.operations());
    }

    @Test
    void anOldValueIsNotLinearizableForAnybody() {
        ada.set(KEY, bytes("1"));
        ada.set(KEY, bytes("2"));
        store.answer = bytes("1");
        bob.get(KEY);

        assertEquals(1, history.linearizabilityViolations().size());
        assertEquals(List.of(), history.sessionViolations(), "bob has never seen the second value");
    }

    @Test
    void aClientSeesItsOwnWrites() {
        ada.set(KEY, bytes("1"));
        ada.set(KEY, bytes("2"));
        store.answer = bytes("1");
        ada.get(KEY);

        assertTrue(history.sessionViolations().get(0).startsWith("ada read key key and saw less than before"));
    }

    @Test
    void aClientDoesNotGoBack() {
        ada.set(KEY, bytes("1"));
        ada.set(KEY, bytes("2"));
        bob.get(KEY);
        store.answer = bytes("1");
        bob.get(KEY);

        assertEquals(1, history.sessionViolations().size());
    }

    @Test
    void whatIsGoneIsLost() {
        ada.set(KEY, bytes("1"));
        ada.set(KEY, bytes("2"));
        store.answer = bytes("1");

        Losses losses = history.losses(store::get);

        assertEquals(2, losses.acknowledged());
        assertEquals(1, losses.lost());
        assertTrue(losses.oldest().toNanos() > 0);
        assertEquals(List.of("key key lost 1 acknowledged writes"), losses.details());
    }

    @Test
    void aRefusedWriteNeverHappened() {
        ada.set(KEY, bytes("1"));
        store.failure = new RefusedException(RefusedException.Kind.READ_ONLY, "for a test", 0, null, null, null, 0);
        assertThrows(RefusedException.class, () -> ada.set(KEY, bytes("2")));
        store.failure = null;
        store.answer = bytes("2");
        ada.get(KEY);

        assertEquals(1, history.linearizabilityViolations().size(), "a value that was refused must not be there");
        assertEquals(0, history.unknown());
    }

    @Test
    void anUnknownWriteMayHaveHappenedOrNot() {
        ada.set(KEY, bytes("1"));
        store.failure = new OutcomeUnknownException(
                OutcomeUnknownException.Reason.TIMEOUT, new ShardId("shard"), new NodeId("node"), LogPosition.START);
        assertThrows(OutcomeUnknownException.class, () -> ada.set(KEY, bytes("2")));
        store.failure = null;
        ada.get(KEY);
        store.answer = bytes("2");
        ada.get(KEY);

        assertEquals(List.of(), history.linearizabilityViolations());
        assertEquals(List.of(), history.sessionViolations());
        assertEquals(0, history.losses(store::get).lost());
        assertEquals(1, history.unknown());
    }

    @Test
    void valuesThatAreWrittenTwiceAreJudgedToo() {
        ada.set(KEY, bytes("1"));
        ada.set(KEY, bytes("2"));
        ada.set(KEY, bytes("1"));
        bob.get(KEY);
        assertEquals(List.of(), history.linearizabilityViolations());

        store.answer = bytes("2");
        bob.get(KEY);
        assertEquals(1, history.linearizabilityViolations().size());
    }

    /** A store that answers or fails as it is told. */
    private static final class FaultyStore extends ForwardingStore {
        private final KeyValueStore store = ShardedStore.local(1);
        private byte @Nullable [] answer;
        private @Nullable RuntimeException failure;

        @Override
        @SuppressWarnings("unchecked")
        protected <T extends @Nullable Object> T reading(Function<? super KeyValueStore, ? extends T> operation) {
            return answer == null ? operation.apply(store) : (T) answer;
        }

        @Override
        protected <T extends @Nullable Object> T changing(Function<? super KeyValueStore, ? extends T> operation) {
            if (failure != null) {
                throw failure;
            }
            return operation.apply(store);
        }
    }
}
