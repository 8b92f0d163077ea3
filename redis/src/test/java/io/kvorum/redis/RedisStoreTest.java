package io.kvorum.redis;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract on one server, the oldest there is and the newest, and on a group with sentinels. */
@Tag("long")
final class RedisStoreTest {
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
    final class SentinelsTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.sentinels(RealServer.newest());
        }
    }
}
