package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.testing.HandScheduler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

final class EventFeedTest {
    private final HandScheduler scheduler = new HandScheduler();
    private final List<Throwable> failures = new ArrayList<>();
    private final EventFeed<String> feed = feed(3);
    private final List<String> heard = new ArrayList<>();
    private final List<String> heardByOther = new ArrayList<>();

    private EventFeed<String> feed(int capacity) {
        return new EventFeed<>(scheduler, capacity, (count, last) -> "lost " + count + " to " + last, failures::add);
    }

    private void publish(String... events) {
        for (String event : events) {
            feed.publish(event);
        }
    }

    @Test
    void eachListenerHearsEachEventInOrder() {
        feed.add(heard::add);
        feed.add(heardByOther::add);
        publish("a", "b");
        assertEquals(List.of(), heard); // only on the scheduler
        scheduler.runTasks();
        publish("c");
        scheduler.runTasks();

        assertEquals(List.of("a", "b", "c"), heard);
        assertEquals(heard, heardByOther);
    }

    @Test
    void aSlowListenerLosesTheOldestEventsAndIsTold() {
        feed.add(heard::add);
        publish("a", "b", "c", "d", "e");
        scheduler.runTasks();
        publish("f");
        scheduler.runTasks();

        assertEquals(List.of("lost 2 to b", "c", "d", "e", "f"), heard);
    }

    @Test
    void aListenerThatThrowsSilencesNobodyAndIsReported() {
        AssertionError failure = new AssertionError("bad");
        feed.add(event -> {
            heard.add(event);
            throw failure;
        });
        feed.add(heardByOther::add);
        publish("a", "b");
        scheduler.runTasks();

        assertEquals(List.of("a", "b"), heard);
        assertEquals(heard, heardByOther);
        assertEquals(2, feed.failures());
        assertEquals(List.of(failure, failure), failures);
    }

    @Test
    void aListenerThatThrowsAtTheNewsOfAFailureIsNotReportedAgain() {
        feed.add(event -> {
            heard.add(event);
            throw new IllegalStateException("bad");
        });
        feed.publishFailure("failed");
        scheduler.runTasks();

        assertEquals(List.of("failed"), heard);
        assertEquals(1, feed.failures());
        assertEquals(List.of(), failures);
    }

    @Test
    void aListenerMayCloseTheFeed() {
        feed.add(event -> {
            heard.add(event);
            feed.close();
        });
        feed.add(heardByOther::add);
        publish("a", "b");
        scheduler.runTasks();
        publish("c");
        scheduler.runTasks();

        assertEquals(List.of("a"), heard);
        assertEquals(List.of(), heardByOther);
    }

    @Test
    void aRemovedListenerHearsNothingMore() {
        Consumer<String> listener = heard::add;
        feed.add(listener);
        feed.add(heardByOther::add);
        publish("a");
        feed.remove(listener);
        scheduler.runTasks();

        assertEquals(List.of(), heard);
        assertEquals(List.of("a"), heardByOther);
    }

    @Test
    void aListenerMayPublish() {
        feed.add(event -> {
            heard.add(event);
            if (event.length() < 3) {
                feed.publish(event + "a");
            }
        });
        publish("a");
        scheduler.runTasks();

        assertEquals(List.of("a", "aa", "aaa"), heard);
    }

    @Test
    void aSchedulerThatThrowsIsTriedAgain() {
        feed.add(heard::add);
        scheduler.executeFails.add(new RejectedExecutionException());
        publish("a");
        scheduler.pass(SerialTask.RETRY_NANOS);

        assertEquals(List.of("a"), heard);
    }

    @Test
    void aListenerWithMuchToHearGivesTheThreadBack() {
        EventFeed<String> deep = feed(10_000);
        deep.add(heard::add);
        for (int i = 0; i < 10_000; i++) {
            deep.publish("x");
        }
        scheduler.tasks.remove().run();
        assertEquals(64 * SerialTask.MAX_RUNS, heard.size());
        scheduler.runTasks();

        assertEquals(10_000, heard.size());
    }
}
