package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The process for clients in other languages. */
final class StandAloneTest {
    @ParameterizedTest
    @CsvSource({"sentinel, 3, 3", "cluster, 0, 9", "single, 0, 3"})
    void printsItsPortsAndEndsWithItsInput(String mode, int sentinels, int nodes) throws Exception {
        Process process = new ProcessBuilder(command(mode))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
            List<String> lines = ports(out);
            assertEquals(
                    sentinels,
                    lines.stream()
                            .filter(it -> it.matches("sentinel 127\\.0\\.0\\.1:\\d+"))
                            .count());
            String node = "node node-\\d\\.\\d (primary|replica) of shard-\\d 127\\.0\\.0\\.1:\\d+";
            assertEquals(nodes, lines.stream().filter(it -> it.matches(node)).count());
            String first = lines.get(sentinels);
            try (TinyClient client = new TinyClient(portOf(first))) {
                assertEquals("(error) NOAUTH Authentication required.", client.call("GET k"));
                assertEquals("OK", client.call("AUTH SECRET"));
                assertTrue(client.call("KVORUM STATUS").contains(first));
            }
            process.getOutputStream().close();
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    /** As with Maven, that is told to end. */
    @Test
    void endsWithTheProcessThatStartedIt(@TempDir Path directory) throws Exception {
        String input = directory.resolve("input").toString(); // which has no end
        List<String> words =
                new ArrayList<>(List.of("sh", "-c", "mkfifo \"$0\"; exec 3<> \"$0\"; \"$@\" <&3 & wait", input));
        words.addAll(command("single"));
        Process shell = new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<ProcessHandle> started = List.of();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(shell.getInputStream(), UTF_8))) {
            String node = ports(out).get(0);
            started = shell.children().toList();
            assertEquals(1, started.size());
            try (TinyClient client = new TinyClient(portOf(node))) {
                assertEquals("OK", client.call("AUTH SECRET"));
                client.timeOutAfter(20_000);
                shell.destroy();

                assertThrows(EOFException.class, client::read);
            }
        } finally {
            shell.destroyForcibly();
            started.forEach(ProcessHandle::destroyForcibly);
        }
    }

    private static int portOf(String line) {
        return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    }

    private static List<String> command(String mode) {
        String path = Stream.of("java.class.path", "jdk.module.path")
                .map(name -> System.getProperty(name, ""))
                .collect(Collectors.joining(File.pathSeparator));
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                path,
                "io.kvorum.resp.StandAlone",
                mode,
                "0",
                "SECRET");
    }

    /** Returns the lines before the one that says that the ports are ready. */
    private static List<String> ports(BufferedReader out) throws IOException {
        List<String> lines = new ArrayList<>();
        String line = out.readLine();
        while (line != null && !line.equals("ready")) {
            lines.add(line);
            line = out.readLine();
        }
        assertEquals("ready", line);
        return lines;
    }
}
