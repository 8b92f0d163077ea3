/** Micrometer meters of stores, replication, sentinels and clients. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Micrometer has no module descriptor
@org.jspecify.annotations.NullMarked
module io.kvorum.metrics {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;
    requires transitive io.kvorum.replication;
    requires transitive io.kvorum.core;
    requires transitive io.kvorum.failover;
    requires transitive io.kvorum.cluster;
    requires transitive micrometer.core;

    exports io.kvorum.metrics;
}
