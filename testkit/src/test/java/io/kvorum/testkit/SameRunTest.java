package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A run is the same in every JVM, though each orders its sets and numbers its objects as it likes. */
@Tag("long")
final class SameRunTest {
    /** Prints the digest of a run of each seed that it is given. */
    public static void main(String[] seeds) {
        Stream.of(seeds).map(Long::valueOf).map(SameRunTest::digest).forEach(System.out::println);
    }

    private static String digest(long seed) {
        try (LocalCluster cluster =
                LocalCluster.builder().shards(2).virtualTime(seed).start()) {
            cluster.awaitReady(Duration.ofMinutes(1));
            FaultSchedule faults = FaultSchedule.begin(cluster, seed, Duration.ofSeconds(20));
            for (String name : List.of("a", "b", "c")) {
                cluster.actor(name, () -> {
                    for (int i = 0; !faults.isOver(); i++) {
                        try {
                            cluster.client().set((name + i % 7).getBytes(UTF_8), new byte[i % 50]);
                        } catch (RefusedException | OutcomeUnknownException e) {
                            cluster.advance(Duration.ofMillis(70));
                        }
                        cluster.advance(Duration.ofMillis(30));
                    }
                });
            }
            cluster.advance(Duration.ofSeconds(21));
            faults.finish(Duration.ofMinutes(1));
            StringBuilder told = new StringBuilder(cluster.timeline().toNdjson());
            told.append(faults.faults());
            cluster.nodes().forEach(node -> told.append(node.digest()).append(node.status()));
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return new BigInteger(1, digest.digest(told.toString().getBytes(UTF_8))).toString(16);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> inAnotherJvm(String... arguments) throws IOException, InterruptedException {
        List<String> command = Stream.concat(
                        Stream.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-ea",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                ClassPath.of(SameRunTest.class)),
                        Arrays.stream(arguments))
                .toList();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor());
        return lines;
    }

    @Test
    void aSeedIsTheSameRunInEveryJvm() throws IOException, InterruptedException {
        List<String> here = Stream.of(1L, 2L, 3L, 1L).map(SameRunTest::digest).toList();

        assertEquals(here.get(0), here.get(3));
        assertNotEquals(here.get(0), here.get(1));
        String main = SameRunTest.class.getName();
        assertEquals(here, inAnotherJvm(main, "1", "2", "3", "1"));
        assertEquals(
                here.subList(1, 3), inAnotherJvm("-XX:+UnlockExperimentalVMOptions", "-XX:hashCode=2", main, "2", "3"));
    }
}
