package io.kvorum.core.engine;

/** Why an entry of a table is no longer what it was. */
public enum Cause {
    SET,
    DELETED,
    EXPIRED,
    EVICTED
}
