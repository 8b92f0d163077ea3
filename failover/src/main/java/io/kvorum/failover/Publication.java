package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;
import java.util.LinkedHashSet;
import java.util.Set;

/** Has the configuration that a leader's failover brought about stored by a majority of the sentinels. */
final class Publication {
    private final Configuration configuration;
    private final Outbox outbox;
    private final Set<NodeId> stored = new LinkedHashSet<>();
    private long sentAt;

    Publication(Configuration configuration, Outbox outbox, long now) {
        this.configuration = configuration;
        this.outbox = outbox;
        sentAt = now; // whoever adopts a configuration tells everybody at once
        stored.add(outbox.self());
    }

    Configuration configuration() {
        return configuration;
    }

    /** A sentinel says what configuration it holds: it says so only after it has stored it. */
    void heard(NodeId from, Configuration holds) {
        if (holds.epoch() >= configuration.epoch()) {
            stored.add(from);
        }
    }

    boolean isStoredByMajority() {
        return stored.size() >= Watch.majority(outbox.peers().size() + 1);
    }

    /** Tells those again who have not confirmed. */
    void resend(SentinelMessage opinion, SentinelSettings settings, long now) {
        if (now - sentAt >= settings.resendPeriod().toNanos()) {
            sentAt = now;
            for (NodeId peer : outbox.peers()) {
                if (!stored.contains(peer)) {
                    outbox.send(peer, opinion);
                }
            }
        }
    }
}
