package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.testkit.LocalCluster;
import io.netty.buffer.ByteBuf;
import org.junit.jupiter.api.Test;

final class StateTest {
    /** There are no keys that a command could read or write. */
    @Test
    void nodesWithoutAStoreGetNoPorts() {
        try (LocalCluster cluster = LocalCluster.builder()
                .state(log -> new Nothing())
                .virtualTime(1)
                .start()) {
            IllegalStateException refused = assertThrows(IllegalStateException.class, () -> RespCluster.start(cluster));

            assertTrue(refused.getMessage().startsWith("nodes must have a key-value store"), refused.getMessage());
        }
    }

    private static final class Nothing implements ReplicatedState {
        @Override
        public void apply(int slot, ByteBuf payload) {}

        @Override
        public SnapshotScan snapshot() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Restoration restore() {
            throw new UnsupportedOperationException();
        }
    }
}
