package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.testing.HandScheduler;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FaultsTest {
    private final HandScheduler scheduler = new HandScheduler();
    private final List<String> reported = new ArrayList<>();
    private final Faults faults = new Faults(
            OperatorLog.of(FaultsTest.class),
            "node a",
            scheduler::nanoTime,
            (call, cause) -> reported.add(call + " " + cause.getMessage()));

    @Test
    void ofEachKindOneIsReportedPerSecond() {
        for (int i = 1; i <= 5; i++) {
            faults.note("transport", new IllegalStateException("no. " + i));
            faults.note("gateway", new AssertionError("no. " + i));
            scheduler.passUnnoticed(Faults.PAUSE_NANOS / 4);
        }

        assertEquals(List.of("transport no. 1", "gateway no. 1", "transport no. 5", "gateway no. 5"), reported);
        assertEquals(10, faults.count());
    }
}
