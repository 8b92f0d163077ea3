/** RESP endpoints in front of an in-JVM cluster, for tests of real Redis clients. */
@org.jspecify.annotations.NullMarked
module io.kvorum.resp {
    requires static transitive org.jspecify;
    requires static org.junit.jupiter.api; // for tests by the extension of the testkit
    requires transitive io.kvorum.slots;
    requires transitive io.kvorum.replication;
    requires transitive io.kvorum.core;
    requires transitive io.kvorum.failover;
    requires transitive io.kvorum.testkit;

    exports io.kvorum.resp;

    provides io.kvorum.testkit.junit.RespProvider with
            io.kvorum.resp.RespOfTest;
}
