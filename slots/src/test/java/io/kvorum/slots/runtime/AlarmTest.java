package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.slots.Scheduler;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class AlarmTest {
    /** Time and timers in the test's hand; its clock can do what it likes. */
    private static final class Clock implements Scheduler {
        private final List<Runnable> timers = new ArrayList<>();
        private Runnable whenRead = () -> {};
        private long now;

        @Override
        public long nanoTime() {
            whenRead.run();
            return now;
        }

        @Override
        public void execute(Runnable task) {
            throw new AssertionError("nothing runs but timers");
        }

        @Override
        public Cancellable schedule(Runnable task, long delayNanos) {
            timers.add(task);
            return () -> {};
        }
    }

    private final Clock clock = new Clock();
    private final List<Long> rung = new ArrayList<>();
    private final Alarm alarm = new Alarm(
            clock,
            () -> rung.add(clock.now),
            () -> {},
            failure -> {
                throw new AssertionError(failure);
            },
            (task, delay) -> {
                throw new AssertionError("there is a scheduler");
            });

    @Test
    void itRingsWhenTheTimeHasCome() {
        alarm.set(10);
        alarm.arm();
        clock.now = 9;
        clock.timers.remove(0).run();
        assertEquals(List.of(), rung);
        clock.now = 10;
        clock.timers.remove(0).run();

        assertEquals(List.of(10L), rung);
    }

    @Test
    @Timeout(10)
    void theClockIsReadUnderNoLock() {
        alarm.set(10);
        alarm.arm();
        clock.now = 10;
        clock.whenRead = () -> {
            Thread other = new Thread(() -> alarm.set(20));
            other.start();
            try {
                other.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        };
        clock.timers.remove(0).run();

        assertEquals(List.of(10L), rung);
    }
}
