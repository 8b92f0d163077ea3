/** The key-value store on real Redis and Valkey servers, and sentinels that fail them over. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Lettuce has no module descriptor
@org.jspecify.annotations.NullMarked
module io.kvorum.redis {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;
    requires transitive io.kvorum.replication;
    requires transitive io.kvorum.core;
    requires transitive io.kvorum.failover;
    requires transitive io.kvorum.cluster;
    requires transitive lettuce.core;
    requires io.netty.common; // of whose futures Lettuce's shutdown returns one

    exports io.kvorum.redis;
}
