package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a replica has built of a full sync is forgotten once its primary sends records again, and not before. */
final class AbandonedSyncTest extends ShardTest {
    private static final long NEWEST = 1_000;

    @BeforeEach
    void write() {
        a.write("key", "before");
        shard.settle();
    }

    private void deliver(long sequence, int part) {
        NodeStatus replica = c.status();
        ByteBuf nothing = Unpooled.EMPTY_BUFFER;
        shard.deliver(new TestShard.Sent(
                A,
                C,
                new SnapshotPart(
                        TestShard.SHARD,
                        replica.epoch(),
                        sequence,
                        replica.incarnation(),
                        replica.life(),
                        99,
                        part,
                        replica.position(),
                        null,
                        nothing,
                        nothing)));
    }

    @Test
    void recordsThatFollowEndIt() {
        deliver(1, 0);
        assertEquals(1, c.state.openRestorations);

        a.write("key", "after");
        shard.settle();

        assertEquals(0, c.state.openRestorations);
        assertEquals(Map.of("key", "after"), c.state.map);
        shard.assertEqual();
    }

    /** A part that came before and is sent again shows that the primary is still, or again, at it. */
    @Test
    void recordsThatAreOlderThanItsNewestPartDoNot() {
        deliver(1, 0);
        deliver(NEWEST, 0);

        a.write("key", "after");
        shard.settle();

        assertEquals(1, c.state.openRestorations);
        assertEquals(Map.of("key", "after"), c.state.map);
    }
}
