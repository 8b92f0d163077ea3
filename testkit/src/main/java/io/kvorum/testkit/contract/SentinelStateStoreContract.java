package io.kvorum.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelState.KnownShard;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What every {@link SentinelStateStore} does: it gives back what was saved last, whole. */
public abstract class SentinelStateStoreContract {
    private static final NodeId SENTINEL = new NodeId("sentinel-1");

    /** For use by subclasses. */
    protected SentinelStateStoreContract() {}

    /**
     * Opens the store, as a sentinel does that starts.
     *
     * @return a store on the same place in each call during one test; nothing was saved there when the test began
     * @throws IOException if it cannot be opened
     */
    protected abstract SentinelStateStore open() throws IOException;

    /**
     * Damages what was saved, so that it cannot be read any more.
     *
     * @return whether that was done; a store that cannot be damaged does nothing, as this method does by default
     * @throws IOException if the damage cannot be done
     */
    protected boolean damage() throws IOException {
        return false;
    }

    private static SentinelState state(int shards) {
        List<KnownShard> known = new ArrayList<>();
        for (int i = 1; i <= shards; i++) {
            NodeId primary = new NodeId("node-" + i + ".1");
            known.add(new KnownShard(
                    new ShardPrimary(new ShardId("shard-" + i), i, i == 1 ? 0 : Epoch.of(i, i), primary),
                    i % 3 == 0 ? List.of() : List.of(primary, new NodeId("node-" + i + ".2"))));
        }
        return new SentinelState(SENTINEL, known);
    }

    @Test
    protected void nothingIsThereBeforeTheFirstState() throws IOException {
        assertNull(open().load());
    }

    @Test
    protected void whatWasSavedIsThereAfterARestart() throws IOException {
        SentinelStateStore store = open();
        for (int shards : new int[] {0, 1, 3, 300}) {
            store.save(state(shards));
            assertEquals(state(shards), store.load());
            assertEquals(state(shards), open().load());
        }
    }

    @Test
    protected void theLastStateCounts() throws IOException {
        open().save(state(100));
        open().save(state(2));

        assertEquals(state(2), open().load());
    }

    @Test
    protected void aDamagedStateIsAnError() throws IOException {
        open().save(state(3));
        assumeTrue(damage(), "nothing to damage");

        assertThrows(IOException.class, () -> open().load());
    }

    @Test
    protected void aDamagedStateCanBeReplaced() throws IOException {
        open().save(state(3));
        assumeTrue(damage(), "nothing to damage");
        open().save(state(4));

        assertEquals(state(4), open().load());
    }
}
