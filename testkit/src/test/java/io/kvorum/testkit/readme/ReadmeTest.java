package io.kvorum.testkit.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.replication.PromiseStoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The programs in the README are those that the build compiles and runs here. */
final class ReadmeTest {
    private static final Path README = Path.of("..", "README.md");
    private static final Path SOURCES = Path.of("src", "test", "java", "io", "kvorum", "testkit", "readme");
    /** Compiled and run by the module that it is about. */
    private static final Path ON_SERVERS =
            Path.of("..", "redis", "src", "test", "java", "io", "kvorum", "redis", "readme", "OnServers.java");

    private static final List<String> NODES = List.of("a", "b", "c");
    private static final Pattern PROGRAM = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    @Test
    void itsProgramsAreThoseOfTheBuild() throws IOException {
        List<String> programs = PROGRAM.matcher(Files.readString(README))
                .results()
                .map(MatchResult::group)
                .toList();

        assertEquals(
                List.of(
                        program("Example"),
                        program("Alone"),
                        program("Wiring"),
                        program("InVirtualTime"),
                        program(ON_SERVERS)),
                programs);
    }

    private static String program(String name) throws IOException {
        return program(SOURCES.resolve(name + ".java"));
    }

    private static String program(Path file) throws IOException {
        String source = Files.readString(file);
        return "```java\n" + source.substring(source.indexOf("import")) + "```";
    }

    @Test
    void theStoreAloneRuns() {
        Alone.main(new String[0]);
    }

    @Test
    void theExampleRuns() {
        Example.main(new String[0]);
    }

    @Test
    void theWiringRuns(@TempDir Path data) throws IOException {
        createDirectories(data);

        Wiring.main(new String[] {data.toString()});
    }

    @Test
    void theRunInVirtualTimeLeavesAPage(@TempDir Path directory) throws IOException {
        InVirtualTime.main(new String[] {directory.toString()});

        assertTrue(Files.size(directory.resolve("counter.html")) > 10_000);
    }

    /** Its promise is gone, but the others remember that the shard has begun: nobody takes it for a new one. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void theWiringRefusesToBeginAgainAfterDisksWereLost(int lost, @TempDir Path data) throws IOException {
        createDirectories(data);
        Wiring.main(new String[] {data.toString()});
        for (String node : NODES.subList(0, lost)) {
            Files.delete(data.resolve(node).resolve(ClusterNode.PROMISE_FILE));
        }

        CompletionException failure =
                assertThrows(CompletionException.class, () -> Wiring.main(new String[] {data.toString()}));

        assertEquals(AbortReason.ALREADY_BEGUN, ((OperationFailedException) failure.getCause()).reason());
    }

    @Test
    void theWiringDoesNotStartWithoutADirectory(@TempDir Path data) throws IOException {
        createDirectories(data);
        Files.delete(data.resolve("a"));

        assertThrows(PromiseStoreException.class, () -> Wiring.main(new String[] {data.toString()}));
    }

    private static void createDirectories(Path data) throws IOException {
        for (String node : NODES) {
            Files.createDirectory(data.resolve(node));
        }
    }

    @Test
    void theWiringIsShort() throws IOException {
        String wiring = program("Wiring");

        assertTrue(
                wiring.substring(wiring.indexOf("public final class")).lines().count() - 1 < 40);
    }

    @Test
    void whatItLinksToIsThere() throws IOException {
        Pattern.compile("\\]\\(([^)#:]+)\\)")
                .matcher(Files.readString(README))
                .results()
                .map(link -> README.resolveSibling(link.group(1)))
                .forEach(target -> assertTrue(Files.exists(target), target::toString));
    }
}
