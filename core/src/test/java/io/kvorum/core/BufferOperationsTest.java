package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.replicated.OneNode;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Values in netty buffers, and values that are read where they lie. */
@Timeout(60)
final class BufferOperationsTest {
    private static final byte[] KEY = bytes("key");

    static Stream<KeyValueStore> stores() {
        return Stream.of(new LocalStore(), ShardedStore.local(3), new PlainStore(new LocalStore()));
    }

    @ParameterizedTest
    @MethodSource("stores")
    void appendsAValueToABuffer(KeyValueStore store) {
        store.set(KEY, bytes("value"));
        ByteBuf target = Unpooled.buffer(2).writeByte('>');

        assertEquals(5, store.get(KEY, target));
        assertEquals(-1, store.get(bytes("other"), target));
        assertEquals(">value", target.toString(UTF_8));
    }

    @ParameterizedTest
    @MethodSource("stores")
    void leavesABufferWithoutRoomAsItWas(KeyValueStore store) {
        store.set(KEY, bytes("value"));
        ByteBuf target = Unpooled.buffer(4, 4).writeByte('>');

        assertThrows(IndexOutOfBoundsException.class, () -> store.get(KEY, target));
        assertEquals(">", target.toString(UTF_8));
    }

    @ParameterizedTest
    @MethodSource("stores")
    void setsTheReadableBytesOfABuffer(KeyValueStore store) {
        List<ByteBuf> buffers = List.of(
                Unpooled.copiedBuffer("(value)", UTF_8),
                Unpooled.directBuffer().writeBytes(bytes("(value)")),
                Unpooled.wrappedBuffer(bytes("(val"), bytes("ue)")).asReadOnly());
        for (ByteBuf buffer : buffers) {
            buffer.readerIndex(1);
            buffer.writerIndex(6);
            store.set(KEY, buffer);

            assertEquals("value", text(store.get(KEY)));
            assertEquals(1, buffer.readerIndex());
            assertEquals(6, buffer.writerIndex());
            assertEquals(1, buffer.refCnt());
            buffer.release();
            store.delete(KEY);
        }
    }

    @ParameterizedTest
    @MethodSource("stores")
    void showsAValueWhereItLies(KeyValueStore store) {
        store.set(KEY, new byte[] {0, 0, 0, 0, 0, 0, 1, 2});
        LentValue[] kept = new LentValue[1];

        assertEquals(Long.valueOf(258), store.lend(KEY, value -> {
            kept[0] = value;
            return value.longAt(0);
        }));
        assertNull(store.lend(bytes("other"), LentValue::length));
        assertThrows(IllegalStateException.class, () -> kept[0].length());
        assertThrows(IndexOutOfBoundsException.class, () -> store.lend(KEY, value -> value.byteAt(8)));
    }

    /** A store that runs each function twice, since the first run is in vain, or in vain both times. */
    private record Twice(KeyValueStore store, boolean fails) implements AsyncKeyValueStore {
        @Override
        public <T extends @Nullable Object> CompletionStage<T> reading(
                Function<? super KeyValueStore, ? extends T> function) {
            List<T> results = Arrays.asList(function.apply(store), function.apply(store));
            return fails
                    ? CompletableFuture.failedFuture(new IllegalStateException("not confirmed"))
                    : CompletableFuture.completedFuture(results.get(1));
        }

        @Override
        public <T extends @Nullable Object> CompletionStage<T> changing(
                Function<? super KeyValueStore, ? extends T> function) {
            return reading(function);
        }
    }

    /** As {@link Twice}, for calls that wait. */
    private static final class TwiceAndWait extends ForwardingStore {
        private final Twice twice;

        TwiceAndWait(Twice twice) {
            this.twice = twice;
        }

        @Override
        protected <T extends @Nullable Object> T reading(Function<? super KeyValueStore, ? extends T> operation) {
            CompletableFuture<T> outcome = twice.<T>reading(operation).toCompletableFuture();
            if (outcome.isCompletedExceptionally()) {
                throw new StackOverflowError("planted");
            }
            return outcome.join();
        }

