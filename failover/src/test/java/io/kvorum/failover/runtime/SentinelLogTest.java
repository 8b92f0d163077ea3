package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The lines that an operator reads. */
final class SentinelLogTest {
    private static final ShardId SHARD = new ShardId("shard-1");
    private static final NodeId ONE = new NodeId("node-1.1");
    private static final NodeId TWO = new NodeId("node-1.2");
    private static final NodeId THREE = new NodeId("node-1.3");
    private static final long MILLI = 1_000_000;

    /** Keeps the lines at INFO and above. */
    private static final class Lines implements Logger {
        final List<String> lines = new ArrayList<>();

        @Override
        public String getName() {
            return "lines";
        }

        @Override
        public boolean isLoggable(Level level) {
            return level.getSeverity() >= Level.INFO.getSeverity();
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String line, @Nullable Throwable thrown) {
            throw new AssertionError(line);
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String line, Object... values) {
            lines.add(level + " " + line);
        }
    }

    private final Lines lines = new Lines();
    private final SentinelLog log = new SentinelLog(OperatorLog.to(lines));
    private ClusterTopology latest = ledBy(ONE, TWO, Epoch.of(6, 1));
    private long number;

    private static ClusterTopology ledBy(NodeId primary, NodeId replica, long epoch) {
        return ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(new TopologyChange.AddShard(SHARD, epoch, primary, List.of(replica, THREE))));
    }

    private void tell(long at, SentinelFact fact) {
        log.tell(new SentinelEvent(++number, at, new NodeId("S1"), fact), latest);
    }

    @Test
    void aFailoverIsTwoLinesAndAnOutage() {
        long before = Epoch.of(6, 1);
        long after = Epoch.of(7, 2);
        tell(0, new SentinelFact.SubjectivelyDown(SHARD, before, ONE, true, SentinelFact.DownReason.SILENT));
        tell(10 * MILLI, new SentinelFact.ObjectivelyDown(SHARD, before, ONE, 2));
        tell(11 * MILLI, new SentinelFact.Candidacy(SHARD, before, 77, false));
        tell(20 * MILLI, new SentinelFact.NodeFenced(SHARD, after, TWO, LogPosition.START, true));
        latest = ledBy(TWO, ONE, after);
        tell(34 * MILLI, new SentinelFact.ObjectivelyUp(SHARD, before, ONE)); // it is down no more, but not up either
        tell(34 * MILLI, new SentinelFact.PrimaryChanged(SHARD, after, ONE, TWO));
        tell(35 * MILLI, new SentinelFact.Switched(SHARD, after, TWO));

        assertEquals(
                List.of(
                        "INFO shard-1: primary node-1.1 is held down by S1: it has been silent for too long",
                        "WARNING shard-1: without a primary: node-1.1, the primary of epoch 6.1, is down, as 2 sentinels"
                                + " agree",
                        "INFO shard-1: node-1.2 is the primary of epoch 7.2 (was node-1.1), 24 ms after it was found"
                                + " down"),
                lines.lines);
    }

    @Test
    void aSwitchoverIsOneLine() {
        tell(0, new SentinelFact.PrimaryPaused(SHARD, Epoch.of(6, 1), ONE, LogPosition.START));
        tell(5 * MILLI, new SentinelFact.PrimaryChanged(SHARD, Epoch.of(7, 2), ONE, TWO));

        assertEquals(List.of("INFO shard-1: node-1.2 is the primary of epoch 7.2 (was node-1.1)"), lines.lines);
    }

    @Test
    void aPrimaryThatComesBackIsALine() {
        tell(0, new SentinelFact.ObjectivelyDown(SHARD, Epoch.of(6, 1), ONE, 2));
        tell(1_300 * MILLI, new SentinelFact.ObjectivelyUp(SHARD, Epoch.of(6, 1), ONE));
        tell(1_300 * MILLI, new SentinelFact.SubjectivelyUp(SHARD, Epoch.of(6, 1), ONE, true));

        assertEquals(
                List.of(
                        "INFO shard-1: node-1.1 is up again as the primary of epoch 6.1, 1.3 s after it was found down",
                        "INFO shard-1: primary node-1.1 is up again for S1"),
                lines.lines.subList(1, 3));
    }

    @Test
    void aShardThatWasNeverBegunSaysWhoMightKnowBetter() {
        tell(0, new SentinelFact.NotBegun(SHARD, 0, List.of()));
        tell(0, new SentinelFact.NotBegun(SHARD, 0, List.of(TWO)));

        assertEquals(
                List.of(
                        "WARNING shard-1: without a primary: it was never begun, as far as S1 has heard",
                        "WARNING shard-1: without a primary: it was never begun, as far as S1 has heard; no answer from"
                                + " node-1.2"),
                lines.lines);
    }

    @Test
    void aShardThatCannotBeFailedOverSaysWhoIsMissing() {
        tell(
                0,
                new SentinelFact.NoFailoverPossible(
                        SHARD,
                        Epoch.of(6, 1),
                        SentinelFact.Obstacle.TOO_FEW_MEMBERS,
                        List.of(ONE, TWO),
                        List.of(THREE)));

        assertEquals(
                List.of("WARNING shard-1: without a primary, and no failover is possible: fewer than a majority of its"
                        + " members answer with complete data; no answer from node-1.1, node-1.2; without complete"
                        + " data: node-1.3"),
                lines.lines);
    }

    @Test
    void aFailoverThatWaitsIsALine() {
        tell(0, new SentinelFact.FailoverDelayed(SHARD, Epoch.of(6, 1), 1, Duration.ofMillis(900)));
        tell(0, new SentinelFact.FailoverDelayed(SHARD, Epoch.of(8, 1), 3, Duration.ofMillis(3_400)));

        assertEquals(
                List.of(
                        "WARNING shard-1: without a primary; S1 begins no failover for another 900 ms: leadership has"
                                + " been moving back and forth (1 return to a node that was deposed)",
                        "WARNING shard-1: without a primary; S1 begins no failover for another 3.4 s: leadership has"
                                + " been moving back and forth (3 returns to a node that was deposed)"),
                lines.lines);
    }

    @Test
    void theReasonOfAnOutageIsSaidOnce() {
        tell(0, new SentinelFact.FailoverAborted(SHARD, Epoch.of(6, 1), AbortReason.PAUSE_REFUSED));
        tell(0, new SentinelFact.ObjectivelyDown(SHARD, Epoch.of(6, 1), ONE, 2));
        for (int i = 7; i < 10; i++) {
            tell(i * MILLI, new SentinelFact.FailoverAborted(SHARD, Epoch.of(i, 1), AbortReason.TOO_FEW_PROMISES));
            tell(i * MILLI, new SentinelFact.FailoverAborted(SHARD, Epoch.of(i, 1), AbortReason.PRE_VOTE_LOST));
        }

        assertEquals(
                List.of("WARNING shard-1: still without a primary: too few members promised the epoch in time (epoch"
                        + " 7.1)"),
                lines.lines.subList(1, lines.lines.size()));
    }

    @Test
    void theOutageOfAShardThatWasRemovedIsOver() {
        tell(0, new SentinelFact.ObjectivelyDown(SHARD, Epoch.of(6, 1), ONE, 2));
        ClusterTopology before = latest;
        latest = ClusterTopology.EMPTY;
        tell(1, new SentinelFact.FailoverAborted(SHARD, Epoch.of(6, 1), AbortReason.UNKNOWN_SHARD));
        latest = before;
        tell(1_300 * MILLI, new SentinelFact.PrimaryChanged(SHARD, Epoch.of(7, 2), ONE, TWO));

        assertEquals(
                List.of("INFO shard-1: node-1.2 is the primary of epoch 7.2 (was node-1.1)"),
                lines.lines.subList(1, lines.lines.size()));
    }

    @Test
    void beginningAnewIsAWarning() {
        MemberList members = MemberList.of(new Member(ONE, 1), new Member(TWO, 2));
        log.beginAnewAsked(SHARD);
        tell(0, new SentinelFact.ShardBegun(SHARD, Epoch.of(9, 1), ONE, members, true));
        tell(0, new SentinelFact.ShardBegun(SHARD, Epoch.of(1, 1), ONE, members, false));

        assertEquals(
                List.of(
                        "WARNING shard-1: ordered to begin anew; every write that its next primary lacks will be lost",
                        "WARNING shard-1: begun anew, and every write that node-1.1 lacks is lost: node-1.1 is the"
                                + " primary of epoch 9.1, of the members node-1.1, node-1.2",
                        "INFO shard-1: begun: node-1.1 is the primary of epoch 1.1, of the members node-1.1, node-1.2"),
                lines.lines);
    }
}
