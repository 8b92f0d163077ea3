package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.FailoverAborted;
import io.kvorum.failover.SentinelFact.LeaderElected;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SentinelMetricsTest {
    private static final NodeId SENTINEL = new NodeId("s1");
    private static final ShardId SHARD = new ShardId("shard");

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final SentinelMetrics metrics = new SentinelMetrics(SENTINEL);

    @Test
    void eventsAreCountedByKindAndAbortsByReason() {
        metrics.bindTo(registry);
        metrics.accept(event(new LeaderElected(SHARD, 2, 7, 3)));
        metrics.accept(event(new FailoverAborted(SHARD, 2, AbortReason.TOO_FEW_PROMISES)));
        metrics.accept(event(new FailoverAborted(SHARD, 3, AbortReason.TOO_FEW_PROMISES)));

        assertEquals(1, count("kvorum.sentinel.events", "event", "leader-elected"));
        assertEquals(2, count("kvorum.sentinel.events", "event", "failover-aborted"));
        assertEquals(0, count("kvorum.sentinel.events", "event", "switched"));
        assertEquals(2, count("kvorum.sentinel.aborts", "reason", "too-few-promises"));
    }

    @Test
    void closingRemovesTheMeters() {
        metrics.bindTo(registry);
        metrics.close();

        assertEquals(List.of(), registry.getMeters());
    }

    private double count(String name, String tag, String value) {
        return registry.get(name)
                .tag("sentinel", "s1")
                .tag(tag, value)
                .functionCounter()
                .count();
    }

    private static SentinelEvent event(SentinelFact fact) {
        return new SentinelEvent(1, 1, SENTINEL, fact);
    }
}
