package io.kvorum.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.replicated.OneNode;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The operations of every kind of store. */
final class KeyOperationsTest {
    private static LocalStore local(FixedClock clock) {
        return new LocalStore(StoreSettings.defaults(), 7, clock);
    }

    @Nested
    final class OfALocalStore extends KeyOperationsContract {
        private final LocalStore store = local(clock);

        @Override
        KeyOperations keys() {
            return store;
        }
    }

    @Nested
    final class OfAStoreThatEvicts extends KeyOperationsContract {
        private final LocalStore store = new LocalStore(Tables.CAFFEINE.settings(), 7, clock);

        @Override
        KeyOperations keys() {
            return store;
        }
    }

    @Nested
    final class OfAShardedStore extends KeyOperationsContract {
        private final ShardedStore store = ShardedStore.local(List.of(local(clock), local(clock), local(clock)));

        @Override
        KeyOperations keys() {
            return store;
        }
    }

    /** The operations as the interface itself makes them of transactions. */
    @Nested
    final class OfAStoreOfAnotherKind extends KeyOperationsContract {
        private final PlainStore store = new PlainStore(local(clock));

        @Override
        KeyOperations keys() {
            return store;
        }
    }

    @Nested
    @Timeout(60)
    final class OfANode extends KeyOperationsContract {
        private final OneNode node = new OneNode(16_384);
        private final KeyValueStore store =
                node.store.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofMinutes(5));

        @Override
        KeyOperations keys() {
            node.clock.set(clock.millis());
            if (node.store.status().epoch() == 0) {
                node.begin(OneNode.NODE);
            }
            return store;
        }

        @AfterEach
        void close() {
            node.close();
        }
    }

    @Nested
    @Timeout(60)
    final class InAsynchronousForm extends KeyOperationsContract {
        private final ExecutorService executor = Executors.newSingleThreadExecutor();
        private final KeyOperations keys = waiting(local(clock).async(executor));

        @Override
        KeyOperations keys() {
            return keys;
        }

        @AfterEach
        void close() {
            executor.shutdownNow();
        }
    }

    @Nested
    @Timeout(60)
    final class OfANodeInAsynchronousForm extends KeyOperationsContract {
        private final OneNode node = new OneNode(16_384);
        private final KeyOperations keys =
                waiting(node.store.async(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofMinutes(5)));

        @Override
        KeyOperations keys() {
            node.clock.set(clock.millis());
            if (node.store.status().epoch() == 0) {
                node.begin(OneNode.NODE);
            }
            return keys;
        }

        @AfterEach
        void close() {
            node.close();
        }
    }

    /** Offers the operations of a store by their asynchronous forms, which have the same names and parameters. */
    private static KeyOperations waiting(AsyncKeyValueStore store) {
        return (KeyOperations) Proxy.newProxyInstance(
                KeyOperationsTest.class.getClassLoader(),
                new Class<?>[] {KeyOperations.class},
                (proxy, method, arguments) -> waiting(store, method, arguments));
    }

    private static @Nullable Object waiting(AsyncKeyValueStore store, Method method, @Nullable Object[] arguments)
            throws Throwable {
        if (isShortForm(method)) {
            return store.changing(keys -> invoke(method, keys, arguments))
                    .toCompletableFuture()
                    .join();
        }
        try {
            CompletionStage<?> stage = (CompletionStage<?>) AsyncKeyValueStore.class
                    .getMethod(method.getName(), method.getParameterTypes())
                    .invoke(store, arguments);
            return stage.toCompletableFuture().join();
        } catch (InvocationTargetException e) {
            throw e.getCause();
        } catch (CompletionException e) {
            throw e.getCause();
        }
    }

    private static @Nullable Object invoke(Method method, KeyValueStore store, @Nullable Object[] arguments) {
        try {
            return method.invoke(store, arguments);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** A short form is made of full ones in the interface that declares both; asynchronously it is a function. */
    private static boolean isShortForm(Method method) {
        boolean isOverridden = Arrays.stream(KeyValueStore.class.getDeclaredMethods())
                .anyMatch(declared -> declared.getName().equals(method.getName())
                        && Arrays.equals(declared.getParameterTypes(), method.getParameterTypes()));
        return !isOverridden
                && method.isDefault()
                && !Set.of("touch", "expireAt", "expireAfter", "persist").contains(method.getName());
    }

    @Test
    void everyOperationHasAnAsynchronousForm() throws NoSuchMethodException {
        List<String> forms = new ArrayList<>();
        for (Method method : KeyValueStore.class.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers())
                    && !isShortForm(method)
                    && !Set.of("async", "close").contains(method.getName())
                    && !(method.getParameterCount() == 2
                            && method.getParameterTypes()[1].equals(Consumer.class)
                            && method.getName().equals("update"))
                    && !(method.getName().equals("transact") && method.getParameterTypes()[0].equals(byte[].class))) {
                Method form = AsyncKeyValueStore.class.getMethod(method.getName(), method.getParameterTypes());
                assertEquals(CompletionStage.class, form.getReturnType());
                forms.add(form.getName() + Arrays.toString(form.getParameterTypes()));
            }
        }
        assertTrue(forms.size() > 35, () -> "only " + forms);
    }
}
