package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Traces that are kept as files, so that a change of the protocol is read as a diff. */
final class GoldenTrace {
    private GoldenTrace() {}

    /** Compares a trace with the file of that name; with {@code -Dtraces.rewrite} writes the file instead. */
    static void check(String name, String trace) {
        Path file = Path.of("src/test/resources/traces", name + ".txt");
        try {
            if (System.getProperty("traces.rewrite") != null) {
                Files.createDirectories(file.getParent());
                Files.writeString(file, trace);
            }
            assertEquals(Files.readString(file), trace, name);
        } catch (IOException e) {
            throw new AssertionError("run once with -Dtraces.rewrite to write " + file, e);
        }
    }
}
