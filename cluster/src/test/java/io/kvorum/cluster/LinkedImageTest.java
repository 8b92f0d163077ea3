package io.kvorum.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An application that uses {@code core} and {@code cluster}, linked by jlink into an image that needs no other JDK. */
@Tag("long")
final class LinkedImageTest {
    private static final Path SOURCES = Path.of("src", "test", "resources", "application");

    /** The libraries that our modules require; the class path of the tests has more. */
    private static final List<String> LIBRARIES = List.of("netty-buffer", "netty-common", "caffeine", "jspecify");

    @TempDir
    private Path directory;

    @Test
    @Timeout(120)
    void anApplicationRunsFromItsImage() throws Exception {
        String modules = modulePath();
        Path application = directory.resolve("application");
        run(
                "javac",
                "-d",
                application.toString(),
                "--module-path",
                modules,
                SOURCES.resolve("module-info.java").toString(),
                SOURCES.resolve("Main.java").toString());
        Path image = directory.resolve("image");
        run(
                "jlink",
                "--module-path",
                modules + File.pathSeparator + application,
                "--add-modules",
                "application",
                "--output",
                image.toString());
        String java = image.resolve("bin").resolve("java").toString();
        Path data = Files.createDirectory(directory.resolve("data"));

        assertEquals(List.of("42", "value"), output(java, "-m", "application/application.Main", data.toString()));
        Set<String> linked = output(java, "--list-modules").stream()
                .map(module -> module.replaceAll("@.*", ""))
                .collect(Collectors.toSet());
        assertTrue(
                linked.containsAll(Set.of("io.kvorum.core", "io.kvorum.cluster", "io.netty.buffer")), linked::toString);
    }

    /** Returns what the application needs of the class path of the tests: directories of classes, or jars. */
    private static String modulePath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(LinkedImageTest::isNeeded)
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static boolean isNeeded(String entry) {
        Path path = Path.of(entry);
        String name = path.getFileName().toString();
        return Files.exists(path.resolve("module-info.class"))
                || Stream.concat(Stream.of("kvorum-"), LIBRARIES.stream().map(library -> library + "-"))
                        .anyMatch(name::startsWith);
    }

    private static void run(String tool, String... arguments) {
        StringWriter output = new StringWriter();
        PrintWriter writer = new PrintWriter(output, true);
        int status = ToolProvider.findFirst(tool).orElseThrow().run(writer, writer, arguments);
        assertEquals(0, status, () -> tool + ": " + output);
    }

    private List<String> output(String... command) throws IOException, InterruptedException {
        File errors = directory.resolve("errors").toFile();
        Process process = new ProcessBuilder(command).redirectError(errors).start();
        try (Stream<String> lines = process.inputReader(UTF_8).lines()) {
            List<String> printed = lines.toList();
            assertEquals(0, process.waitFor(), () -> printed + ", see " + read(errors.toPath()));
            return printed;
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
