package io.kvorum.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What every {@link PromiseStore} does: it never forgets a promise, and never takes a lost one for none. */
public abstract class PromiseStoreContract {
    private static final Promise PROMISE = new Promise(-5, 3, Epoch.of(7, 2), new NodeId("sentinel-1"), true);

    /** For use by subclasses. */
    protected PromiseStoreContract() {}

    /**
     * Opens the store, as a node does that starts.
     *
     * @return a store on the same place in each call during one test; nothing was saved there when the test began
     * @throws IOException if it cannot be opened
     */
    protected abstract PromiseStore open() throws IOException;

    /**
     * Damages what was saved, so that it cannot be read any more.
     *
     * @return whether that was done; a store that cannot be damaged does nothing, as this method does by default
     * @throws IOException if the damage cannot be done
     */
    protected boolean damage() throws IOException {
        return false;
    }

    @Test
    protected void nothingIsThereBeforeTheFirstPromise() throws IOException {
        assertNull(open().load());
        assertNull(open().load());
    }

    @Test
    protected void whatWasSavedIsThereAfterARestart() throws IOException {
        PromiseStore store = open();
        store.save(PROMISE);

        assertEquals(PROMISE, store.load());
        assertEquals(PROMISE, open().load());
        assertEquals(PROMISE, open().load());
    }

    @Test
    protected void everyPartIsKept() throws IOException {
        for (Promise promise : List.of(
                new Promise(1, 1, 0, null, false),
                new Promise(Long.MIN_VALUE, Long.MAX_VALUE, 0, null, true),
                new Promise(Long.MAX_VALUE, 1, Epoch.of(1, 0), null, true),
                new Promise(-1, 2, Epoch.of(Epoch.MAX_ROUND, Epoch.MAX_CANDIDATE), new NodeId("s"), false),
                new Promise(42, 2, Epoch.of(9, 9), new NodeId("s".repeat(64)), true))) {
            open().save(promise);
            assertEquals(promise, open().load());
        }
    }

    @Test
    protected void theLastPromiseCounts() throws IOException {
        PromiseStore store = open();
        Promise latest = new Promise(1, 1, 0, null, false);
        for (int round = 1; round <= 50; round++) {
            latest =
                    round % 10 == 0 ? latest.nextLife() : latest.withEpoch(Epoch.of(round, 1), new NodeId("s" + round));
            store.save(latest);
            assertEquals(latest, store.load());
        }
        assertEquals(latest, open().load());
    }

    @Test
    protected void theSamePromiseCanBeSavedAgain() throws IOException {
        PromiseStore store = open();
        store.save(PROMISE);
        store.save(PROMISE);
        open().save(PROMISE);

        assertEquals(PROMISE, open().load());
    }

    @Test
    protected void aDamagedPromiseIsNotTakenForNone() throws IOException {
        open().save(PROMISE);
        assumeTrue(damage(), "nothing to damage");

        assertThrows(IOException.class, () -> open().load());
    }
}
