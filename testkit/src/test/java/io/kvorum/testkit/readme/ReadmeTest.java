package io.kvorum.testkit.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The programs in the README are those that the build compiles and runs here. */
final class ReadmeTest {
    private static final Path README = Path.of("..", "README.md");
    private static final Path SOURCES = Path.of("src", "test", "java", "io", "kvorum", "testkit", "readme");
    private static final Pattern PROGRAM = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    @Test
    void itsProgramsAreThoseOfTheBuild() throws IOException {
        List<String> programs = PROGRAM.matcher(Files.readString(README))
                .results()
                .map(MatchResult::group)
                .toList();

        assertEquals(List.of(program("Alone"), program("Example"), program("Wiring")), programs);
    }

    private static String program(String name) throws IOException {
        String source = Files.readString(SOURCES.resolve(name + ".java"));
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
    void theWiringRuns() throws IOException {
        Wiring.main(new String[0]);
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
