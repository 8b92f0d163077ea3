package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.snapshot.SnapshotLimits;
import io.kvorum.core.snapshot.Snapshots;
import io.kvorum.slots.HashSlot;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a JDK Flight Recorder hears of a store. */
final class StoreEventsTest {
    private static final List<String> NAMES =
            List.of("SlowOperation", "ExpirySweep", "Eviction", "SnapshotWritten", "SnapshotLoaded", "FullSync");

    @TempDir
    private Path directory = Path.of("");

    private final FixedClock clock = new FixedClock(1_000);

    @Test
    void everyEventIsRecordedWithoutAKey() throws IOException {
        LocalStore store = new LocalStore(
                StoreSettings.defaults().withLimit(MemoryLimit.entries(10, MemoryLimit.WhenFull.EVICT)), 7, clock);
        List<RecordedEvent> events = record(Duration.ZERO, () -> {
            for (int i = 0; i < 11; i++) {
                store.set(
                        bytes("{secret}" + i), bytes("1"), SetOptions.defaults().withDeadline(1_500));
            }
            ByteArrayOutputStream snapshot = new ByteArrayOutputStream();
            Snapshots.write(store, snapshot);
            clock.set(2_000);
            assertEquals(1, store.expire(1));
            LocalStore other = Replicas.empty(1);
            Snapshots.load(other, new ByteArrayInputStream(snapshot.toByteArray()), SnapshotLimits.defaults());
            Replicas.load(store, Replicas.chunks(other, 100));
        });

        assertEquals(1, only(events, "Eviction").getInt("evicted"));
        assertEquals(1, only(events, "ExpirySweep").getInt("deleted"));
        assertTrue(only(events, "ExpirySweep").getBoolean("behind"));
        assertEquals(10, only(events, "SnapshotWritten").getLong("entries"));
        assertEquals(HashSlot.COUNT, only(events, "SnapshotWritten").getInt("slots"));
        assertEquals(10, only(events, "SnapshotLoaded").getLong("entries"));
        assertEquals(10, only(events, "FullSync").getLong("entries"));
        List<RecordedEvent> slow = named(events, "SlowOperation");
        assertEquals(
                11,
                slow.stream()
                        .filter(event -> "SET".equals(event.getString("operation"))
                                && event.getInt("slot") == HashSlot.of(bytes("{secret}")))
                        .count());
        assertFalse(events.toString().contains("{secret}"));
    }

    @Test
    void whatIsQuickIsNotRecordedByDefault() throws IOException {
        LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);
        List<RecordedEvent> events = record(Duration.ofDays(1), () -> {
            store.set(bytes("a"), bytes("1"));
            store.expire(10);
        });

        assertEquals(List.of(), events);
        for (EventType type : FlightRecorder.getFlightRecorder().getEventTypes()) {
            if (type.getName().equals("io.kvorum.SlowOperation")) {
                assertEquals(
                        "10 ms",
                        type.getSettingDescriptors().stream()
                                .filter(setting -> setting.getName().equals("threshold"))
                                .findFirst()
                                .orElseThrow()
                                .getDefaultValue());
            }
        }
    }

    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    private List<RecordedEvent> record(Duration threshold, Work work) throws IOException {
        Path file = directory.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            NAMES.forEach(name -> recording.enable("io.kvorum." + name).withThreshold(threshold));
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().startsWith("io.kvorum."))
                .toList();
    }

    private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals("io.kvorum." + name))
                .toList();
    }

    private static RecordedEvent only(List<RecordedEvent> events, String name) {
        List<RecordedEvent> named = named(events, name);
        assertEquals(1, named.size(), name);
        return named.get(0);
    }
}
