package io.kvorum.testkit.contract;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The asynchronous forms of operations, which have the same names and parameters. */
final class AsyncForms {
    private AsyncForms() {}

    /** Offers the operations of a store by their asynchronous forms, each of which is waited for. */
    static KeyOperations waiting(AsyncKeyValueStore store) {
        return (KeyOperations) Proxy.newProxyInstance(
                AsyncForms.class.getClassLoader(),
                new Class<?>[] {KeyOperations.class},
                (proxy, method, arguments) -> waiting(store, method, arguments));
    }

    private static @Nullable Object waiting(AsyncKeyValueStore store, Method method, @Nullable Object[] arguments)
            throws Throwable {
        try {
            CompletionStage<?> stage = isShortForm(method)
                    ? store.changing(keys -> invoke(method, keys, arguments))
                    : (CompletionStage<?>) AsyncKeyValueStore.class
                            .getMethod(method.getName(), method.getParameterTypes())
                            .invoke(store, arguments);
            return stage.toCompletableFuture().join();
        } catch (InvocationTargetException | CompletionException e) {
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
    static boolean isShortForm(Method method) {
        boolean isOverridden = Arrays.stream(KeyValueStore.class.getDeclaredMethods())
                .anyMatch(declared -> declared.getName().equals(method.getName())
                        && Arrays.equals(declared.getParameterTypes(), method.getParameterTypes()));
        return !isOverridden
                && method.isDefault()
                && !Set.of("touch", "expireAt", "expireAfter", "persist").contains(method.getName());
    }
}
