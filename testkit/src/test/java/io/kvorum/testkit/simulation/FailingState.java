package io.kvorum.testkit.simulation;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;

/**
 * A state whose restorations may throw.
 *
 * <p>Confined to one thread.
 */
final class FailingState implements ReplicatedState {
    private final ReplicatedState state;
    private final Failing failing;

    FailingState(ReplicatedState state, Failing failing) {
        this.state = state;
        this.failing = failing;
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        state.apply(slot, payload);
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
                failing.reach(Failing.Site.RESTORATION);
                restoration.load(entries);
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                restoration.apply(slot, payload);
            }

            @Override
            public void complete() {
                restoration.complete();
            }

            @Override
            public void abort() {
                restoration.abort();
            }
        };
    }
}
