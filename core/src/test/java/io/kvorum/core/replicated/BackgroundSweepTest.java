package io.kvorum.core.replicated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.Replicas;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.Engines;
import io.kvorum.slots.Scheduler;
import io.kvorum.testing.HandScheduler;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A store without deadlines costs its scheduler nothing; one that has any is swept until the last is gone. */
final class BackgroundSweepTest {
    private static final byte[] A = {'a'};
    private static final byte[] B = {'b'};
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final HandScheduler scheduler = new HandScheduler();
    private final FixedClock clock = new FixedClock(1_000);
    private final LocalStore store = new LocalStore(StoreSettings.defaults().withStripes(8), 7, clock);

    private BackgroundSweep begun = begin(store::expire);

    private BackgroundSweep begin(IntUnaryOperator expire) {
        BackgroundSweep sweep = new BackgroundSweep(Engines.only(store), expire, scheduler);
        sweep.start();
        return sweep;
    }

    @AfterEach
    void nothingIsLeftWhenItIsCancelled() {
        begun.cancel();
        scheduler.pass(SECOND);
        assertNothingWaits();
    }

    private void assertNothingWaits() {
        assertEquals(0, scheduler.tasks.size(), "tasks");
        assertEquals(0, scheduler.timers.size(), "timers");
    }

    @Test
    void aStoreWithoutDeadlinesIsLeftAlone() {
        store.set(A, B);
        assertNothingWaits();
    }

    @Test
    void theFirstDeadlineBeginsItAndTheLastOneEndsIt() {
        store.set(A, B, Duration.ofMillis(250));
        store.set(B, A, Duration.ofSeconds(2));
        scheduler.pass(SECOND);
        assertEquals(2, store.size());

        clock.set(1_251);
        scheduler.pass(BackgroundSweep.PERIOD);
        assertEquals(1, store.size());

        assertTrue(store.persist(B));
        scheduler.pass(BackgroundSweep.PERIOD);
        assertNothingWaits();

        store.expireAfter(B, Duration.ofMillis(1));
        clock.set(1_300);
        scheduler.pass(BackgroundSweep.PERIOD);
        assertEquals(0, store.size());
        assertNothingWaits();
    }

    @Test
    void deadlinesThatWereThereBeforeItBeganAreSeen() {
        begun.cancel();
        store.set(A, B, Duration.ofMillis(1));
        begun = begin(store::expire);
        clock.set(1_300);
        scheduler.pass(BackgroundSweep.PERIOD);
        assertEquals(0, store.size());
    }

    @Test
    void deadlinesThatAFullSyncBringsAreSeen() {
        LocalStore other = new LocalStore(StoreSettings.defaults(), 8, clock);
        other.set(A, B, Duration.ofMillis(1));
        Replicas.load(store, Replicas.chunks(other, 1_000));
        clock.set(1_300);
        scheduler.pass(BackgroundSweep.PERIOD);
        assertEquals(0, store.size());
    }

    @Test
    void aSweepThatThrowsIsFollowedByAnother() {
        begun.cancel();
        int[] sweeps = {0};
        begun = begin(budget -> {
            if (sweeps[0]++ < 2) {
                throw new IllegalStateException("on purpose");
            }
            return store.expire(budget);
        });
        store.set(A, B, Duration.ofMillis(1));
        clock.set(1_300);
        scheduler.pass(SECOND);
        assertEquals(0, store.size());
    }

    @Test
    void aSchedulerThatFailsDelaysItOnly() {
        scheduler.executeFails.add(new IllegalStateException("on purpose"));
        store.set(A, B, Duration.ofMillis(1));
        clock.set(1_300);
        scheduler.pass(SECOND);
        assertEquals(0, store.size());
    }

    @Test
    void manyThatExpireTogetherAreDeletedOneSweepAfterTheOther() {
        for (int i = 0; i < 3_500; i++) {
            store.set(("key-" + i).getBytes(StandardCharsets.US_ASCII), B, Duration.ofMillis(1));
        }
        clock.set(1_300);
        scheduler.pass(BackgroundSweep.PERIOD);
        assertEquals(0, store.size());
    }

    @Test
    void oneThatIsCancelledAsItBeginsDeletesNothing() {
        begun.cancel();
        Scheduler cancels = new Scheduler() {
            @Override
            public long nanoTime() {
                begun.cancel();
                return scheduler.nanoTime();
            }

            @Override
            public void execute(Runnable task) {
                scheduler.execute(task);
            }

            @Override
            public Cancellable schedule(Runnable task, long delayNanos) {
                return scheduler.schedule(task, delayNanos);
            }
        };
        begun = new BackgroundSweep(Engines.only(store), store::expire, cancels);
        begun.start();
        store.set(A, B, Duration.ofMillis(1));
        clock.set(1_300);
        scheduler.pass(SECOND);
        assertEquals(1, store.size());
    }

    @Test
    void twoOfThemAreWokenBoth() {
        BackgroundSweep other = begin(store::expire);
        begun.cancel();
        store.set(A, B, Duration.ofMillis(1));
        clock.set(1_300);
        scheduler.pass(SECOND);
        assertEquals(0, store.size());
        other.cancel();
    }
}
