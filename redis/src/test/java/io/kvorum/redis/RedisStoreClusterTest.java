package io.kvorum.redis;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract on a cluster of the oldest server there is, and of the newest. */
@Tag("long")
final class RedisStoreClusterTest {
    @Nested
    final class OldTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.cluster(oldest());
        }
    }

    @Nested
    final class NewTest extends RedisStoreContract {
        @Override
        RealServers start() {
            return RealServers.cluster(another());
        }
    }
}
