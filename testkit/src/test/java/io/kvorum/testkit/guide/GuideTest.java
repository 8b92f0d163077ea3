package io.kvorum.testkit.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The programs in the guide are those that the build compiles and runs here. */
final class GuideTest {
    private static final Path GUIDE = Path.of("..", "docs", "testing.md");
    private static final Path SOURCES = Path.of("src", "test", "java", "io", "kvorum", "testkit", "guide");
    private static final Pattern PROGRAM = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");

    @Test
    void itsProgramsAreThoseOfTheBuild() throws IOException {
        List<String> programs = PROGRAM.matcher(Files.readString(GUIDE))
                .results()
                .map(MatchResult::group)
                .toList();

        assertEquals(
                List.of(
                        program("Carts"),
                        program("CartsTest"),
                        program("CartsOfflineTest"),
                        program("CartsSimulationTest"),
                        program("CartsInvariantsTest"),
                        program("HighScores"),
                        program("HighScoresTest"),
                        program("HighScoresContractTest")),
                programs);
    }

    private static String program(String name) throws IOException {
        String source = Files.readString(SOURCES.resolve(name + ".java"));
        return "```java\n" + source.substring(source.indexOf("import")) + "```";
    }

    @Test
    void whatItLinksToIsThere() throws IOException {
        LINK.matcher(Files.readString(GUIDE))
                .results()
                .map(link -> GUIDE.resolveSibling(link.group(1)))
                .forEach(target -> assertTrue(Files.exists(target), target::toString));
    }
}
