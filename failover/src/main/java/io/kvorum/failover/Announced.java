package io.kvorum.failover;

import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import java.util.List;

/** The opinion that one sentinel has last announced of a shard, and when it was new. */
final class Announced {
    private final ShardContext context;
    private final long life;
    private Opinion said;
    private long saidAt;

    Announced(ShardContext context, ShardPrimary primary, long now) {
        this.context = context;
        life = context.settings().opinionLife().toNanos();
        said = new Opinion(primary, false, 0);
        saidAt = now;
    }

    /** {@return the latest opinion that was announced} */
    Opinion opinion() {
        return said;
    }

    /** {@return whether the opinion counts while it is repeated only, or is so new that the others may not know it} */
    boolean isNews(long now) {
        return said.subjectivelyDown() || said.leadingAttempt() != 0 || now - saidAt < life;
    }

    /** Broadcasts a changed opinion at once; without this the others would learn of it with the next period. */
    void announce(ShardPrimary primary, boolean down, long leading, long now) {
        if (said.subjectivelyDown() != down
                || said.leadingAttempt() != leading
                || !said.primary().equals(primary)) {
            said = new Opinion(primary, down, leading);
            saidAt = now;
            context.outbox().broadcast(new Opinions(List.of(said)));
        }
    }
}
