package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What has expired is deleted by writes, also if nobody calls expire. */
final class ExpiryOnWriteTest {
    private final FixedClock clock = new FixedClock(1_000);
    private final List<String> sunk = new ArrayList<>();
    private final LocalStore store = new LocalStore(
            StoreSettings.defaults().withStripes(4),
            7,
            clock,
            (slot, change) -> Mutation.readAll(change)
                    .forEach(mutation -> sunk.add(mutation.getClass().getSimpleName() + " " + text(mutation.key()))));

    @Test
    void aStoreThatIsWrittenToHoldsLittleMoreThanWhatLives() {
        for (int millis = 0; millis < 5_000; millis++) {
            clock.set(1_000 + millis);
            for (int i = 0; i < 10; i++) {
                store.set(bytes("k" + millis + "-" + i), bytes("v"), lasting(100));
            }
        }

        assertTrue(store.size() < 1_500, "it holds " + store.size());
        assertEquals(
                5_000 * 10L - store.size(),
                sunk.stream().filter(what -> what.startsWith("Delete")).count());
    }

    @Test
    void writesWithoutADeadlineDeleteToo() {
        for (int i = 0; i < 1_000; i++) {
            store.set(bytes("timed" + i), bytes("v"), lasting(100));
        }
        clock.set(2_000);
        for (int i = 0; i < 1_000; i++) {
            store.set(bytes("k" + i), bytes("v"));
        }

        assertEquals(1_000, store.size());
    }

    @Test
    void transactionsDeleteToo() {
        for (int i = 0; i < 100; i++) {
            store.set(bytes("timed" + i), bytes("v"), lasting(100));
        }
        clock.set(2_000);
        for (int i = 0; i < 100; i++) {
            store.increment(bytes("k" + i), 1);
        }

        assertEquals(100, store.size());
    }

    @Test
    void aSinkThatRefusesTheDeletionDoesNotFailTheWrite() {
        LocalStore refusing = new LocalStore(StoreSettings.defaults().withStripes(1), 7, clock, (slot, change) -> {
            if (Mutation.readAll(change).get(0) instanceof Mutation.Delete) {
                throw new RefusedException(RefusedException.Kind.PAUSED, "not now", slot, null, null, null, -1);
            }
        });
        refusing.set(bytes("timed"), bytes("v"), lasting(100));
        clock.set(2_000);
        refusing.set(bytes("k"), bytes("v"));

        assertEquals(2, refusing.size());
        assertNull(refusing.get(bytes("timed")));
    }

    @Test
    void aKeyThatIsWrittenOverAfterItsDeadlineExpiredFirst() {
        store.stats();
        List<String> events = new ArrayList<>();
        try (KeyspaceSubscription subscription =
                store.subscribe(event -> events.add(event.kind() + " " + text(event.key())), Runnable::run, 1_000)) {
            for (String key : List.of("{t}incr", "{t}set", "{t}to", "{t}gone", "{t}all")) {
                store.set(bytes(key), bytes("5"), lasting(100));
            }
            store.set(bytes("{t}from"), bytes("v"));
            events.clear();
            clock.set(2_000);
            store.transact(io.kvorum.slots.HashSlot.of(bytes("{t}")), keys -> {
                assertEquals(1, keys.increment(bytes("{t}incr"), 1));
                keys.set(bytes("{t}set"), bytes("v"));
                keys.rename(bytes("{t}from"), bytes("{t}to"));
                keys.delete(bytes("{t}gone"));
                keys.setAll(List.of(new Entry(bytes("{t}all"), bytes("v"))));
                return null;
            });

            assertEquals(
                    List.of(
                            "EXPIRED {t}incr",
                            "SET {t}incr",
                            "EXPIRED {t}set",
                            "SET {t}set",
                            "EXPIRED {t}to",
                            "SET {t}to",
                            "DELETED {t}from",
                            "EXPIRED {t}gone",
                            "EXPIRED {t}all",
                            "SET {t}all"),
                    events);
            assertEquals(5, store.stats().expirations());
            assertEquals(subscription.sequence(), subscription.delivered());
        }
    }

    @Test
    void aPlainSetOfAnExpiredKeyTellsThatItExpired() {
        store.stats();
        List<KeyspaceEvent.Kind> events = new ArrayList<>();
        store.set(bytes("k"), bytes("v"), lasting(100));
        try (KeyspaceSubscription subscription =
                store.subscribe(event -> events.add(event.kind()), Runnable::run, 1_000)) {
            clock.set(2_000);
            store.set(bytes("k"), bytes("v"));

            assertEquals(2, subscription.delivered());
        }
        assertEquals(List.of(KeyspaceEvent.Kind.EXPIRED, KeyspaceEvent.Kind.SET), events);
        assertEquals(1, store.stats().expirations());
    }

    private static SetOptions lasting(long millis) {
        return SetOptions.defaults().withDuration(Duration.ofMillis(millis));
    }

    @Test
    void aStoreWithoutADeadlineIsNotLookedThrough() {
        int[] asked = {0};
        FixedClock time = new FixedClock(1_000);
        InstantSource counting = () -> {
            asked[0]++;
            return time.instant();
        };
        LocalStore timeless = new LocalStore(StoreSettings.defaults(), 7, counting);
        for (int i = 0; i < 1_000; i++) {
            timeless.set(bytes("k" + i), bytes("v"));
        }
        assertEquals(0, timeless.expire(100));
        assertEquals(0, asked[0]);

        timeless.set(bytes("k1"), bytes("v"), Duration.ofMillis(5));
        asked[0] = 0;
        assertEquals(0, timeless.expire(100));
        assertTrue(asked[0] > 0);
        time.set(1_006);
        assertEquals(1, timeless.expire(100));
        asked[0] = 0;
        assertEquals(0, timeless.expire(100));
        assertEquals(0, asked[0]);

        LocalStore source = new LocalStore(StoreSettings.defaults(), 8, time);
        source.set(bytes("late"), bytes("v"), Duration.ofMillis(5));
        Replicas.load(timeless, Replicas.chunks(source, 100));
        time.set(2_000);
        assertEquals(1, timeless.expire(100));
        Replicas.load(timeless, Replicas.chunks(Replicas.empty(2), 100));
        asked[0] = 0;
        assertEquals(0, timeless.expire(100));
        assertEquals(0, asked[0]);
    }
}
