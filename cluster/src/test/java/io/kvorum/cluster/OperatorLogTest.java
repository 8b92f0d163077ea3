package io.kvorum.cluster;

import static io.kvorum.cluster.Wired.A;
import static io.kvorum.cluster.Wired.B;
import static io.kvorum.cluster.Wired.C;
import static io.kvorum.cluster.Wired.SHARD;
import static io.kvorum.cluster.Wired.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator finds in the log when nodes come and go. */
final class OperatorLogTest {
    private final Logger logger = Logger.getLogger("io.kvorum");
    private final Queue<LogRecord> lines = new ConcurrentLinkedQueue<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            lines.add(line);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @TempDir
    private Path directory;

    @BeforeEach
    void listen() {
        logger.setUseParentHandlers(false);
        logger.setLevel(Level.ALL);
        handler.setLevel(Level.ALL);
        logger.addHandler(handler);
    }

    @AfterEach
    void leave() {
        logger.removeHandler(handler);
        logger.setLevel(null);
        logger.setUseParentHandlers(true);
    }

    @Test
    void eachChangeOfARoleIsALineAndNothingElseIs() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            awaitLine(Level.INFO, "shard: begun: a is the primary of epoch [0-9]+\\.1, of the members a, b, c");
            awaitLine(Level.INFO, "shard: a leads epoch [0-9]+\\.1 and takes writes");
            awaitLine(Level.INFO, "shard: b follows a in epoch [0-9]+\\.1");
            awaitLine(Level.INFO, "shard: c follows a in epoch [0-9]+\\.1");
            awaitLine(Level.INFO, "shard: a is the primary of epoch [0-9]+\\.1");
            awaitLine(Level.INFO, "shard: b has complete data again, up to [0-9]+\\.1:[0-9]+");
            awaitLine(Level.INFO, "shard: c has complete data again, up to [0-9]+\\.1:[0-9]+");
            int before = told().size();
            for (int i = 0; i < 1_000; i++) {
                wired.set("key-" + i, "value");
            }
            assertEquals(before, told().size());

            NodeId after = wired.sentinel()
                    .failOver(SHARD)
                    .toCompletableFuture()
                    .join()
                    .primary();
            awaitLine(Level.INFO, "shard: a no longer leads epoch [0-9]+\\.1: .*");
            awaitLine(Level.INFO, "shard: " + after + " is the primary of epoch [0-9]+\\.1 \\(was a\\)");
            awaitLine(Level.INFO, "shard: a follows " + after + " in epoch [0-9]+\\.1");
        }
        assertEquals(List.of(), messages(Level.WARNING));
        assertTrue(messages(Level.INFO).stream().allMatch(line -> line.startsWith("shard: ")), lines::toString);
        assertTrue(messages(Level.INFO).stream().noneMatch(line -> line.contains("key-")));
    }

    @Test
    void aShardWithoutAPrimaryIsAWarningThatSaysWhyAndHowLong() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.close(A);
            await(() -> !wired.primary().equals(A));
            awaitLine(Level.WARNING, "shard: without a primary: a, the primary of epoch [0-9]+\\.1, is down, as 1 .*");
            awaitLine(
                    Level.INFO, "shard: . is the primary of epoch [0-9]+\\.1 \\(was a\\), .* after it was found down");
        }
    }

    @Test
    void aShardThatCannotBeFailedOverSaysWhoIsMissingOnce() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.close(A);
            wired.close(B);
            awaitLine(Level.WARNING, "shard: without a primary, and no failover is possible: .* no answer from a, b");
            int warnings = messages(Level.WARNING).size();
            await(() -> wired.sentinel().driver().down(SHARD).size() == 2);
            assertTrue(warnings <= 3, () -> messages(Level.WARNING).toString());
        }
    }

    @Test
    void beginningAnewIsAWarningThatSaysThatDataIsLost() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            for (NodeId id : List.of(A, B, C)) {
                wired.close(id);
                wired.start(id, builder -> builder);
            }
            awaitLine(Level.WARNING, "shard: without a primary, .* without complete data: a, b, c");
            wired.sentinel().beginAnew(SHARD).toCompletableFuture().join();

            awaitLine(Level.WARNING, "shard: ordered to begin anew; every write .* will be lost");
            awaitLine(Level.WARNING, "shard: begun anew, and every write that . lacks is lost: .*");
        }
    }

    @Test
    void aPromiseThatCannotBeSavedIsAWarning() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            // a directory in the place of the file that each save writes first
            Files.createDirectory(wired.directoryOf(B).resolve(ClusterNode.PROMISE_FILE + ".next"));
            Files.createFile(wired.directoryOf(B)
                    .resolve(ClusterNode.PROMISE_FILE + ".next")
                    .resolve("taken"));
            wired.sentinel().failOver(SHARD);

            awaitLine(Level.WARNING, "node b of shard: its promise could not be saved; .*");
        }
    }

    private void awaitLine(Level level, String pattern) {
        await(() -> messages(level).stream().anyMatch(line -> line.matches(pattern)));
    }

    private List<String> messages(Level level) {
        return lines.stream()
                .filter(line -> line.getLevel().equals(level))
                .map(LogRecord::getMessage)
                .toList();
    }

    /** {@return the lines above DEBUG} */
    private List<String> told() {
        return lines.stream()
                .filter(line -> line.getLevel().intValue() > Level.FINE.intValue())
                .map(LogRecord::getMessage)
                .toList();
    }
}
