package io.kvorum.replication.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The lines that an operator reads. */
final class NodeLogTest {
    private static final NodeId ONE = new NodeId("node-1.1");
    private static final NodeId TWO = new NodeId("node-1.2");
    private static final MemberList MEMBERS = MemberList.of(new Member(ONE, 1), new Member(TWO, 2));

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
    private final NodeLog log = new NodeLog(OperatorLog.to(lines), new ShardId("shard-1"));

    @Test
    void changesOfTheRoleAreLines() {
        log.tell(new ReplicationEvent.Promoted(ONE, Epoch.of(6, 1)));
        log.tell(new ReplicationEvent.PartialSync(ONE, TWO, LogPosition.START));
        log.tell(new ReplicationEvent.Deposed(ONE, Epoch.of(6, 1), Epoch.of(7, 2), LogPosition.START));
        log.tell(new ReplicationEvent.Following(ONE, TWO, Epoch.of(7, 2)));
        log.tell(new ReplicationEvent.MembersChanged(TWO, MEMBERS));

        assertEquals(
                List.of(
                        "INFO shard-1: node-1.1 leads epoch 6.1 and takes writes",
                        "INFO shard-1: node-1.1 no longer leads epoch 6.1: it has promised epoch 7.2; its log ends at "
                                + LogPosition.START,
                        "INFO shard-1: node-1.1 follows node-1.2 in epoch 7.2",
                        "INFO shard-1: the members are node-1.1, node-1.2"),
                lines.lines);
    }

    @Test
    void lostDataIsAWarning() {
        log.tell(new ReplicationEvent.ShardBegun(ONE, Epoch.of(1, 1), MEMBERS, false));
        log.tell(new ReplicationEvent.ShardBegun(ONE, Epoch.of(9, 1), MEMBERS, true));

        assertEquals(
                List.of(
                        "INFO shard-1: begun: node-1.1 leads epoch 1.1, of the members node-1.1, node-1.2",
                        "WARNING shard-1: begun anew on the data of node-1.1, all other data is lost: node-1.1 leads"
                                + " epoch 9.1, of the members node-1.1, node-1.2"),
                lines.lines);
    }
}
