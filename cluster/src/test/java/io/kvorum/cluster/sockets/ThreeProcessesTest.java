package io.kvorum.cluster.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shard of three processes that talk over loopback sockets, one of which is killed. */
final class ThreeProcessesTest {
    private static final int SIGKILLED = 128 + 9;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Map<NodeId, MemberProcess> processes = new LinkedHashMap<>();

    @TempDir
    private Path directory;

    @AfterEach
    void end() throws InterruptedException {
        for (MemberProcess process : processes.values()) {
            process.kill();
        }
    }

    @Test
    void aKilledProcessIsReplacedLosesNothingAndFollowsAgain() throws Exception {
        for (NodeId name : Member.NAMES) {
            Files.createDirectory(directory.resolve(name.value()));
            start(name);
        }
        introduce();
        MemberProcess first = processes.get(Member.NAMES.get(0));
        MemberProcess third = processes.get(Member.NAMES.get(2));
        assertEquals("ok one", first.ask("bootstrap"));
        assertEquals("ok", first.ask("write a- 200"));
        awaitEqual();

        // what a replica has missed it gets from the log
        long fullSyncs = events(first, "FullSyncStarted");
        first.ask("mute three");
        assertEquals("ok", first.ask("write b- 50"));
        assertEquals("false", third.ask("has b-49"));
        first.ask("mute nobody");
        awaitEqual();
        assertEquals("true", third.ask("has b-49"));
        assertEquals(fullSyncs, events(first, "FullSyncStarted"));

        // the primary is killed while it acknowledges writes
        first.tell("write c- 1000000");
        await(() -> first.acknowledged().size() > 300);
        assertEquals(SIGKILLED, first.kill());
        List<String> acknowledged = new ArrayList<>(first.acknowledged());
        MemberProcess second = processes.get(Member.NAMES.get(1));
        await(() -> !second.ask("primary").equals("one"));
        MemberProcess after = processes.get(new NodeId(second.ask("primary")));
        await(() -> after.ask("status").startsWith("PRIMARY"));
        assertEquals("ok", after.ask("write d- 100"));
        for (String key : acknowledged) {
            assertEquals("true", after.ask("has " + key), key);
        }
        await(() -> events(after, "PartialSync") > 0); // the other replica goes on from its own position

        // it comes back with its promise and without its data
        start(Member.NAMES.get(0));
        introduce();
        MemberProcess again = processes.get(Member.NAMES.get(0));
        await(() -> again.ask("status").startsWith("REPLICA true"));
        awaitEqual();
        await(() -> events(again, "FullSyncCompleted") == 1);
        assertNotEquals("one", again.ask("primary"));
        assertEquals("ok", after.ask("write e- 100"));
        awaitEqual();
    }

    private void start(NodeId name) throws IOException {
        processes.put(name, MemberProcess.start(name, directory.resolve(name.value())));
    }

    private void introduce() {
        processes.values().forEach(MemberProcess::port);
        processes.forEach((name, process) ->
                processes.values().forEach(other -> other.ask("peer " + name + " " + process.port())));
    }

    private static long events(MemberProcess process, String kind) {
        return Long.parseLong(process.ask("events " + kind));
    }

    /** Waits until all have the same position and the same map. */
    private void awaitEqual() {
        await(() -> processes.values().stream()
                        .map(process -> process.ask("status").split(" ", 3)[2])
                        .distinct()
                        .count()
                == 1);
    }

    private static void await(BooleanSupplier condition) {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begun > LIMIT.toNanos()) {
                throw new AssertionError("it did not happen within " + LIMIT);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** The page shows the transport that this test uses. */
    @Test
    void thePageShowsTheTransport() throws IOException {
        String source = Files.readString(Path.of("src/test/java/io/kvorum/cluster/sockets/SocketTransport.java"));
        String page = Files.readString(Path.of("../docs/sockets.md"));

        assertTrue(page.contains("```java\n" + source.substring(source.indexOf("import")) + "```"));
        long lines = source.substring(source.indexOf("final class"))
                .lines()
                .filter(line -> !line.isBlank())
                .count();
        assertTrue(lines < 80, () -> lines + " lines");
    }
}
