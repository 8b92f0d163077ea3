/** In-process sharded key-value store, and the store joined with a replication log and a role. */
@org.jspecify.annotations.NullMarked
module io.kvorum.core {
    requires jdk.jfr;
    requires static transitive org.jspecify;
    requires transitive io.kvorum.slots;
    requires transitive io.kvorum.replication;
    requires transitive io.netty.buffer;
    requires com.github.benmanes.caffeine;

    exports io.kvorum.core;
    exports io.kvorum.core.replicated;
    exports io.kvorum.core.snapshot;
    exports io.kvorum.core.typed;
}
