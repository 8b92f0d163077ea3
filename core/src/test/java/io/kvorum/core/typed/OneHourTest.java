package io.kvorum.core.typed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A store whose keys have deadlines needs no more memory after an hour than after five minutes. */
@Tag("long")
final class OneHourTest {
    @Test
    @Timeout(120)
    void aStoreWithDeadlinesRunsForAnHourInASmallHeap() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-classpath",
                        classPath(),
                        OneHour.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            String printed = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
            assertEquals(0, process.waitFor(), printed);
            String[] counts = printed.split(" ", -1);
            long living = OneHour.LIFE.toSeconds() * OneHour.OFFERS_A_SECOND;
            assertTrue(Long.parseLong(counts[0]) < living * 5 / 4, printed);
            assertTrue(Long.parseLong(counts[1]) >= living, printed);
            assertEquals("2 " + 30 * OneHour.SECONDS, counts[2] + " " + counts[3]);
        } finally {
            process.destroyForcibly();
        }
    }

    /** The tests are in the module that they test, so what it needs is on the module path. */
    private static String classPath() throws Exception {
        String name = OneHour.class.getName().replace('.', '/') + ".class";
        Path self = Path.of(Objects.requireNonNull(OneHour.class.getResource("OneHour.class"))
                .toURI());
        Path root = self.getRoot()
                .resolve(self.subpath(0, self.getNameCount() - Path.of(name).getNameCount()));
        return Stream.of(root.toString(), System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
                .filter(Objects::nonNull)
                .collect(Collectors.joining(File.pathSeparator));
    }
}
