package io.kvorum.failover;

import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.slots.topology.NodeId;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Tells the other sentinels of a primary that this one brought about, until a majority of them knows it. */
final class Publication {
    private final ShardPrimary primary;
    private final ShardContext context;
    private final Set<NodeId> knowing = new LinkedHashSet<>();
    private long resendAt;

    Publication(ShardPrimary primary, ShardContext context, long now) {
        this.primary = primary;
        this.context = context;
        knowing.add(context.self());
        resendAt = now + context.settings().resendPeriod().toNanos(); // a new primary is announced at once
    }

    ShardPrimary primary() {
        return primary;
    }

    void heard(NodeId from, ShardPrimary known) {
        if (known.epoch() >= primary.epoch()) {
            knowing.add(from);
        }
    }

    boolean isComplete() {
        return knowing.size() >= context.sentinels().majority();
    }

    void resend(Opinion opinion, long now) {
        if (now - resendAt < 0) {
            return;
        }
        resendAt = now + context.settings().resendPeriod().toNanos();
        for (NodeId peer : context.outbox().peers()) {
            if (!knowing.contains(peer)) {
                context.outbox().send(peer, new Opinions(List.of(opinion)));
            }
        }
    }

    long dueBy(long due) {
        return ShardContext.earlier(due, resendAt);
    }
}
