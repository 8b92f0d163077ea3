package io.kvorum.testkit.simulation;

import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.slots.topology.LogPosition;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of the newest full sync that were delivered to a node, for the mutant that takes a full sync however late
 * its last part comes.
 *
 * <p>Confined to one thread.
 */
final class LateSync {
    private final List<SnapshotPart> parts = new ArrayList<>();
    private long epoch;
    private long sync;

    /**
     * Keeps a copy of a part that begins a newer full sync, or continues the one that is under way.
     *
     * @param end where the node is
     * @return all parts, which the caller owns, if this is the last one and they lead back; else nothing
     */
    List<SnapshotPart> add(SnapshotPart part, LogPosition end) {
        if (part.part() == 0 && (part.epoch() > epoch || (part.epoch() == epoch && part.sync() > sync))) {
            clear();
            epoch = part.epoch();
            sync = part.sync();
        } else if (part.epoch() != epoch || part.sync() != sync || part.part() != parts.size() || parts.isEmpty()) {
            return List.of();
        }
        parts.add(part.copy());
        if (part.end() == null) {
            return List.of();
        }
        List<SnapshotPart> all = List.copyOf(parts);
        parts.clear();
        if (epoch == end.epoch() && part.start().offset() + part.records().readableBytes() < end.offset()) {
            return all;
        }
        all.forEach(SnapshotPart::release);
        return List.of();
    }

    void clear() {
        parts.forEach(SnapshotPart::release);
        parts.clear();
    }
}
