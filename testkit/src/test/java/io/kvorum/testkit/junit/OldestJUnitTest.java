package io.kvorum.testkit.junit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The extensions work with the oldest JUnit that they promise to work with, too: their tests pass in a JVM that has it.
 */
@Tag("long")
final class OldestJUnitTest {
    private static final Path CONSOLE = Path.of("target", "oldest-junit", "junit-platform-console-standalone.jar");

    @Test
    @Timeout(120)
    void theExtensionsWorkWithIt() throws IOException, InterruptedException {
        assertTrue(Files.exists(CONSOLE), () -> CONSOLE.toAbsolutePath() + ", which the build copies, is missing");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-classpath",
                        classPath(),
                        "org.junit.platform.console.ConsoleLauncher",
                        "execute",
                        "--disable-banner",
                        "--disable-ansi-colors",
                        "--fail-if-no-tests",
                        "--select-class=" + KvorumClusterTest.class.getName(),
                        "--select-class=" + SimulatedSeedTest.class.getName())
                .redirectErrorStream(true)
                .start();
        try {
            String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertEquals(0, process.waitFor(), printed);
            assertTrue(printed.contains("KvorumClusterTest") && printed.contains("JUnit Jupiter"), printed);
        } finally {
            process.destroyForcibly();
        }
    }

    /** What the tests here have, but for their JUnit. */
    private static String classPath() {
        Stream<String> here = Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
                .filter(Objects::nonNull)
                .flatMap(path -> Stream.of(path.split(File.pathSeparator, -1)))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("junit-"));
        return Stream.concat(Stream.of(CONSOLE.toString()), here).collect(Collectors.joining(File.pathSeparator));
    }
}
