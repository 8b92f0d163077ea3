package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
    void twoFitIntoTheTimeoutWhileAllHaveEverything() {
        assertEquals(2, heartbeats(TestShard.SETTINGS.replicaTimeout()));
    }

    /** What the last write has committed is told once, within an interval. */
    @Test
    void afterAWriteTheReplicasSoonKnowThatItIsCommitted() {
        shard.heartbeat(a);
        a.write("key", "value");
        shard.step();
        assertEquals(1, heartbeats(INTERVAL));

        assertEquals(a.end().offset(), shard.node(B).status().committed());
        assertEquals(2, heartbeats(TestShard.SETTINGS.replicaTimeout()));
    }

    /** A write at rest is sent at once and alone: the heartbeat that looks after it comes an interval later. */
    @Test
    void aWriteAtRestBringsNoHeartbeatForward() {
        shard.heartbeat(a);
        heartbeats(INTERVAL.multipliedBy(2));
        a.write("key", "value");
        shard.step();
        assertEquals(a.end(), shard.node(B).end());
        assertEquals(0, heartbeats(INTERVAL.minusMillis(1)));

        assertEquals(1, heartbeats(Duration.ofMillis(1)));
    }

    /** A write just before the heartbeat that is due at rest does not hold that back. */
    @Test
    void aWriteAtRestDelaysNoHeartbeat() {
        shard.heartbeat(a);
        heartbeats(TestShard.REST.minusMillis(10));
        a.write("key", "value");
        shard.step();

        assertEquals(1, heartbeats(Duration.ofMillis(10)));
    }

    /** One that is lost is followed by others in each interval, so that a replica that is there counts all the time. */
    @Test
    void aLostHeartbeatIsFollowedByOthersInEachInterval() {
        shard.heartbeat(a);
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.Heartbeat;
        assertEquals(1, heartbeats(TestShard.REST));
        assertEquals(4, heartbeats(INTERVAL.multipliedBy(4)));
        assertTrue(a.feeds(B).connected());
        shard.heal();
        heartbeats(INTERVAL);

        assertTrue(a.feeds(B).connected());
        assertEquals(2, heartbeats(TestShard.SETTINGS.replicaTimeout()));
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
