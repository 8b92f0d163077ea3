package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How often a primary speaks to its replicas. */
final class HeartbeatsTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");
    private static final Duration INTERVAL = TestShard.SETTINGS.heartbeatInterval();

    private final TestShard shard = new TestShard(A, B, C);
    private final TestShard.Node a = shard.node(A);
    private int heartbeats;

    @BeforeEach
    void begin() {
        shard.begin();
        shard.settle();
    }

    @AfterEach
    void end() {
        shard.close();
    }

    /** {@return how many heartbeats b is sent while time passes, a millisecond at a time} */
    private int heartbeats(Duration time) {
        heartbeats = 0;
        for (long i = 0; i < time.toMillis(); i++) {
            shard.now += 1_000_000;
            shard.nodes.values().forEach(shard::tick);
            heartbeats += (int) shard.network.stream()
                    .filter(sent -> sent.to().equals(B) && sent.message() instanceof ReplicationMessage.Heartbeat)
                    .count();
            shard.step();
        }
        return heartbeats;
    }

    @Test
    void fourFitIntoTheTimeoutWhileAllHaveEverything() {
        assertEquals(4, heartbeats(TestShard.SETTINGS.replicaTimeout()));
    }

    /** What the last write has committed is told once, within an interval. */
    @Test
    void afterAWriteTheReplicasSoonKnowThatItIsCommitted() {
        heartbeats(TestShard.REST);
        a.write("key", "value");
        shard.step();
        heartbeats(INTERVAL);

        assertEquals(a.end().offset(), shard.node(B).status().committed());
        assertEquals(3, heartbeats(TestShard.SETTINGS.replicaTimeout().minus(INTERVAL)));
    }

    /** A record whose message is lost is sent again after an interval, however long the shard was at rest. */
    @Test
    void aLostWriteIsRepairedWithinAnInterval() {
        heartbeats(TestShard.REST);
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.Append;
        a.write("key", "value");
        shard.step();
        shard.heal();
        heartbeats(INTERVAL);

        assertEquals(a.end(), shard.node(B).end());
    }

    /** One replica that does not answer is asked in each interval, so that its return is soon seen. */
    @Test
    void aSilentReplicaIsAskedInEachInterval() {
        shard.isolate(C);
        heartbeats(TestShard.REST);

        assertEquals(10, heartbeats(INTERVAL.multipliedBy(10)));
    }
}
