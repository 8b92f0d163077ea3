package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.testkit.LocalSentinel;
import org.junit.jupiter.api.Test;

/** The events of a sentinel are told in their order, even if it knows more by then. */
final class SentinelNewsTest {
    @Test
    void aNodeThatGoesDownAsThePrimaryChangesIsToldOnce() throws Exception {
        SentinelEndpoint endpoint = null;
        try (Ports ports = Ports.ofSentinels(builder -> builder)) {
            Shard shard = ports.cluster.topology().shards().get(0);
            NodeId former = shard.replicas().get(0);
            NodeId down = shard.replicas().get(1);
            ports.cluster.node(down).crash();
            LocalSentinel sentinel = ports.cluster.sentinels().get(0);
            ports.await(() -> sentinel.driver().down(Ports.FIRST).contains(down));
            endpoint = new SentinelEndpoint(
                    ports.resp, sentinel, 0, ports.resp.endpoint(sentinel.id()).settings());
            endpoint.follow();
            try (TinyClient listener = new TinyClient(endpoint.port())) {
                listener.call("SUBSCRIBE +sdown");
                tell(endpoint, new SentinelFact.PrimaryChanged(shard.id(), shard.epoch(), former, shard.primary()));
                tell(
                        endpoint,
                        new SentinelFact.SubjectivelyDown(
                                shard.id(), shard.epoch(), down, false, SentinelFact.DownReason.SILENT));
                endpoint.pubSub().publish("+sdown", Text.bytes("the end"));

                String slave = "127.0.0.1:" + ports.resp.port(down) + " 127.0.0.1 " + ports.resp.port(down);
                String master = "shard-1 127.0.0.1 " + ports.primaryPort();
                assertEquals("[message, +sdown, slave " + slave + " @ " + master + "]", listener.read());
                assertEquals("[message, +sdown, the end]", listener.read());
            }
        } finally {
            if (endpoint != null) {
                endpoint.follow(); // closes the port
            }
        }
    }

    private static void tell(SentinelEndpoint endpoint, SentinelFact fact) {
        endpoint.happened(new SentinelEvent(1, 0, endpoint.id(), fact));
    }
}
