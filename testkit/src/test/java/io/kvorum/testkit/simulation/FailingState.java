package io.kvorum.testkit.simulation;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

/**
 * A state that may throw, as may its restorations, and that breaks a rule for the mutants that need it.
 *
 * <p>Confined to one thread.
 */
final class FailingState implements ReplicatedState {
    private static final int AGAIN = 7; // every so many records
    private static final int OFTEN = 3;

    private final ReplicatedState state;
    private final Failing failing;
    private final Mutant mutant;
    private int applied;
    private int earlierSlot;
    private byte[] earlier = new byte[0];

    FailingState(ReplicatedState state, Failing failing, Mutant mutant) {
        this.state = state;
        this.failing = failing;
        this.mutant = mutant;
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        failing.reach(Failing.Site.APPLY);
        if (mutant == Mutant.RECORD_LEFT_OUT && ++applied % OFTEN == 0) {
            return;
        }
        state.apply(slot, payload);
        if (mutant == Mutant.RECORD_APPLIED_AGAIN_LATER) {
            applied++;
            if (applied % AGAIN == 1) {
                earlierSlot = slot;
                earlier = ByteBufUtil.getBytes(payload);
            } else if (applied % AGAIN == 0) {
                state.apply(earlierSlot, Unpooled.wrappedBuffer(earlier));
            }
        }
    }

    @Override
    public SnapshotScan snapshot() {
        return state.snapshot();
    }

    @Override
    public Restoration restore() {
        Restoration restoration = state.restore();
        return new Restoration() {
            @Override
            public void load(ByteBuf entries) {
                try {
                    failing.reach(Failing.Site.RESTORATION);
                } catch (Failing.InjectedException | Failing.InjectedError e) {
                    if (mutant == Mutant.FAILED_RESTORATION_TAKEN) {
                        return;
                    }
                    throw e;
                }
                restoration.load(entries);
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                restoration.apply(slot, payload);
            }

            @Override
            public void complete() {
                if (mutant == Mutant.SYNC_THROWN_AWAY) {
                    restoration.abort();
                } else {
                    restoration.complete();
                }
            }

            @Override
            public void abort() {
                restoration.abort();
            }
        };
    }
}
