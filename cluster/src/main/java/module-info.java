/** Nodes and sentinels assembled for embedding, and the client that follows the topology. */
@org.jspecify.annotations.NullMarked
module io.kvorum.cluster {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;
    requires transitive io.kvorum.replication;
    requires transitive io.kvorum.core;
    requires transitive io.kvorum.failover;

    exports io.kvorum.cluster;
}
