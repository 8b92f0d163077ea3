/** Replication log, primary and replica state machines, synchronisation, acknowledgement levels and fencing. */
@org.jspecify.annotations.NullMarked
module io.kvorum.replication {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;
    requires transitive io.netty.buffer;

    exports io.kvorum.replication;
    exports io.kvorum.replication.runtime;
}
