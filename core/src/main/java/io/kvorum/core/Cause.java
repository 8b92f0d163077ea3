package io.kvorum.core;

/** Why an entry of a table is no longer what it was. */
enum Cause {
    SET,
    DELETED,
    EXPIRED,
    EVICTED
}
