package io.kvorum.testkit.junit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.FaultSchedule;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The extension beside what else JUnit has. */
final class KvorumClusterUseTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);
    private static final Set<LocalCluster> SEEN = ConcurrentHashMap.newKeySet();
    private static final AtomicBoolean OVER = new AtomicBoolean();

    @TempDir
    private Path reports;

    @BeforeEach
    void forget() {
        SEEN.clear();
        OVER.set(false);
    }

    private Runs run(Class<?> tests, String... more) {
        return Runs.of(
                tests,
                Stream.concat(Stream.of("kvorum.reports", reports.toString()), Stream.of(more))
                        .toArray(String[]::new));
    }

    @KvorumCluster(shards = 1)
    static final class EachKind {
        @BeforeEach
        void aPrimaryIsDown(LocalCluster cluster, KeyValueStore store) {
            assertNull(store.get(KEY)); // whatever the test before has done
            store.set(KEY, KEY);
            cluster.primaryFor(KEY).crash();
            SEEN.add(cluster);
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3})
        void withAnArgument(int number, KeyValueStore store) {
            assertNotNull(store.get(KEY));
        }

        @RepeatedTest(2)
        void again(KeyValueStore store) {
            assertNotNull(store.get(KEY));
        }

        @TestFactory
        Stream<DynamicTest> made(LocalCluster cluster) {
            return Stream.of(1, 2)
                    .map(i -> dynamicTest(
                            "made " + i, () -> assertNotNull(cluster.client().get(KEY))));
        }

        @Test
        void isolatesItsNodes(LocalCluster cluster, List<LocalNode> nodes) {
            nodes.forEach(LocalNode::isolate);
            cluster.advance(Duration.ofSeconds(5));
        }

        @Nested
        @TestInstance(TestInstance.Lifecycle.PER_CLASS)
        final class InOneInstance {
            @Test
            void one(KeyValueStore store) {
                assertNotNull(store.get(KEY));
            }

            @Test
            void two(KeyValueStore store) {
                assertNotNull(store.get(KEY));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachTestOfWhateverKindHasAClusterOfItsOwn(boolean parallel) {
        Runs runs = run(
                EachKind.class,
                "junit.jupiter.execution.parallel.enabled",
                Boolean.toString(parallel),
                "junit.jupiter.execution.parallel.mode.default",
                "concurrent");

        assertEquals(Map.of(), runs.failed());
        assertEquals(10, runs.succeeded().size());
        assertEquals(9, SEEN.size()); // the two of a factory share one
    }

    @KvorumCluster(shards = 1, replicas = 0, sentinels = 1)
    static final class Failing {
        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void fails(int number, LocalCluster cluster) {
            assertNull(cluster, "number " + number);
        }

        @Test
        void
                fails$with_a_name_that_is_so_long_that_no_file_system_takes_it_as_the_name_of_a_file_since_they_end_at_255_bytes_and_this_one_goes_on_and_on_as_names_of_tests_do_that_are_sentences_about_their_subject_and_leave_nothing_out_at_all(
                        LocalCluster cluster) {
            assertNull(cluster);
        }
    }

    @Test
    void eachFailureHasAFileOfItsOwn() {
        Runs runs = run(Failing.class);

        assertEquals(3, runs.failed().size());
        Set<String> files = runs.reports().stream()
                .map(entries -> entries.get("kvorum.file"))
                .collect(Collectors.toSet());
        assertEquals(3, files.size(), files::toString);
        files.forEach(file -> assertTrue(Files.exists(Path.of(file)), file));
    }

    static final class Spinning {
        @Test
        @Timeout(value = 200, unit = TimeUnit.MILLISECONDS)
        void waitsForEver(@KvorumCluster(shards = 1) LocalCluster cluster) {
            cluster.actor("spinning", () -> {
                while (!OVER.get()) {
                    Thread.onSpinWait();
                }
            });
            cluster.advance(Duration.ofSeconds(1));
        }
    }

    @Test
    void aTimeLimitEndsATestWhoseActorSpins() {
        Runs runs = run(Spinning.class);
        OVER.set(true);

        assertEquals(1, runs.failed().size());
    }

    @KvorumCluster(timeout = "99999999999999999h")
    static final class TooLong {
        @Test
        void isNotReached(LocalCluster cluster) {}
    }

    @KvorumCluster(detection = "-1s")
    static final class Negative {
        @Test
        void isNotReached(LocalCluster cluster) {}
    }

    @KvorumCluster(replicas = 100_000)
    static final class TooMany {
        @Test
        void isNotReached(LocalCluster cluster) {}
    }

    static final class NoTime {
        @SimulationTest(seeds = 1, virtual = "0s")
        void isNotReached(FaultSchedule faults) {}
    }

    static final class NoSeeds {
        @SimulationTest(seeds = 0)
        void isNotReached(FaultSchedule faults) {}
    }

    @ParameterizedTest
    @ValueSource(classes = {TooLong.class, Negative.class, TooMany.class, NoTime.class, NoSeeds.class})
    void anAnnotationThatCannotBeMeantIsRefused(Class<?> tests) {
        Runs runs = run(tests);

        assertEquals(List.of(), runs.succeeded());
        assertEquals(1, runs.failed().size());
        runs.failed().values().forEach(failure -> assertInstanceOf(ExtensionConfigurationException.class, failure));
    }
}
