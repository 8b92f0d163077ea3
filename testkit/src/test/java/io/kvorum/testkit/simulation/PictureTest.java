package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.simulation.Profile.Style;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What the README has a picture of: with a guard switched off, a node that comes back without its data counts in a
 * failover as if it had it, and an acknowledged write is lost. The page is written to
 * {@code target/simulation/picture.html}.
 */
@ExtendWith(ProductLog.class)
final class PictureTest {
    private static final long AT = Plan.FAULTS_BEGIN;
    private static final long PRIMARY_DOWN = 7 * Plan.SECOND;
    private static final NodeId FIRST_PRIMARY = new NodeId("node-1a");
    private static final NodeId CUT_OFF = new NodeId("node-1c");

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
    void withoutTheGuardAnAcknowledgedWriteIsLost() throws IOException {
        Report report = Simulation.replayPast(PLAN, Mutant.INCOMPLETE_PROMISE_COUNTS);

        report.page("A node without its data counts in a failover").write(Path.of("target/simulation"), "picture");
        assertEquals(
                "acknowledged writes survive",
                requireNonNull(report.violation()).invariant());
        assertEquals(List.of(FIRST_PRIMARY, CUT_OFF), promoted(report).subList(0, 2));
    }

    @Test
    void withItThePrimaryIsWaitedForAndNothingIsLost() {
        Report report = Simulation.replay(PLAN, Mutant.NONE);

        assertNull(report.violation());
        List<Outages.Outage> failovers = report.measured().failovers();
        assertEquals(1, failovers.size(), failovers::toString);
        assertTrue(failovers.get(0).nanos() > PRIMARY_DOWN, failovers::toString);
        assertEquals(List.of(FIRST_PRIMARY, FIRST_PRIMARY), promoted(report));
    }

    /** {@return who became the primary, from the start on} */
    private static List<NodeId> promoted(Report report) {
        List<NodeId> promoted = new ArrayList<>();
        for (ClusterEvent event : requireNonNull(report.trace()).events()) {
            if (event instanceof ClusterEvent.OfNode of && of.event() instanceof ReplicationEvent.Promoted promotion) {
                promoted.add(promotion.node());
            }
        }
        return promoted;
    }
}
