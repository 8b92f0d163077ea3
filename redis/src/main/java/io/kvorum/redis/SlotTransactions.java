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
        T result;
        try {
            result = this.<T>tried(slot, function);
        } catch (Throwable e) {
            connections.count(e);
            throw e;
        }
        connections.count(null);
        return result;
    }

    private <T extends @Nullable Object> T tried(int slot, Function<? super KeyOperations, ? extends T> function) {
        long begin = System.nanoTime();
        int redirects = MAX_REDIRECTS;
        Place asked = null; // where the keys are on their way to, if they are
        for (int disturbed = 0; disturbed < tries; ) {
            Session session = asked == null ? connections.take(slot) : connections.takeAsking(slot, asked);
            asked = null;
            try {
                List<Entry> sets = new ArrayList<>();
                List<byte[]> deletions = new ArrayList<>();
                SlotTry attempt = new SlotTry(session, slot, exactDeadlines, connections);
                T result = attempt.run(function, sets, deletions);
                session.requireWhole(); // the function may have caught what it was told
                if (attempt.commit(sets, deletions)) {
                    if (!sets.isEmpty() || !deletions.isEmpty()) {
                        connections.confirm(session);
                    }
                    return result;
                }
                disturbed++;
            } catch (RefusedException e) {
                asked = session.asked();
                boolean goesOn = (asked != null || session.hasMoved())
                        ? redirects-- > 0
                        : session.isReadOnly() && connections.isTimeLeft(begin);
                if (!goesOn) {
                    throw e;
                }
                connections.beginWait(e);
                connections.servers().refresh().toCompletableFuture().join();
                connections.endWait();
            } finally {
                connections.give(session);
            }
            LockSupport.parkNanos(session.isReadOnly() ? LONGEST_PAUSE : pause(disturbed));
        }
        throw Failures.refused(
                RefusedException.Kind.OVERLOADED,
                "keys of the transaction were changed by others in each of " + tries + " tries",
                slot,
                connections.servers().placeOf(slot));
    }

    private static long pause(int tries) {
        return ThreadLocalRandom.current().nextLong(Math.min(LONGEST_PAUSE, (tries + 1) * 100_000L));
    }
}
