package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;

/** Receives each change with the lock of its slot held, before it is made, and refuses it by throwing. */
@FunctionalInterface
public interface ChangeSink {
    /** The sink of a store that nobody listens to; known by identity, so that nothing is encoded for it. */
    ChangeSink NOBODY = (slot, change) -> {};

    /** Accepts a change, which is borrowed. */
    void accept(int slot, ByteBuf change);
}
