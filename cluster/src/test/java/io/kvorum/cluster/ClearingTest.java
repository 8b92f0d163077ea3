package io.kvorum.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.PartlyClearedException;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

final class ClearingTest extends ClusterClientFixture {
    @Test
    void clearingWaitsForEachShard() throws IOException {
        begin(LEFT);
        write(LEFT, BAR);
        CompletionStage<Long> cleared = async.clear();
        scheduler.pass(Duration.ofMillis(300));
        assertEquals(0, nodes.get(primaryOf(LEFT)).size());
        assertFalse(isDone(cleared));
        begin(RIGHT);
        write(RIGHT, FOO);
        scheduler.pass(Duration.ofMillis(300));

        assertEquals(2, answered(cleared));
        assertEquals(0, nodes.get(primaryOf(RIGHT)).size());
        assertEquals(0, client.waiting());
        assertEquals(0, answered(async.clear(SlotSet.EMPTY)));
    }

    @Test
    void clearingNamesTheShardsThatAreLeftWhenTheTimeIsUp() throws IOException {
        begin(LEFT);
        write(LEFT, BAR);
        CompletionStage<Long> cleared = async.clear();
        scheduler.pass(TIMEOUT);

        PartlyClearedException partly = assertInstanceOf(PartlyClearedException.class, failure(cleared));
        assertEquals(1, partly.deleted());
        assertEquals(SlotSet.ofRange(0, 8191), partly.cleared());
        assertEquals(SlotSet.ofRange(8192, HashSlot.COUNT - 1), partly.remaining());
        assertEquals(
                Kind.CLUSTER_DOWN,
                assertInstanceOf(RefusedException.class, partly.getCause()).kind());
        begin(RIGHT);
        write(RIGHT, FOO);
        CompletionStage<Long> rest = async.clear(partly.remaining());
        scheduler.pass(Duration.ofMillis(10));
        assertEquals(1, answered(rest));
    }

    @Test
    void clearingNamesTheShardsThatItCannotTellOf() throws IOException {
        begin(LEFT);
        begin(RIGHT, new NodeId("absent"));
        write(LEFT, BAR);
        write(RIGHT, FOO);
        CompletionStage<Long> cleared = async.clear();
        CompletionStage<Long> first = async.clear(SlotSet.of(HashSlot.of(FOO)));
        scheduler.pass(TIMEOUT.plusSeconds(1));

        PartlyClearedException partly = assertInstanceOf(PartlyClearedException.class, failure(cleared));
        assertEquals(SlotSet.ofRange(0, 8191), partly.cleared());
        OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, partly.getCause());
        assertEquals(RIGHT, unknown.shard());
        assertInstanceOf(OutcomeUnknownException.class, failure(first)); // no shard is cleared for certain
    }

    @Test
    void clearingGoesOnAfterARefusalHalfWay() throws IOException {
        begin(LEFT);
        begin(RIGHT);
        write(LEFT, "{b}".getBytes(UTF_8)); // slot 3300, so it is deleted before the next
        write(LEFT, BAR);
        write(RIGHT, FOO);
        SlotSet moved = SlotSet.of(HashSlot.of(BAR));
        ClusterTopology before = topology;
        ClusterTopology after = before.apply(
                before.version(),
                List.of(new TopologyChange.MoveSlots(moved, LEFT, RIGHT), new TopologyChange.FinishMove(moved, RIGHT)));
        topologyOfNodes = () -> {
            topology = nodes.get(primaryOf(LEFT)).size() == 2 ? before : after;
            return topology;
        };
        CompletionStage<Long> cleared = async.clear();
        scheduler.pass(Duration.ofMillis(300));

        assertEquals(2, answered(cleared));
        assertEquals(1, nodes.get(primaryOf(LEFT)).size()); // its slot is another's by now
        assertEquals(0, nodes.get(primaryOf(RIGHT)).size());
    }

    @Test
    void anInterruptEndsClearing() throws IOException {
        begin(LEFT, new NodeId("absent"));
        write(LEFT, BAR);
        KeyValueStore store = client.store();
        Thread.currentThread().interrupt();
        OutcomeUnknownException unknown = assertThrows(OutcomeUnknownException.class, store::clear);
        assertTrue(Thread.interrupted());
        assertEquals(OutcomeUnknownException.Reason.INTERRUPTED, unknown.reason());
        begin(RIGHT);
        write(RIGHT, FOO);
        scheduler.pass(TIMEOUT);
        assertEquals(1, nodes.get(primaryOf(RIGHT)).size());
    }
}
