/** The primitives wired together as an in-JVM cluster for tests and first steps. */
@org.jspecify.annotations.NullMarked
module io.kvorum.testkit {
    requires static transitive org.jspecify;
    requires static org.junit.jupiter.api; // for who uses the packages contract and junit
    requires transitive io.kvorum.slots;
    requires transitive io.kvorum.replication;
    requires transitive io.kvorum.core;
    requires transitive io.kvorum.failover;
    requires transitive io.kvorum.cluster;

    exports io.kvorum.testkit;
    exports io.kvorum.testkit.contract;
    exports io.kvorum.testkit.history;
    exports io.kvorum.testkit.junit;

    uses io.kvorum.testkit.junit.RespProvider;

    opens io.kvorum.testkit.junit to
            org.junit.platform.commons;
}
