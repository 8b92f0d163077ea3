/** Pluggable failure detectors, and sentinels that agree by quorum, elect a leader and fail a shard over. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Micrometer has no module descriptor
@org.jspecify.annotations.NullMarked
module io.kvorum.failover {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;
    requires transitive micrometer.core;

    exports io.kvorum.failover;
    exports io.kvorum.failover.runtime;
}
