package io.kvorum.testkit.contract;

import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.HashSlot;
import io.kvorum.testkit.LocalCluster;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;

/** Each store of this library is one. */
final class OwnStoresTest {
    private static final int MAX_KEY = 300;
    private static final int MAX_VALUE = 1 << 16;
    private static final StoreSettings SETTINGS =
            StoreSettings.defaults().withMaxKeyLength(MAX_KEY).withMaxValueLength(MAX_VALUE);

    /** A store in this JVM, with a clock that is set. */
    private abstract static class InThisJvm extends KeyValueStoreContract {
        final SetClock clock = new SetClock();

        @Override
        protected InstantSource clock() {
            return clock;
        }

        @Override
        protected void pass(Duration time) {
            clock.forward(time);
        }

        @Override
        protected OptionalInt maxKeyLength() {
            return OptionalInt.of(MAX_KEY);
        }

        @Override
        protected OptionalInt maxValueLength() {
            return OptionalInt.of(MAX_VALUE);
        }
    }

    @Nested
    final class OfALocalStore extends InThisJvm {
        private final LocalStore store = new LocalStore(SETTINGS, 7, clock);

        @Override
        protected KeyValueStore store() {
            return store;
        }
    }

    @Nested
    final class OfAStoreThatEvicts extends InThisJvm {
        private final LocalStore store =
                new LocalStore(SETTINGS.withLimit(MemoryLimit.bytes(64 << 20, MemoryLimit.WhenFull.EVICT)), 7, clock);

        @Override
        protected KeyValueStore store() {
            return store;
        }
    }

    @Nested
    final class OfAShardedStore extends InThisJvm {
        private final ShardedStore store = ShardedStore.builder()
                .shards(3)
                .settings(SETTINGS)
                .seed(7)
                .clock(clock)
                .build();

        @Override
        protected KeyValueStore store() {
            return store;
        }
    }

    /** The whole cluster through its client, which waits in virtual time. */
    @Nested
    final class OfACluster extends KeyValueStoreContract {
        private final LocalCluster cluster =
                LocalCluster.builder().virtualTime(1).start();

        @BeforeEach
        void awaitReady() {
            cluster.awaitReady(Duration.ofSeconds(10));
        }

        @AfterEach
        void close() {
            cluster.close();
        }

        @Override
        protected KeyValueStore store() {
            return cluster.client();
        }

        @Override
        protected InstantSource clock() {
            return cluster.clock();
        }

        @Override
        protected void pass(Duration time) {
            cluster.advance(time);
        }

        @Override
        protected Duration precision() {
            return Duration.ofMillis(50);
        }

        @Override
        protected void together(List<Runnable> actions) {
            List<CompletionStage<@Nullable Void>> ends = actions.stream()
                    .map(action -> cluster.actor("actor", action::run))
                    .toList();
            ends.forEach(end -> end.toCompletableFuture().join());
        }
    }

    /** The operations that a transaction offers, each in a transaction of its own. */
    @Nested
    final class OfATransaction extends KeyOperationsContract {
        private final SetClock clock = new SetClock();
        private final LocalStore store = new LocalStore(SETTINGS, 7, clock);
        private final KeyOperations keys = (KeyOperations) Proxy.newProxyInstance(
                KeyOperations.class.getClassLoader(),
                new Class<?>[] {KeyOperations.class},
                (proxy, method, arguments) -> store.<@Nullable Object>transact(
                        HashSlot.of("{k}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                        operations -> invoke(method, operations, arguments)));

        private static @Nullable Object invoke(Method method, KeyOperations operations, @Nullable Object[] arguments) {
            try {
                return method.invoke(operations, arguments);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new LinkageError(e.getMessage(), e);
            } catch (IllegalAccessException e) {
                throw new LinkageError(e.getMessage(), e);
            }
        }

        @Override
        protected KeyOperations keys() {
            return keys;
        }

        @Override
        protected InstantSource clock() {
            return clock;
        }

        @Override
        protected void pass(Duration time) {
            clock.forward(time);
        }
    }
}
