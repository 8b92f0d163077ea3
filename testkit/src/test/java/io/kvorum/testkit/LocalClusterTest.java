package io.kvorum.testkit;

import static io.kvorum.slots.topology.RefusedException.Kind.CLUSTER_DOWN;
import static io.kvorum.slots.topology.RefusedException.Kind.READ_ONLY;
import static io.kvorum.testkit.Clusters.FIRST;
import static io.kvorum.testkit.Clusters.LIMIT;
import static io.kvorum.testkit.Clusters.SECOND;
import static io.kvorum.testkit.Clusters.SENTINEL;
import static io.kvorum.testkit.Clusters.bytes;
import static io.kvorum.testkit.Clusters.keyIn;
import static io.kvorum.testkit.Clusters.local;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** While no node is held down. */
final class LocalClusterTest {
    private static final LocalClusterSettings SETTINGS = Clusters.settings(Duration.ofHours(1));

    private final LocalCluster cluster =
            LocalCluster.builder().settings(SETTINGS).virtualTime(1).start();

    LocalClusterTest() {
        cluster.awaitReady(LIMIT);
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void whenReadyEverySlotIsServedByTheFirstNodeOfItsShard() {
        assertEquals(SlotSet.EMPTY, cluster.uncovered());
        assertEquals(new NodeId("node-1.1"), cluster.primaryOf(FIRST).id());
        assertEquals(new NodeId("node-2.1"), cluster.primaryOf(SECOND).id());
        assertEquals(6, cluster.nodes().size());
        assertEquals(3, cluster.sentinels().size());
        assertTrue(cluster.sentinel(SENTINEL).driver().quorumCheck().votesReachable());
    }

    @Test
    void aWriteIsReadFromEveryNodeOfItsShardAndFromNoOther() {
        byte[] key = keyIn(cluster, FIRST);
        cluster.client().set(key, bytes("value"));
        cluster.awaitReady(LIMIT);

        for (LocalNode node : cluster.nodes(FIRST)) {
            assertArrayEquals(bytes("value"), local(node).get(key));
        }
        RefusedException refusal = assertThrows(
                RefusedException.class, () -> local(cluster.primaryOf(SECOND)).get(key));
        assertEquals(RefusedException.Kind.MOVED, refusal.kind());
        assertEquals(cluster.primaryFor(key).id(), refusal.primary());
    }

    @Test
    void aReplicaRefusesAWriteAndNamesThePrimary() {
        byte[] key = keyIn(cluster, FIRST);
        LocalNode replica = cluster.nodes(FIRST).get(1);

        RefusedException refusal =
                assertThrows(RefusedException.class, () -> local(replica).set(key, bytes("value")));

        assertEquals(READ_ONLY, refusal.kind());
        assertEquals(replica.id(), refusal.node());
        assertEquals(cluster.primaryOf(FIRST).id(), refusal.primary());
        assertNull(cluster.client().get(key));
    }

    @Test
    void aShardThatIsCutOffIsRefusedAndTheOthersGoOn() {
        byte[] inside = keyIn(cluster, FIRST);
        byte[] outside = keyIn(cluster, SECOND);
        cluster.client().set(inside, bytes("kept"));

        cluster.isolate(cluster.nodes(FIRST).stream().map(LocalNode::id).toArray(NodeId[]::new));

        assertEquals(SETTINGS.slots().get(0), cluster.uncovered());
        KeyValueStore hasty =
                cluster.clusterClient().withTimeout(Duration.ofMillis(20)).store();
        RefusedException refusal = assertThrows(RefusedException.class, () -> hasty.set(inside, bytes("refused")));
        assertEquals(CLUSTER_DOWN, refusal.kind());
        assertEquals(HashSlot.of(inside), refusal.slot());
        assertEquals(FIRST, refusal.shard());
        cluster.client().set(outside, bytes("served"));

        cluster.heal();
        cluster.awaitReady(LIMIT);
        assertArrayEquals(bytes("kept"), cluster.client().get(inside));
    }

    @Test
    void aSwitchoverMovesThePrimaryAndLosesNothing() {
        byte[] key = keyIn(cluster, FIRST);
        cluster.client().set(key, bytes("value"));
        LocalNode before = cluster.primaryOf(FIRST);

        NodeId after = cluster.sentinel(SENTINEL)
                .driver()
                .failOver(FIRST)
                .toCompletableFuture()
                .join()
                .primary();

        assertNotEquals(before.id(), after);
        cluster.awaitReady(LIMIT);
        assertEquals(after, cluster.primaryOf(FIRST).id());
        assertArrayEquals(bytes("value"), cluster.client().get(key));
        assertEquals(after, before.status().primary());
    }

    @Test
    void aShardIsHandedOverToTheNodeThatIsAskedFor() {
        NodeId last = cluster.nodes(FIRST).get(2).id();

        assertEquals(last, cluster.failOver(FIRST, last).id());
        assertEquals(last, cluster.primaryOf(FIRST).id());
        OperationFailedException refused = assertThrows(
                OperationFailedException.class,
                () -> cluster.failOver(FIRST, cluster.primaryOf(SECOND).id()));
        assertEquals(AbortReason.NOT_A_MEMBER, refused.reason());
        assertEquals(last, cluster.primaryOf(FIRST).id());
    }

    /** The operation that began its shard is not under way any more. */
    @Test
    void aClusterThatIsReadyIsFailedOverAtOnce() {
        for (long seed = 1; seed <= 10; seed++) {
            try (LocalCluster other = LocalCluster.builder().virtualTime(seed).start()) {
                other.awaitReady(LIMIT);
                LocalNode before = other.primaryOf(FIRST);

                assertNotEquals(before, other.failOver(FIRST));
            }
        }
    }

    /** The test's own thread is all that there is. */
    @Test
    void writesThatWaitForASickShardHoldNothingUp() {
        LocalNode sick = cluster.primaryOf(FIRST);
        byte[] inside = keyIn(cluster, FIRST);
        byte[] outside = keyIn(cluster, SECOND);
        cluster.nodes(FIRST).stream().filter(node -> node != sick).forEach(LocalNode::crash);
        List<CompletionStage<?>> waiting = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            waiting.add(async(sick).set(inside, bytes("value")));
        }

        async(cluster.primaryOf(SECOND))
                .set(outside, bytes("value"))
                .toCompletableFuture()
                .join();

        assertTrue(
                waiting.stream().noneMatch(stage -> stage.toCompletableFuture().isDone()));
    }

