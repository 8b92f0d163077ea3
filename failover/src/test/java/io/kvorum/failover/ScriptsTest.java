package io.kvorum.failover;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The protocol as golden scripts, in {@code src/test/resources/scripts}. A change of the protocol is read as their
 * difference; rewrite them with {@code -Dtraces.rewrite}.
 */
final class ScriptsTest {
    static List<Path> scripts() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/scripts"))) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void aScriptIsAsRecorded(Path script) throws IOException {
        Script.check(script);
    }
}
