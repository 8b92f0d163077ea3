package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the primary of a shard from moving back and forth without end, as it would while a quorum of the sentinels
 * cannot reach one member and a quorum cannot reach another: each of the two is deposed as soon as it is found silent,
 * and the other takes its place.
 *
 * <p>A node that a failover deposed, and that has not been heard to restart since, is promoted only if no other of its
 * priority has as much data. If the primary returns to it all the same, the next failover waits until the primary has
 * led for a while: {@code downAfter} after the first return, and twice as long after each further one, up to
 * {@code failoverDelayLimit}. All that is forgotten once a primary has led for long enough.
 *
 * <p>Nodes that fail one after the other are no return, nor is one that comes back from silence, without its data, or
 * without its leadership: it was down. Nor does a change count while nobody holds the primary down: it is a switchover.
 *
 * <p>This is liveness only, from what this sentinel has heard and in its memory alone: one that starts anew does not
 * wait.
 */
final class Deposals {
    private final SentinelSettings settings;
    /** Who was deposed, and has not been heard to restart. */
    private final Set<NodeId> deposed = new LinkedHashSet<>();
    /** How often the primary has returned to one of them. */
    private int returns;
    /** When the present primary became known here. */
    private long ledSince;
    /** Whether it has denied the very epoch that it led: it was restarted. */
    private boolean restarted;

    Deposals(SentinelSettings settings, long now) {
        this.settings = settings;
        ledSince = now;
    }

    /** {@return the nodes that were deposed of late although they may have been up} */
    Set<NodeId> deposed() {
        return deposed;
    }

    /** {@return how often the primary has returned of late to a node that was deposed} */
    int returns() {
        return returns;
    }

    /** A node answered; {@code fromSilence} if it had not been heard before, or not for too long. */
    void heard(NodeReport report, ShardPrimary primary, boolean fromSilence) {
        if (fromSilence || !report.complete()) {
            deposed.remove(report.node());
        }
        restarted |= report.node().equals(primary.primary()) && report.epoch() == primary.epoch() && !report.primary();
    }

    /**
     * A later primary became known.
     *
     * @param before the former primary
     * @param latest the report of that, or null if it is silent
     * @param later the present primary
     * @param byFailover whether any sentinel, as far as was heard, held the former one down
     */
    void adopted(NodeId before, @Nullable NodeReport latest, NodeId later, boolean byFailover, long now) {
        if (now - ledSince >= calm()) {
            deposed.clear();
            returns = 0;
        }
        ledSince = now;
        boolean back = deposed.remove(later);
        if (byFailover && !before.equals(later)) {
            returns += back ? 1 : 0;
            if (!restarted && (latest == null || latest.complete())) {
                deposed.add(before);
            }
        }
        restarted = false;
    }

    /** {@return how long a failover still has to wait; at most 0 if it need not} */
    long remaining(long now) {
        return ledSince + delay().toNanos() - now;
    }

    /** {@return the earlier of {@code due} and the moment when a failover need not wait any more} */
    long dueBy(long due, long now) {
        return remaining(now) > 0 ? ShardContext.earlier(due, now + remaining(now)) : due;
    }

    private Duration delay() {
        Duration limit = settings.failoverDelayLimit();
        Duration delay = returns == 0 ? Duration.ZERO : settings.downAfter();
        for (int i = 1; i < returns && delay.compareTo(limit) < 0; i++) {
            delay = delay.multipliedBy(2);
        }
        return delay.compareTo(limit) < 0 ? delay : limit;
    }

    /** How long a primary has led that is in no danger of moving back and forth: longer than any delay allows. */
    private long calm() {
        return settings.failoverDelayLimit()
                .plus(settings.downAfter())
                .multipliedBy(2)
                .toNanos();
    }
}
