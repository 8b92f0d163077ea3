package io.kvorum.core.engine;

/**
 * Is told of each change of a store once the table has it, before the operation that made it returns, with the lock of
 * the slot held: it must be quick and must use no store. Of one slot it is told in the order of the changes; calls for
 * different slots may overlap.
 */
public interface Watcher {
    /** An entry was set or is gone. The key is borrowed. */
    void changed(int slot, byte[] key, Cause cause);

    /** Everything was replaced at once, by a full sync; all locks are held. */
    void replaced();

    /** A lock was released, after changes or without any. Here alone somebody else's code may be called. */
    default void unlocked() {}
}
