package io.kvorum.failover;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.slots.ShardId;
import java.util.Objects;

/** A manual failover that was refused or given up. What to do about it follows from {@link #reason()}. */
public final class FailoverFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ShardId shard;
    private final long epoch;
    private final AbortReason reason;

    /**
     * Describes the failure.
     *
     * @param shard the shard
     * @param epoch the epoch of the attempt, or of the shard's configuration if there was none
     * @param reason why
     */
    public FailoverFailedException(ShardId shard, long epoch, AbortReason reason) {
        super("failover of " + shard + " in epoch " + epoch + " failed: " + reason);
        this.shard = Objects.requireNonNull(shard, "shard");
        this.epoch = epoch;
        this.reason = Objects.requireNonNull(reason, "reason");
    }

    /** {@return the shard} */
    public ShardId shard() {
        return shard;
    }

    /** {@return the epoch of the attempt, or of the shard's configuration if there was none} */
    public long epoch() {
        return epoch;
    }

    /** {@return why it failed} */
    public AbortReason reason() {
        return reason;
    }
}
