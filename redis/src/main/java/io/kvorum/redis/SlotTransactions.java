package io.kvorum.redis;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyOperations;
import io.kvorum.slots.topology.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Transactions on the keys of a slot, by tries of which the first that nobody disturbs counts. */
final class SlotTransactions {
    private static final int MAX_REDIRECTS = 5;
    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(5);

    private final Connections connections;
    private final boolean exactDeadlines;
    private final int tries;

    SlotTransactions(Connections connections, boolean exactDeadlines, int tries) {
        this.connections = connections;
        this.exactDeadlines = exactDeadlines;
        this.tries = tries;
    }

    /** Runs a function until nobody has changed what it used, and makes its changes. */
    <T extends @Nullable Object> T run(int slot, Function<? super KeyOperations, ? extends T> function) {
        int redirects = MAX_REDIRECTS;
        for (int i = 0; i < tries; i++) {
            Session session = connections.take(slot);
            try {
                List<Entry> sets = new ArrayList<>();
                List<byte[]> deletions = new ArrayList<>();
                SlotTry attempt = new SlotTry(session, slot, exactDeadlines);
                T result = attempt.run(function, sets, deletions);
                session.requireWhole(); // the function may have caught what it was told
                if (attempt.commit(sets, deletions)) {
                    if (!sets.isEmpty() || !deletions.isEmpty()) {
                        connections.confirm(session);
                    }
                    return result;
                }
            } catch (RefusedException e) {
                if (!session.hasMoved() || redirects-- == 0) {
                    throw e;
                }
                connections.servers().refresh().toCompletableFuture().join();
            } finally {
                connections.give(session);
            }
            pause(i);
        }
        throw Failures.refused(
                RefusedException.Kind.OVERLOADED,
                "keys of the transaction were changed by others in each of " + tries + " tries",
                slot,
                connections.servers().placeOf(slot));
    }

    private static void pause(int tries) {
        long longest = Math.min(LONGEST_PAUSE, (tries + 1) * 100_000L);
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(longest));
    }
}