    private static AsyncKeyValueStore async(LocalNode node) {
        return node.store().async(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, LIMIT);
    }

    @Test
    void aKeyIsGoneFromEveryNodeOnceItsDeadlineIsOver() {
        byte[] key = keyIn(cluster, FIRST);
        cluster.client().set(key, bytes("value"));
        assertTrue(cluster.client().expireAt(key, cluster.clock().millis() + 20));

        assertTrue(cluster.await(() -> cluster.nodes(FIRST).stream().allMatch(node -> node.size() == 0), LIMIT));
        assertNull(cluster.client().get(key));
    }

    @Test
    void whatIsNotThereCannotBeNamed() {
        NodeId stranger = new NodeId("stranger");

        assertThrows(IllegalArgumentException.class, () -> cluster.node(stranger));
        assertThrows(IllegalArgumentException.class, () -> cluster.sentinel(stranger));
        assertThrows(IllegalArgumentException.class, () -> cluster.isolate(stranger));
        assertThrows(IllegalArgumentException.class, () -> cluster.nodes(new ShardId("stranger")));
    }

    @Test
    void aNodeThatRunsIsNotRestartedAndOneThatDoesNotAnswersNothing() {
        LocalNode node = cluster.nodes(SECOND).get(2);
        assertThrows(IllegalStateException.class, node::restart);

        node.crash();
        node.crash();

        assertFalse(node.isRunning());
        assertThrows(IllegalStateException.class, node::status);
        assertThrows(IllegalStateException.class, node::store);
    }
}
