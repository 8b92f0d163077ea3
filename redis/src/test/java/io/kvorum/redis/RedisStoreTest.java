package io.kvorum.redis;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract on one server, a cluster and a group with sentinels, on the oldest server there is and the newest. */
@Tag("long")
final class RedisStoreTest {
    private static Path oldest() {
        List<Path> all = RealServer.executables();
        Assumptions.assumeFalse(all.isEmpty(), "no server to test with");
        return all.get(0);
    }

    private static Path another() {
        List<Path> all = RealServer.executables();
        Assumptions.assumeTrue(all.size() > 1, "no second server to test with");
        return all.get(all.size() - 1);
    }

    @Nested
    final class OneServerTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.single(oldest());
        }
    }

    @Nested
    final class OneNewServerTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.single(another());
        }
    }

    @Nested
    final class ClusterTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.cluster(oldest());
        }
    }

    @Nested
    final class NewClusterTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.cluster(another());
        }
    }

    @Nested
    final class SentinelsTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.sentinels(RealServer.newest());
        }
    }
}
