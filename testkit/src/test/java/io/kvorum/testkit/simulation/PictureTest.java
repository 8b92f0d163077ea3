package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.testkit.simulation.Profile.Style;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The bug that the README has a picture of: a node that came back without its data counted in a failover as if it had
 * it, and an acknowledged write was lost. The page is written to {@code target/simulation/picture.html}.
 */
@ExtendWith(ProductLog.class)
final class PictureTest {
    private static final long AT = Plan.FAULTS_BEGIN;
    private static final long PRIMARY_DOWN = 7 * Plan.SECOND;

    /** One replica is cut off and lags behind, the other one loses its data, and the primary crashes. */
    private static final List<Fault> FAULTS = List.of(
            new Fault(Fault.Kind.CUT, AT, 4 * Plan.SECOND, 1 << 2, 0, 0),
            new Fault(Fault.Kind.CRASH_EMPTY, AT + 2 * Plan.SECOND, Plan.SECOND, 1, 0, 0),
            new Fault(Fault.Kind.CRASH, AT + 2 * Plan.SECOND + 100 * Plan.MILLISECOND, PRIMARY_DOWN, 0, 0, 0));

    private static final Plan PLAN = new Plan(
            1,
            Profile.CLASSIC,
            Style.STORM,
            new Shape(1, 3, 3, 2, 4),
            14 * Plan.SECOND,
            true,
            Plan.MILLISECOND,
            3 * Plan.MILLISECOND,
            0,
            0,
            1 << 16,
            20,
            false,
            100 * Plan.MILLISECOND,
            0,
            0,
            0,
            0,
            FAULTS);

    @Test
    void withTheBugAnAcknowledgedWriteIsLost() throws IOException {
        Report report = Simulation.replayPast(PLAN, Mutant.INCOMPLETE_PROMISE_COUNTS);

        report.page("A node without its data counts in a failover").write(Path.of("target/simulation"), "picture");
        assertEquals(
                "acknowledged writes survive",
                requireNonNull(report.violation()).invariant());
    }

    @Test
    void withoutItThePrimaryIsWaitedForAndNothingIsLost() {
        Report report = Simulation.run(PLAN, Mutant.NONE);

        assertNull(report.violation());
        for (Outages.Outage failover : report.measured().failovers()) {
            assertTrue(failover.nanos() > PRIMARY_DOWN, failover::toString);
        }
    }
}
