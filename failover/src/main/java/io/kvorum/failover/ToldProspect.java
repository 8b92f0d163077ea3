package io.kvorum.failover;

import io.kvorum.failover.SentinelFact.FailoverDelayed;
import io.kvorum.failover.SentinelFact.NoFailoverPossible;
import io.kvorum.failover.SentinelFact.NotBegun;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The reasons for having no primary that a sentinel has told of a shard, kept so that it tells each only once. */
final class ToldProspect {
    private final ShardContext context;
    private final Watch watch;
    private final Deposals deposals;
    private boolean notBegun;
    private @Nullable Prospect obstacle;
    /** The primary whose failover was last told to wait. */
    private @Nullable ShardPrimary delayed;

    ToldProspect(ShardContext context, Watch watch, Deposals deposals) {
        this.context = context;
        this.watch = watch;
        this.deposals = deposals;
    }

    /** {@return the obstacle to a failover that is needed, or null if there is none} */
    @Nullable
    Prospect obstacle() {
        return obstacle;
    }

    /** {@return whether it was told that the shard is not begun, and that is so by all that was heard since} */
    boolean isNotBegun() {
        return notBegun && !watch.hasBegun();
    }

    void tellIfNotBegun(ShardPrimary primary, long now) {
        if (!notBegun && watch.isNotBegun(now)) {
            notBegun = true;
            context.tell(new NotBegun(context.shard(), primary.epoch(), watch.silent()), now);
        }
    }

    /** {@return whether a failover that is needed can succeed; if it cannot, that is told} */
    boolean isGood(ShardPrimary primary, long now) {
        Prospect prospect = watch.prospect();
        if (prospect.obstacle() == null) {
            obstacle = null;
            return true;
        }
        if (!prospect.equals(obstacle)) {
            obstacle = prospect;
            context.tell(
                    new NoFailoverPossible(
                            context.shard(),
                            primary.epoch(),
                            prospect.obstacle(),
                            prospect.missing(),
                            prospect.incomplete()),
                    now);
        }
        return false;
    }

    /** {@return whether a failover that is needed may begin now; if it has to wait, that is told} */
    boolean isDue(ShardPrimary primary, long now) {
        long wait = deposals.remaining(now);
        if (wait > 0 && !primary.equals(delayed)) {
            delayed = primary;
            context.tell(
                    new FailoverDelayed(context.shard(), primary.epoch(), deposals.returns(), Duration.ofNanos(wait)),
                    now);
        }
        return wait <= 0;
    }

    /** No failover is needed. */
    void clear() {
        obstacle = null;
    }
}
