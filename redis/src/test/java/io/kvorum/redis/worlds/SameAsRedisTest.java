package io.kvorum.redis.worlds;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The page in docs is that of the scenarios; {@code -Dtraces.rewrite} writes it anew. */
final class SameAsRedisTest {
    private static final Path PAGE = Path.of("..", "docs", "same-as-redis.md");

    @Test
    void thePageListsAllScenariosAndDifferences() throws IOException {
        String page = SameAsRedis.page(Scenario.all());
        if (System.getProperty("traces.rewrite") != null) {
            Files.writeString(PAGE, page);
        }

        assertEquals(Files.readString(PAGE), page);
    }
}
