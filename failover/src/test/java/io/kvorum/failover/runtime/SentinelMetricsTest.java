package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.LeaderElected;
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
        metrics.accept(new LeaderElected(1, SENTINEL, SHARD, 2, 3));
        metrics.accept(new FailoverAborted(1, SENTINEL, SHARD, 2, AbortReason.TOO_FEW_NODES));
        metrics.accept(new FailoverAborted(1, SENTINEL, SHARD, 3, AbortReason.TOO_FEW_NODES));

        assertEquals(1, count("kvorum.sentinel.events", "event", "leader-elected"));
        assertEquals(2, count("kvorum.sentinel.events", "event", "failover-aborted"));
        assertEquals(0, count("kvorum.sentinel.events", "event", "switched"));
        assertEquals(2, count("kvorum.sentinel.aborts", "reason", "too-few-nodes"));
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
}
