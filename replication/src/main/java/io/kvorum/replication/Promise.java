package io.kvorum.replication;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The facts that a node must not forget: who it is, and what it has promised.
 *
 * <p>An <em>incarnation</em> begins when a node has no promise, whether it is new or lost the one it had; it is a
 * member of its shard only in the incarnation that the member list names. Each start of the node begins a new
 * <em>life</em> of the incarnation. Its number tells what was sent to an earlier life from what is meant for this one.
 *
 * <p>Immutable.
 *
 * @param incarnation the number of the incarnation, drawn at random; not 0
 * @param life the number of the life; lives of an incarnation are counted upward from 1
 * @param epoch the highest epoch that the node has promised, 0 if none
 * @param holder the sentinel, or other party, that obtained the promise of {@code epoch}; {@code null} if the node
 *     promised because it heard a primary of that epoch
 * @param begun whether the node has ever been part of its shard's history
 */
public record Promise(
        long incarnation, long life, long epoch, @Nullable NodeId holder, boolean begun) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code incarnation} is 0, {@code life} is not positive, or {@code epoch} is
     *     no epoch
     */
    public Promise {
        if (incarnation == 0) {
            throw new IllegalArgumentException("incarnation must not be 0");
        }
        if (life < 1) {
            throw new IllegalArgumentException("life must be at least 1: " + life);
        }
        Epoch.check(epoch);
    }

    /**
     * Begins a new incarnation, which has promised nothing yet.
     *
     * @param random draws the number of the incarnation
     * @return the promise of its first life
     */
    public static Promise first(RandomGenerator random) {
        long incarnation;
        do {
            incarnation = random.nextLong();
        } while (incarnation == 0);
        return new Promise(incarnation, 1, 0, null, false);
    }

    /** {@return this promise in the next life of the incarnation} */
    public Promise nextLife() {
        return new Promise(incarnation, life + 1, epoch, holder, begun);
    }

    /**
     * Promises an epoch.
     *
     * @param newEpoch the epoch, not below the one promised before
     * @param newHolder who obtained the promise, or {@code null}
     * @return the new promise
     * @throws IllegalArgumentException if the epoch is below the one promised before
     */
    public Promise withEpoch(long newEpoch, @Nullable NodeId newHolder) {
        if (newEpoch < epoch) {
            throw new IllegalArgumentException(
                    "epoch must be at least " + Epoch.toString(epoch) + ": " + Epoch.toString(newEpoch));
        }
        return new Promise(incarnation, life, newEpoch, newHolder, begun);
    }

    /** {@return this promise of a node that has become part of its shard's history} */
    public Promise withBegun() {
        return begun ? this : new Promise(incarnation, life, epoch, holder, true);
    }
}
