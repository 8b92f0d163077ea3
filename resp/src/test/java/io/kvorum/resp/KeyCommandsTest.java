package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.LocalStore;
import io.kvorum.core.MutationSink;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.topology.RefusedException;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

final class KeyCommandsTest {
    private final RefusedException refusal =
            new RefusedException(RefusedException.Kind.FENCED, "planted", 0, null, null, null, -1);
    private int changes;
    private final MutationSink refusesTheFourthChange = (slot, change) -> {
        if (++changes == 4) {
            throw refusal;
        }
    };

    @Test
    void clearingThatIsRefusedHalfWayIsRefused() {
        try (LocalStore store =
                new LocalStore(StoreSettings.defaults(), 7, InstantSource.system(), refusesTheFourthChange)) {
            store.set("foo".getBytes(UTF_8), new byte[1]);
            store.set("bar".getBytes(UTF_8), new byte[1]);

            assertEquals(refusal, assertThrows(RefusedException.class, () -> KeyCommands.clear(store)));
            assertEquals(1, store.size());
        }
    }
}