        @Override
        protected <T extends @Nullable Object> T changing(Function<? super KeyValueStore, ? extends T> operation) {
            return this.<T>reading(operation);
        }
    }

    @Test
    void aSecondRunBeginsWhereTheFirstOneDid() {
        LocalStore store = new LocalStore();
        store.set(KEY, bytes("value"));
        Twice async = new Twice(store, false);
        ByteBuf target = Unpooled.buffer().writeByte('>');
        assertEquals(5, async.get(KEY, target).toCompletableFuture().join());
        assertEquals(">value", target.toString(UTF_8));
        assertEquals(5, new TwiceAndWait(async).get(KEY, target));
        assertEquals(">valuevalue", target.toString(UTF_8));

        List<String> seen = new ArrayList<>();
        async.forEachInSlot(HashSlot.of(KEY), entry -> seen.add(text(entry.key())))
                .toCompletableFuture()
                .join();
        assertEquals(List.of("key"), seen);
    }

    @Test
    void nothingOfARunInVainIsLeft() {
        LocalStore store = new LocalStore();
        store.set(KEY, bytes("value"));
        Twice async = new Twice(store, true);
        ByteBuf target = Unpooled.buffer().writeByte('>');
        assertTrue(async.get(KEY, target).toCompletableFuture().isCompletedExceptionally());
        assertEquals(">", target.toString(UTF_8));
        TwiceAndWait waiting = new TwiceAndWait(async);
        assertThrows(StackOverflowError.class, () -> waiting.get(KEY, target));
        assertEquals(">", target.toString(UTF_8));

        List<String> seen = new ArrayList<>();
        CompletableFuture<?> walk = async.forEachInSlot(HashSlot.of(KEY), entry -> seen.add(text(entry.key())))
                .toCompletableFuture();
        assertTrue(walk.isCompletedExceptionally());
        assertEquals(List.of(), seen);
    }

    @Test
    void anErrorOfTheActionIsTheOutcomeOfTheWalk() {
        LocalStore store = new LocalStore();
        store.set(KEY, bytes("value"));
        AssertionError thrown = new AssertionError("of the action");
        CompletionStage<?> walk = new Twice(store, false).forEachInSlot(HashSlot.of(KEY), entry -> {
            throw thrown;
        });
        CompletionException failure = assertThrows(
                CompletionException.class, () -> walk.toCompletableFuture().join());
        assertSame(thrown, failure.getCause());
    }

    @Test
    void whatIsNotConfirmedIsTakenOutOfTheBuffer() {
        try (OneNode node = new OneNode(16_384)) {
            node.begin(OneNode.NODE, new NodeId("absent"));
            node.store
                    .store(Acknowledgement.LOCAL, ReadLevel.LOCAL, Duration.ofMinutes(5))
                    .set(KEY, bytes("value"));
            KeyValueStore store = node.store.store(Acknowledgement.LOCAL, ReadLevel.CONFIRMED, Duration.ofMillis(1));
            ByteBuf target = Unpooled.buffer().writeByte('>');

            assertThrows(OutcomeUnknownException.class, () -> store.get(KEY, target));
            assertEquals(">", target.toString(UTF_8));
            AsyncKeyValueStore async =
                    node.store.async(Acknowledgement.LOCAL, ReadLevel.CONFIRMED, Duration.ofMillis(1));
            CompletionException failure = assertThrows(
                    CompletionException.class,
                    () -> async.get(KEY, target).toCompletableFuture().join());
            assertTrue(failure.getCause() instanceof OutcomeUnknownException);
            assertEquals(">", target.toString(UTF_8));
            AtomicInteger seen = new AtomicInteger();
            assertThrows(
                    CompletionException.class,
                    () -> async.forEachInSlot(HashSlot.of(KEY), entry -> seen.incrementAndGet())
                            .toCompletableFuture()
                            .join());
            assertEquals(0, seen.get());
        }
    }
}
