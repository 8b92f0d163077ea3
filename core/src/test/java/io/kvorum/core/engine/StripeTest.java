package io.kvorum.core.engine;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class StripeTest {
    private static final int STEPS = 50_000;

    private final FixedClock clock = new FixedClock(100);
    private final KeyHash hash = new KeyHash(1, 2);
    private final Stripe stripe = new Stripe(new SlabTable(hash::of, 0, 1));
    private final ExecutorService executor = Executors.newFixedThreadPool(3);

    @AfterEach
    void close() {
        executor.shutdownNow();
    }

    @Test
    void whatAReaderThrowsOfAWholeValueIsThrown() {
        put("k", bytes("v"));
        byte[] key = bytes("k");

        assertThrows(
                IllegalArgumentException.class,
                () -> stripe.lend(hash.of(key), key, clock, "", (array, from, length, reader) -> {
                    throw new IllegalArgumentException("by the reader");
                }));
        assertNull(stripe.lend(
                hash.of(bytes("other")), bytes("other"), clock, "", (array, from, length, reader) -> length));
    }

    @Test
    void aBufferThatIsTooSmallIsLeftAsItWas() {
        put("k", bytes("value"));
        byte[] key = bytes("k");
        ByteBuf small = Unpooled.buffer(3, 3).writeByte(1);

        assertThrows(IndexOutOfBoundsException.class, () -> stripe.get(hash.of(key), key, clock, small));
        assertEquals(1, small.readableBytes());
    }

    /** Whoever waits for a lock that is never released waits for ever, and says nothing. */
    @Test
    void theLockIsReleasedWhateverGoesWrong() throws Exception {
        Stripe failed = new Stripe(failingOn("isBroken"));
        failed.lock();
        assertThrows(OutOfMemoryError.class, failed::unlock);

        assertEquals(0, executor.submit(() -> failed.size()).get(30, TimeUnit.SECONDS));
    }

    @Test
    void theLockIsReleasedIfTheEngineCannotSettleItsAccounts() throws Exception {
        Engine engine = Engines.only(new LocalStore(StoreSettings.defaults(), 7, clock));
        Stripe failed = new Stripe(failingOn("timed"));
        failed.lock();
        assertThrows(OutOfMemoryError.class, () -> engine.unlock(failed));

        assertEquals(0, executor.submit(() -> failed.size()).get(30, TimeUnit.SECONDS));
    }

    /** Returns a table that is empty, and has no memory for one of its methods. */
    private static Table failingOn(String name) {
        return (Table) Proxy.newProxyInstance(
                Table.class.getClassLoader(), new Class<?>[] {Table.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals(name)) {
                        throw new OutOfMemoryError("planted");
                    }
                    return method.getReturnType() == boolean.class ? (Object) false : (Object) 0;
                });
    }

    /** Each byte of a value is the number of its bytes: a mixture of two values shows. */
    @Test
    void neitherALoanNorABufferHoldsHalfOfAWrite() throws Exception {
        byte[] key = bytes("k");
        long keyHash = hash.of(key);
        List<Callable<Integer>> tasks = new ArrayList<>();
        tasks.add(() -> {
            for (int i = 0; i < STEPS; i++) {
                put("k", value(1 + i % 100));
                if (i % 7 == 0) {
                    put("other" + i, value(1));
                }
            }
            return 0;
        });
        tasks.add(() -> {
            int wrong = 0;
            for (int i = 0; i < STEPS; i++) {
                Boolean whole = stripe.lend(keyHash, key, clock, "", StripeTest::isWhole);
                wrong += whole == null || whole ? 0 : 1;
            }
            return wrong;
        });
        tasks.add(() -> {
            int wrong = 0;
            ByteBuf target = Unpooled.buffer();
            for (int i = 0; i < STEPS; i++) {
                target.clear().writeByte(0);
                int length = stripe.get(keyHash, key, clock, target);
                boolean whole = target.readableBytes() == 1 + Math.max(length, 0);
                for (int at = 1; whole && at <= length; at++) {
                    whole = target.getByte(at) == length;
                }
                wrong += whole ? 0 : 1;
            }
            return wrong;
        });
        for (Future<Integer> future : executor.invokeAll(tasks, 50, TimeUnit.SECONDS)) {
            assertEquals(0, future.get());
        }
    }

    private static boolean isWhole(byte[] array, int from, int length, String reader) {
        for (int at = from; at < from + length; at++) {
            if (array[at] != length) {
                return false;
            }
        }
        return true;
    }

    private static byte[] value(int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) length);
        return value;
    }

    private void put(String key, byte[] value) {
        stripe.lock();
        try {
            stripe.table().put(0, hash.of(bytes(key)), bytes(key), value, Table.NO_DEADLINE);
        } finally {
            stripe.unlock();
        }
    }
}
