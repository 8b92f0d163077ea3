/** Pluggable failure detectors, and sentinels that agree by quorum, elect a leader and fail a shard over. */
@org.jspecify.annotations.NullMarked
module io.kvorum.failover {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;

    exports io.kvorum.failover;
    exports io.kvorum.failover.runtime;
}
