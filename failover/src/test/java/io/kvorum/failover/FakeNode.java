package io.kvorum.failover;

import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/** A node without data: it keeps the promises of {@link NodeCommand}, and its log is just a position. */
final class FakeNode {
    final NodeId id;
    final ShardId shard;
    boolean up = true;
    int priority = 100;
    boolean synced = true;
    LogPosition position = LogPosition.START;
    long promised;
    /** The epoch it leads or last led; 0 for none. */
    long leading;

    @Nullable
    NodeId following;

    boolean paused;
    long pausedUntil;
    /** Commands that the node is to lose, for scripted faults. */
    @Nullable
    Class<? extends NodeCommand> deafTo;

    FakeNode(NodeId id, ShardId shard) {
        this.id = id;
        this.shard = shard;
    }

    boolean isPrimary() {
        return leading > 0 && leading == promised;
    }

    boolean takesWrites(long now) {
        return up && isPrimary() && !(paused && now - pausedUntil < 0);
    }

    void promise(long epoch) {
        promised = Math.max(promised, epoch);
    }

    /** The process is gone and comes back with its promise, but in no role. */
    void restart(boolean withData) {
        up = true;
        leading = 0;
        following = null;
        paused = false;
        if (!withData) {
            position = LogPosition.START;
            synced = false;
            promised = 0;
        }
    }

    NodeReport report() {
        return new NodeReport(
                id, shard, isPrimary(), promised, isPrimary() ? null : following, position, synced, priority);
    }

    NodeAnswer handle(NodeCommand command, long now) {
        return new NodeAnswer(command, outcome(command, now), report());
    }

    private Outcome outcome(NodeCommand command, long now) {
        if (!command.shard().equals(shard)) {
            return Outcome.WRONG_SHARD;
        } else if (command instanceof NodeCommand.Fence fence) {
            if (fence.epoch() < promised) {
                return Outcome.STALE_EPOCH;
            }
            promised = fence.epoch();
            return Outcome.DONE;
        } else if (command instanceof NodeCommand.Promote promote) {
            return promote(promote);
        } else if (command instanceof NodeCommand.Follow follow) {
            if (follow.epoch() < promised) {
                return Outcome.STALE_EPOCH;
            }
            promised = follow.epoch();
            leading = 0;
            following = follow.primary();
            return Outcome.DONE;
        } else if (command instanceof NodeCommand.Pause pause) {
            if (!isPrimary() || pause.epoch() != leading) {
                return Outcome.NOT_PRIMARY;
            }
            paused = true;
            pausedUntil = now + pause.limit().toNanos();
            return Outcome.DONE;
        } else if (command instanceof NodeCommand.Resume resume) {
            if (!isPrimary() || resume.epoch() != leading) {
                return Outcome.NOT_PRIMARY;
            }
            paused = false;
            return Outcome.DONE;
        }
        return Outcome.DONE;
    }

    private Outcome promote(NodeCommand.Promote promote) {
        if (promote.epoch() < promised) {
            return Outcome.STALE_EPOCH;
        }
        if (isPrimary() && leading == promote.epoch()) {
            return Outcome.DONE;
        }
        if (!synced) {
            return Outcome.NOT_SYNCED;
        }
        if (!position.equals(promote.expected())) {
            return Outcome.WRONG_POSITION;
        }
        promised = promote.epoch();
        leading = promote.epoch();
        following = null;
        paused = false;
        return Outcome.DONE;
    }
}
