package io.kvorum.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.testkit.LocalCluster;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Each operation has an asynchronous form, which does the same. */
final class AsyncFormsTest {
    @Test
    void everyOperationHasAnAsynchronousForm() throws NoSuchMethodException {
        List<String> forms = new ArrayList<>();
        for (Method method : KeyValueStore.class.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers())
                    && !AsyncForms.isShortForm(method)
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

    @Nested
    final class OfALocalStore extends KeyOperationsContract {
        private final SetClock clock = new SetClock();
        private final KeyOperations keys =
                AsyncForms.waiting(new LocalStore(StoreSettings.defaults(), 7, clock).async(Runnable::run));

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

    @Nested
    final class OfANode extends KeyOperationsContract {
        private final LocalCluster cluster =
                LocalCluster.builder().shards(1).virtualTime(1).start();

        @BeforeEach
        void awaitReady() {
            cluster.awaitReady(Duration.ofSeconds(10));
        }

        @AfterEach
        void close() {
            cluster.close();
        }

        @Override
        protected KeyOperations keys() {
            return AsyncForms.waiting(cluster.primaryFor(new byte[0])
                    .store()
                    .async(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofMinutes(1)));
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
    }
}
