package io.kvorum.redis;

import io.kvorum.slots.topology.LogPosition;
import org.jspecify.annotations.Nullable;

/**
 * A server at one moment.
 *
 * @param runId the number of the run, which a restart changes
 * @param primary whether it takes writes
 * @param masterHost whom it follows
 * @param masterPort whom it follows; 0 if nobody
 * @param linkUp whether it is connected to whom it follows
 * @param syncing whether it is being given all data
 * @param replicas how many replicas it feeds that have all data
 * @param offset how much of its history it has
 * @param record the record of the leadership that its data is of, if there is one
 */
record ServerState(
        String runId,
        boolean primary,
        String masterHost,
        int masterPort,
        boolean linkUp,
        boolean syncing,
        int replicas,
        long offset,
        @Nullable LeadershipRecord record) {
    static ServerState of(ServerInfo info, byte @Nullable [] record) {
        boolean primary = info.text("role").equals("master");
        return new ServerState(
                info.text("run_id"),
                primary,
                info.text("master_host"),
                primary ? 0 : (int) info.number("master_port"),
                info.text("master_link_status").equals("up"),
                info.text("master_sync_in_progress").equals("1")
                        || info.text("loading").equals("1"),
                info.replicas(),
                Math.max(0, info.number(primary ? "master_repl_offset" : "slave_repl_offset")),
                LeadershipRecord.parse(record));
    }

    LogPosition position() {
        return new LogPosition(record == null ? 0 : record.epoch(), offset);
    }
}
