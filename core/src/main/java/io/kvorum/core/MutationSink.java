package io.kvorum.core;

import io.netty.buffer.ByteBuf;

/**
 * Receives every change of a store, before the change is applied and atomically with it: the changes of one slot arrive
 * in the order in which they are applied, and a change that was not accepted is not applied.
 *
 * <p>The store calls it with a lock on the slot held, on the thread that makes the change, so it must be quick and must
 * not use the store. Calls for different slots may overlap.
 */
@FunctionalInterface
public interface MutationSink {
    /**
     * Accepts a change, or refuses it by throwing; then the operation fails with that exception and has changed
     * nothing. Only {@link KeyValueStore#dropSlot}, {@link KeyValueStore#clear} and {@link LocalStore#expire} make
     * several changes: a {@link io.kvorum.slots.topology.RefusedException} ends them, and the changes before it stay.
     *
     * <p>A change that is refused for its length alone is refused by {@link ChangeTooLongException}: whoever can make
     * it in smaller parts then does.
     *
     * @param slot the slot of all keys that change
     * @param change one or more mutations that take effect together, as {@link Mutation#readAll} reads them; borrowed:
     *     valid only during the call, may be read freely
     */
    void accept(int slot, ByteBuf change);
}
