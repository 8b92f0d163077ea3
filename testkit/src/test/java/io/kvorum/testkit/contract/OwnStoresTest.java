package io.kvorum.testkit.contract;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
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
import java.util.function.Consumer;
import java.util.function.Function;
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

    /** A store that is not one of ours: it has only what it must have. */
    private record PlainStore(KeyValueStore store) implements KeyValueStore {
        @Override
        public <T extends @Nullable Object> T transact(
                int slot, Function<? super KeyOperations, ? extends T> function) {
            return store.<T>transact(slot, function);
        }

        @Override
        public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
            return store.<T>read(slot, function);
        }

        @Override
        public long size() {
            return store.size();
        }

        @Override
        public int countInSlot(int slot) {
            return store.countInSlot(slot);
        }

        @Override
        public void forEachInSlot(int slot, Consumer<Entry> action) {
            store.forEachInSlot(slot, action);
        }

        @Override
        public int dropSlot(int slot) {
            return store.dropSlot(slot);
        }
    }

    /** The operations as the interface itself makes them of transactions. */
    @Nested
    final class OfAStoreOfAnotherKind extends InThisJvm {
        private final PlainStore store = new PlainStore(new LocalStore(SETTINGS, 7, clock));

        @Override
        protected KeyValueStore store() {
            return store;
        }
    }

    /** A cluster in virtual time. */
    private abstract static class InACluster extends KeyValueStoreContract {
        final LocalCluster cluster;

        InACluster(int shards) {
            cluster = LocalCluster.builder().shards(shards).virtualTime(1).start();
        }

        @BeforeEach
        void awaitReady() {
            cluster.awaitReady(Duration.ofSeconds(10));
        }

        @AfterEach
        void close() {
            cluster.close();
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

    /** The whole cluster through its client. */
    @Nested
    final class OfACluster extends InACluster {
        OfACluster() {
            super(3);
        }

        @Override
        protected KeyValueStore store() {
            return cluster.client();
        }
    }

    /** One node, whose calls wait for the others of its shard. */
    @Nested
    final class OfANode extends InACluster {
        OfANode() {
            super(1);
        }

        @Override
        protected KeyValueStore store() {
            return cluster.primaryFor(new byte[0])
                    .store()
                    .store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofMinutes(1));
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
