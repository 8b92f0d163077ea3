package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.slots.topology.ShardId;

/**
 * A manual failover that was refused or given up. What to do about it follows from {@link #reason()}.
 *
 * <p>No stack trace is recorded: it is an expected answer, and would show only the sentinel's own step. Not meant for
 * Java serialization, which would drop the identity of the shard.
 *
 * <p>Safe for use by any number of threads.
 */
public final class FailoverFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ShardId shard;
    private final long epoch;
    private final AbortReason reason;

    /**
     * Describes the failure.
     *
     * @param shard the shard
     * @param epoch the epoch of the attempt; of the shard's configuration if none was begun; 0 of an unknown shard
     * @param reason why
     */
    public FailoverFailedException(ShardId shard, long epoch, AbortReason reason) {
        super("failover of " + shard + " in epoch " + epoch + " failed: " + reason, null, false, false);
        this.shard = requireNonNull(shard, "shard");
        this.epoch = epoch;
        this.reason = requireNonNull(reason, "reason");
    }

    /** {@return the shard} */
    public ShardId shard() {
        return shard;
    }

    /** {@return the epoch of the attempt; of the shard's configuration if none was begun; 0 of an unknown shard} */
    public long epoch() {
        return epoch;
    }

    /** {@return why it failed} */
    public AbortReason reason() {
        return reason;
    }
}
