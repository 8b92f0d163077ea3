package io.kvorum.core.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.Replicas;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Whether any key has a deadline is known at every moment, so that nobody who looks stops looking too early. */
final class ExpirerTest {
    private static final int STRIPES = 4_096;
    private static final int FULL_SYNCS = 200;
    private static final byte[] VALUE = {'v'};

    private final StoreSettings settings = StoreSettings.defaults().withStripes(STRIPES);
    private final LocalStore store = new LocalStore(settings, 7, new FixedClock(1_000));
    private final Engine engine = Engines.only(store);

    /** {@return a full sync of one key with a deadline, in one of the first or of the last stripes} */
    private List<ByteBuf> fullSync(boolean first) {
        LocalStore source = new LocalStore(settings, 8, new FixedClock(1_000));
        int number = 0;
        byte[] key;
        do {
            key = ("key-" + number++).getBytes(StandardCharsets.US_ASCII);
        } while (HashSlot.of(key) % STRIPES / (STRIPES / 8) != (first ? 0 : 7));
        source.set(key, VALUE, Duration.ofSeconds(1));
        return Replicas.chunks(source, 1_000);
    }

    @Test
    void aFullSyncThatReplacesDeadlinesByOthersNeverSeemsToHaveNone() throws InterruptedException {
        List<ByteBuf> first = fullSync(true);
        List<ByteBuf> last = fullSync(false);
        Replicas.load(store, first);
        AtomicBoolean done = new AtomicBoolean();
        AtomicBoolean hadNone = new AtomicBoolean();
        Thread watcher = new Thread(() -> {
            while (!done.get()) {
                if (!engine.hasDeadlines()) {
                    hadNone.set(true);
                }
            }
        });
        watcher.start();
        for (int i = 0; i < FULL_SYNCS; i++) {
            Replicas.load(store, i % 2 == 0 ? last : first);
        }
        done.set(true);
        watcher.join();

        assertFalse(hadNone.get());
        assertTrue(engine.hasDeadlines());
    }
}
