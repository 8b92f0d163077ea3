package io.kvorum.core;

/** When an existing key is given another deadline (the options of the command EXPIRE of Redis). */
public enum ExpireCondition {
    /** In any case. */
    ALWAYS,
    /** If it has none yet (NX). */
    IF_NONE,
    /** If it has one already (XX). */
    IF_ANY,
    /** If the new one is later than the one it has (GT). A key without one lives for ever: nothing is later. */
    IF_LATER,
    /** If the new one is earlier than the one it has (LT). A key without one lives for ever: everything is earlier. */
    IF_EARLIER;

    /** Returns whether the condition holds; either deadline may be {@link KeyValueStore#NO_DEADLINE}. */
    boolean holds(long present, long next) {
        return switch (this) {
            case ALWAYS -> true;
            case IF_NONE -> present < 0;
            case IF_ANY -> present >= 0;
            case IF_LATER -> end(next) > end(present);
            case IF_EARLIER -> end(next) < end(present);
        };
    }

    /** No deadline comes after every deadline: the unsigned order has -1 last. */
    private static long end(long deadline) {
        return deadline + Long.MIN_VALUE;
    }
}
