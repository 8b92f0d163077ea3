package io.kvorum.core;

/** Hears of the changes of a store, see {@link LocalStore#subscribe}. */
@FunctionalInterface
public interface KeyspaceListener {
    /**
     * Is told of a change after it was made, one at a time and in the order of the sequence numbers; what one call did,
     * the next one sees. It may use the store, which may have changed again by then. What it throws is logged, and the
     * next event comes all the same.
     *
     * @param event what happened
     */
    void changed(KeyspaceEvent event);
}
