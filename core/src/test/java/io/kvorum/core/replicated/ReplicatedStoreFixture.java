package io.kvorum.core.replicated;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetOptions.Condition;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** A shard of three nodes, and what is asked of its nodes. */
abstract class ReplicatedStoreFixture {
    static final byte[] KEY = bytes("bar"); // slot 5061, of this shard
    static final byte[] MOVED = bytes("foo"); // slot 12182, of the other shard
    static final byte[] UNOWNED = bytes("6ZJ"); // slot 16383, of nobody
    static final Duration TIMEOUT = Duration.ofSeconds(1);
    static final SetOptions IF_ABSENT = SetOptions.defaults().withCondition(Condition.IF_ABSENT);

    final ShardOfThree shard = new ShardOfThree();

    @AfterEach
    void close() {
        shard.close();
    }

    CompletionStage<Written<Boolean>> set(NodeId node, Acknowledgement level, byte[] key, String value) {
        return write(node, level, store -> store.set(key, bytes(value), SetOptions.defaults()));
    }

    <T> CompletionStage<Written<T>> write(NodeId node, Acknowledgement level, Function<KeyValueStore, T> operation) {
        return shard.node(node).store.write(level, TIMEOUT, operation);
    }

    CompletionStage<@Nullable String> get(NodeId node, ReadLevel level) {
        return shard.node(node).store.read(level, TIMEOUT, store -> text(store.get(KEY)));
    }

    @Nullable
    String local(NodeId node, byte[] key) {
        return text(shard.node(node).local.get(key));
    }

    static RefusedException refusal(CompletionStage<?> stage) {
        return assertInstanceOf(RefusedException.class, failure(stage));
    }

    static @Nullable Throwable failure(CompletionStage<?> stage) {
        List<Throwable> failures = new ArrayList<>();
        stage.whenComplete((result, failure) -> failures.add(failure));
        assertEquals(1, failures.size(), "not completed yet");
        assertFalse(failures.get(0) instanceof CompletionException);
        return failures.get(0);
    }
}
