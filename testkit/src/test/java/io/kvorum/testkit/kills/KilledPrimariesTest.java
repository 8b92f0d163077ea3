package io.kvorum.testkit.kills;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("long")
final class KilledPrimariesTest {
    @Test
    void whatIsAcknowledgedOutlivesTheProcessThatAcknowledgedIt(@TempDir Path directory) throws Exception {
        KilledPrimaries.Counts counts = KilledPrimaries.run(1, directory, new Random(1));

        assertEquals(1, counts.kills());
        assertEquals(0, counts.lost());
        assertTrue(counts.checked() > 0 && counts.acknowledged() >= counts.checked(), counts::toString);
    }
}
