package io.kvorum.failover;

import io.kvorum.failover.SentinelFact.NoFailoverPossible;
import io.kvorum.failover.SentinelFact.NotBegun;
import org.jspecify.annotations.Nullable;

/** The reasons for having no primary that a sentinel has told of a shard, kept so that it tells each only once. */
final class ToldProspect {
    private final ShardContext context;
    private final Watch watch;
    private boolean notBegun;
    private @Nullable Prospect obstacle;

    ToldProspect(ShardContext context, Watch watch) {
        this.context = context;
        this.watch = watch;
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

    /** No failover is needed. */
    void clear() {
        obstacle = null;
    }
}
