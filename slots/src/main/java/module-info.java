/**
 * CRC16 hash slots, slot ranges and sets, the versioned cluster topology, and the scheduler that everything runs on.
 */
@SuppressWarnings("module") // not all of them are in the build of this module
@org.jspecify.annotations.NullMarked
module io.kvorum.slots {
    requires static transitive org.jspecify;

    exports io.kvorum.slots;
    exports io.kvorum.slots.topology;
    exports io.kvorum.slots.runtime to
            io.kvorum.replication,
            io.kvorum.core,
            io.kvorum.failover,
            io.kvorum.cluster,
            io.kvorum.testkit;
}
