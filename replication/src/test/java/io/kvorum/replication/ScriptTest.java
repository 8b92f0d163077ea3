package io.kvorum.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Plays the scripts in {@code src/test/resources/scripts} and compares what the nodes say with what is written there;
 * {@link Script} describes their form. Run with {@code -Dscripts.rewrite} to write the scripts anew, and review the
 * difference.
 */
final class ScriptTest {
    private static final Path SCRIPTS = Path.of("src/test/resources/scripts");

    static Stream<String> scripts() throws IOException {
        try (Stream<Path> files = Files.list(SCRIPTS)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void nodesSayWhatIsWritten(String name) throws IOException {
        Path file = SCRIPTS.resolve(name);
        List<String> written = Files.readAllLines(file, UTF_8);
        String played;
        try (Script script = new Script()) {
            played = script.play(written);
        }
        if (System.getProperty("scripts.rewrite") != null) {
            Files.writeString(file, played);
        }
        assertEquals(String.join("\n", written) + "\n", played, name);
    }
}
