package io.kvorum.testkit.story;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.testkit.story.DataSet.MalformedFileException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DataSetTest {
    @TempDir
    private Path directory;

    @Test
    void everyCharacterHasItsName() {
        Map<String, String> entries = DataSet.unicode().entries();

        assertTrue(entries.size() > 140_000, () -> "characters: " + entries.size());
        assertEquals("LATIN SMALL LETTER A", entries.get("U+000061"));
        assertEquals("GRINNING FACE", entries.get("U+01F600"));
    }

    @Test
    void aFileIsReadInItsOrderAndItsLastValueWins() throws Exception {
        Map<String, String> entries =
                DataSet.of(file("b\tone\r\na\t\nb\tzwölf\n", UTF_8)).entries();

        assertEquals(List.of("b", "a"), List.copyOf(entries.keySet()));
        assertEquals(Map.of("b", "zwölf", "a", ""), entries);
    }

    @Test
    void theLastLineNeedsNoEnd() throws Exception {
        assertEquals(Map.of("a", "1"), DataSet.of(file("a\t1", UTF_8)).entries());
        assertEquals(Map.of(), DataSet.of(file("", UTF_8)).entries());
    }

    @ParameterizedTest
    @CsvSource({
        "'a\t1\nb2\n', 2",
        "'a\t1\n\nb\t2\n', 2",
        "'\t1\n', 1",
        "'a\t1\t2\n', 1",
        "'a\t1\nb\t2\nc', 3",
    })
    void aMalformedLineIsNamedByItsNumber(String text, int line) throws Exception {
        Path file = file(text, UTF_8);

        String message = assertThrows(MalformedFileException.class, () -> DataSet.of(file))
                .getMessage();

        assertEquals(file + ", line " + line + ": must be a key, one tab and a value, in UTF-8", message);
    }

    @Test
    void aLineThatIsNotUtf8IsMalformed() throws Exception {
        Path file = file("a\t1\nb\tzwölf\n", ISO_8859_1);

        String message = assertThrows(MalformedFileException.class, () -> DataSet.of(file))
                .getMessage();

        assertEquals(file + ", line 2: must be a key, one tab and a value, in UTF-8", message);
    }

    private Path file(String text, Charset charset) throws Exception {
        return Files.writeString(directory.resolve("pairs.tsv"), text, charset);
    }
}
