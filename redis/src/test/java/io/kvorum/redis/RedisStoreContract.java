package io.kvorum.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.contract.KeyValueStoreContract;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What every store does, for stores on real servers, which a subclass starts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RedisStoreContract extends KeyValueStoreContract {
    private @Nullable RealServers servers;
    private @Nullable RedisStore store;
    private boolean longLife;

    /** Returns the oldest of the servers, and skips the test if there is none. */
    static Path oldest() {
        List<Path> all = RealServer.executables();
        Assumptions.assumeFalse(all.isEmpty(), "no server to test with");
        return all.get(0);
    }

    /** Returns the newest of the servers, and skips the test if that is the oldest one, too. */
    static Path another() {
        List<Path> all = RealServer.executables();
        Assumptions.assumeTrue(all.size() > 1, "no second server to test with");
        return all.get(all.size() - 1);
    }

    abstract RealServers start();

    @BeforeAll
    void connect() {
        RealServers started = start();
        servers = started;
        RedisStore connected = RedisStore.connect(started.uris());
        store = connected;
        connected.compute(new byte[1], value -> null); // the first transaction of a JVM takes its time
    }

    @AfterAll
    void end() {
        try {
            if (store != null) {
                store.close();
            }
        } finally {
            if (servers != null) {
                servers.close();
            }
        }
    }

    @BeforeEach
    void clear() {
        store().clear();
    }

    final RealServers servers() {
        if (servers == null) {
            throw new IllegalStateException("not started");
        }
        return servers;
    }

    @Override
    protected RedisStore store() {
        if (store == null) {
            throw new IllegalStateException("not connected");
        }
        return store;
    }

    @Override
    protected InstantSource clock() {
        return InstantSource.system();
    }

    /** The clock of the servers is real, and the same; an operation may have to wait on a busy machine. */
    @Override
    protected Duration precision() {
        return Duration.ofMillis(300);
    }

    /** Long enough for the operations of a test on servers that are busy, short enough to be waited for. */
    @Override
    protected Duration life() {
        return longLife ? Duration.ofSeconds(20) : Duration.ofMillis(800);
    }

    @Override
    @Test
    protected void aConditionDecidesWhetherAKeyGetsAnotherLife() {
        longLife = true; // many operations, and no key that has to expire
        try {
            super.aConditionDecidesWhetherAKeyGetsAnotherLife();
        } finally {
            longLife = false;
        }
    }

    @Override
    protected void pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(50)));
        }
    }

    /** The store of the other tests stays open; one that is closed refuses what it is asked. */
    @Override
    @Test
    protected void itCanBeClosedTwice() {
        KeyValueStore other = RedisStore.connect(servers().uris());
        other.close();
        other.close();

        assertThrows(IllegalStateException.class, () -> other.get(new byte[1]));
        assertEquals(0, store().size());
    }
}
