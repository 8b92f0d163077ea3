package io.kvorum.testkit.simulation;

import io.kvorum.replication.LogHistory;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.replication.ReplicationMessage.Heartbeat;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationMessage.StaleEpoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.ShardId;
import java.util.HashMap;
import java.util.Map;

/**
 * Changes the messages of one node, on their way in or out, for the mutants that need it.
 *
 * <p>Confined to one thread.
 */
final class Tampering {
    private final Mutant mutant;
    private LogPosition primaryEnd = LogPosition.START;

    /** The epochs of records that were taken although they were of earlier ones, by their numbers. */
    private final Map<Long, Long> late = new HashMap<>();

    Tampering(Mutant mutant) {
        this.mutant = mutant;
    }

    /** {@return whether a message is to be taken for one of the receiver's primary} */
    boolean takesStray(DataNode node, ReplicationMessage message) {
        NodeStatus status = node.status();
        return mutant == Mutant.STRAY_TAKEN
                && status != null
                && status.primary() != null
                && !message.shard().equals(node.identity().shard());
    }

    /** {@return what a node receives instead of a message that was sent to it} */
    ReplicationMessage received(DataNode node, ReplicationMessage message) {
        if (takesStray(node, message)) {
            return ofShard(node.identity().shard(), message);
        }
        if (message instanceof Heartbeat heartbeat) {
            primaryEnd = heartbeat.end();
        } else if (message instanceof Append append) {
            primaryEnd = new LogPosition(
                    append.epoch(),
                    append.previous().offset() + append.records().readableBytes());
            LogPosition end = node.log().end();
            boolean gap = append.previous().offset() > end.offset();
            boolean diverged = !gap && !node.log().history().contains(append.previous(), end.offset());
            if ((mutant == Mutant.GAP_TAKEN && gap && end.epoch() == append.epoch())
                    || (mutant == Mutant.DIVERGENCE_TAKEN
                            && diverged
                            && append.previous().offset() == end.offset())) {
                return new Append(
                        append.shard(), append.epoch(), append.sequence(), end, append.committed(), append.records());
            }
            NodeStatus status = node.status();
            if (mutant == Mutant.DEPOSED_PRIMARY_TAKEN && status != null && append.epoch() < status.epoch()) {
                late.put(append.sequence(), append.epoch());
                return new Append(
                        append.shard(),
                        status.epoch(),
                        append.sequence(),
                        append.previous(),
                        append.committed(),
                        append.records());
            }
        } else if (message instanceof Ack ack && mutant == Mutant.DIVERGENCE_TAKEN && node.isPrimary()) {
            LogHistory history = node.log().history();
            long end = node.log().end().offset();
            return history.contains(ack.position(), end) || ack.position().offset() > end
                    ? ack
                    : at(Auditor.positionAt(history, ack.position().offset()), ack.epoch(), ack);
        }
        return message;
    }

    /** {@return what a node sends instead of a message} */
    ReplicationMessage sent(ReplicationMessage message) {
        if (!(message instanceof Ack ack)) {
            return message;
        }
        if (mutant == Mutant.ACKNOWLEDGED_BEFORE_TAKEN
                && ack.complete()
                && ack.position().epoch() == primaryEnd.epoch()
                && ack.position().offset() < primaryEnd.offset()) {
            return at(primaryEnd, ack.epoch(), ack);
        }
        if (mutant == Mutant.INCOMPLETENESS_HIDDEN && !ack.complete()) {
            return at(ack.position(), ack.epoch(), true, ack);
        }
        Long epoch = late.remove(ack.sequence());
        return epoch == null ? ack : at(ack.position(), epoch, ack);
    }

    private static Ack at(LogPosition position, long epoch, Ack ack) {
        return at(position, epoch, ack.complete(), ack);
    }

    private static Ack at(LogPosition position, long epoch, boolean complete, Ack ack) {
        return new Ack(
                ack.shard(),
                epoch,
                ack.sequence(),
                ack.incarnation(),
                ack.life(),
                position,
                complete,
                ack.taken(),
                ack.sync(),
                ack.nextPart());
    }

    private static ReplicationMessage ofShard(ShardId shard, ReplicationMessage message) {
        if (message instanceof Heartbeat heartbeat) {
            return new Heartbeat(
                    shard, heartbeat.epoch(), heartbeat.sequence(), heartbeat.end(), heartbeat.committed());
        } else if (message instanceof Append append) {
            return new Append(
                    shard, append.epoch(), append.sequence(), append.previous(), append.committed(), append.records());
        } else if (message instanceof SnapshotPart part) {
            return new SnapshotPart(
                    shard,
                    part.epoch(),
                    part.sequence(),
                    part.incarnation(),
                    part.life(),
                    part.sync(),
                    part.part(),
                    part.start(),
                    part.end(),
                    part.records(),
                    part.entries());
        } else if (message instanceof Ack ack) {
            return new Ack(
                    shard,
                    ack.epoch(),
                    ack.sequence(),
                    ack.incarnation(),
                    ack.life(),
                    ack.position(),
                    ack.complete(),
                    ack.taken(),
                    ack.sync(),
                    ack.nextPart());
        }
        return new StaleEpoch(shard, message.epoch());
    }
}
