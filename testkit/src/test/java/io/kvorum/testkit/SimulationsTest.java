package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.history.RecordedClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SimulationsTest {
    private static final Duration LENGTH = Duration.ofSeconds(12);

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    /** Uses a few keys, and bears what may go wrong. */
    private static <A> void use(SimulatedRun<A> run, String name) {
        RecordedClient client = run.client(name);
        for (int i = 0; !run.isOver(); i++) {
            byte[] key = bytes("key-" + run.random().nextInt(5));
            try {
                switch (run.random().nextInt(8)) {
                    case 0 -> client.delete(key);
                    case 1, 2, 3 -> client.set(key, bytes(name + " " + i));
                    default -> client.get(key);
                }
            } catch (RefusedException | OutcomeUnknownException e) {
                run.sleep(Duration.ofMillis(500));
            }
            run.sleep(Duration.ofMillis(20 + run.random().nextInt(100)));
        }
    }

    @Test
    @Tag("long")
    void kvorumKeepsItsPromises() {
        SimulationResult result = Simulation.builder()
                .cluster((cluster, random) -> cluster.shards(1 + random.nextInt(2))
                        .replicas(2 + 2 * random.nextInt(2))
                        .sentinels(3)
                        .timeout(Duration.ofSeconds(2)))
                .length(LENGTH)
                .workload("ada", run -> use(run, "ada"))
                .workload("bob", run -> use(run, "bob"))
                .build()
                .run(1, 10)
                .orThrow();

        assertEquals(10, result.runs());
        assertTrue(result.virtualTime().compareTo(LENGTH.multipliedBy(10)) > 0, result::toString);
        assertTrue(result.failovers() > 1 && result.elections() > 1, result::toString);
        assertTrue(result.operations() > 500, result::toString);
        assertTrue(result.faults().size() > 5, result::toString);
    }

    /** A run that was to replay or to soak, and does neither, would pass for one that found nothing. */
    @ParameterizedTest
    @CsvSource({"kvorum.seeds, 0", "kvorum.seeds, many", "kvorum.seed, first"})
    void aPropertyThatNamesNoSeedsIsRefused(String property, String value) {
        Simulation<Object> simulation =
                Simulation.builder().workload("ada", run -> {}).build();
        System.setProperty(property, value);
        try {
            assertThrows(IllegalArgumentException.class, () -> simulation.run(1, 1));
        } finally {
            System.clearProperty(property);
        }
    }

    @Test
    void aClusterThatNobodyCanReadAtLastBreaksOnlyWhatIsChecked() {
        SimulationBuilder<Object> builder = Simulation.builder()
                .cluster((cluster, random) -> cluster.shards(1).timeout(Duration.ofMillis(300)))
                .faults()
                .length(Duration.ofSeconds(1))
                .recovery(Duration.ofSeconds(5))
                .without(SimulationCheck.RECOVERY)
                .workload("ada", run -> {
                    run.client("ada").set(bytes("key"), bytes("value"));
                    run.cluster().nodes().forEach(LocalNode::crash);
                });

        SimulationFailure failure = builder.build().run(1, 1).failure();
        assertEquals(SimulationCheck.NOTHING_LOST.name(), failure == null ? "" : failure.violated());
        assertNull(
                builder.without(SimulationCheck.NOTHING_LOST).build().run(1, 1).failure());
    }

    /** Takes what it does not know for done, and what was refused too. */
    private static final class Careless {
        private final KeyValueStore store;
        private int added;

        Careless(KeyValueStore store) {
            this.store = store;
        }

        void add() {
            try {
                store.increment(bytes("counter"), 1);
            } catch (RefusedException | OutcomeUnknownException e) {
                // it will be all right
            }
            added++;
        }

        int stored() {
            return Integer.parseInt(new String(store.get(bytes("counter")), UTF_8));
        }
    }

    private static Simulation<Careless> careless() {
        return Simulation.of(cluster -> new Careless(cluster.client()))
                .cluster((cluster, random) -> cluster.shards(1).timeout(Duration.ofMillis(300)))
                .length(LENGTH)
                .workload("ada", run -> {
                    while (!run.isOver()) {
                        run.application().add();
                        run.sleep(Duration.ofMillis(200));
                    }
                })
                .check(
                        "each is counted",
                        run -> assertEquals(
                                run.application().added, run.application().stored()))
                .build();
    }

    @Test
    void aBugOfTheApplicationIsFoundAndExplained() {
        SimulationResult result = careless().run(1, 20);

        SimulationFailure failure = result.failure();
        assertNotNull(failure, result::toString);
        assertSame(failure, assertThrows(SimulationFailure.class, result::orThrow));
        assertEquals("each is counted", failure.violated());
        assertTrue(failure.faults().size() > failure.shrunkFaults().size(), failure::getMessage);
        assertTrue(failure.shrunkFaults().size() <= 3, failure::getMessage);
        assertEquals(
                "mvn test '-Dtest=" + SimulationsTest.class.getName()
                        + "#aBugOfTheApplicationIsFoundAndExplained' -Dkvorum.seed=" + failure.seed(),
                failure.replay());
        List<String> lines = failure.getMessage().lines().toList();
        assertTrue(lines.get(0).startsWith("seed " + failure.seed() + " broke: each is counted at "), lines::toString);
        assertEquals("to run it again: " + failure.replay(), lines.get(1));
        failure.shrunkFaults().forEach(fault -> assertTrue(lines.contains("  " + fault), lines::toString));
        assertTrue(failure.timeline().toHtml().contains("expected: "));
        assertTrue(failure.timeline().toNdjson().lines().count() > 10);

        assertEquals(
                failure.getMessage(),
                failureOf(careless().run(failure.seed(), 1)).getMessage(),
                "the same seed is the same run");
    }

    private static SimulationFailure failureOf(SimulationResult result) {
        SimulationFailure failure = result.failure();
        assertNotNull(failure, result::toString);
        return failure;
    }

    @Test
    void anInvariantIsLookedAtInEachStep() {
        SimulationFailure failure = failureOf(Simulation.of(cluster -> new int[1])
                .length(LENGTH)
                .faults()
                .workload("ada", run -> {
                    run.sleep(Duration.ofSeconds(3));
                    run.application()[0] = 1;
                    run.sleep(Duration.ofNanos(1));
                    run.application()[0] = 0;
                })
                .invariant("nothing is sold twice", run -> run.application()[0] == 0)
                .build()
                .run(1, 1));

        assertEquals("nothing is sold twice", failure.violated());
        assertEquals(List.of(), failure.faults());
    }

    @Test
    void whatAWorkloadThrowsFailsTheRun() {
        IllegalStateException thrown = new IllegalStateException("of a workload");
        SimulationFailure failure = failureOf(Simulation.builder()
                .length(LENGTH)
                .faults()
                .workload("ada", run -> {
                    run.sleep(Duration.ofSeconds(1));
                    throw thrown;
                })
                .build()
                .run(1, 1));

        assertEquals("workload ada", failure.violated());
        assertSame(thrown, failure.getCause());
    }

    @Test
    void aWorkloadThatDoesNotEndFailsTheRun() {
        SimulationFailure failure = failureOf(Simulation.builder()
                .length(Duration.ofSeconds(2))
                .recovery(Duration.ofSeconds(5))
                .faults()
                .workload("ada", run -> run.sleep(Duration.ofHours(1)))
                .build()
                .run(1, 1));

        assertEquals("workloads end", failure.violated());
    }

    /** The threads cannot be ended, so that they are not made again and again to shrink the faults. */
    @Test
    void workloadsThatWaitForEachOtherForEverFailTheRunOnce() {
        AtomicInteger runs = new AtomicInteger();
        List<Thread> stuck = new CopyOnWriteArrayList<>();
        CountDownLatch end = new CountDownLatch(1);
        Simulation<Integer> simulation = Simulation.of(cluster -> runs.incrementAndGet())
                .length(Duration.ofSeconds(5))
                .recovery(Duration.ofSeconds(10))
                .workload("stuck", run -> {
                    stuck.add(Thread.currentThread());
                    while (end.getCount() > 0) {
                        try {
                            end.await();
                        } catch (InterruptedException e) {
                            // as a lock does that is not to be interrupted
                        }
                    }
                })
                .build();

        SimulationFailure failure = simulation.run(1, 1).failure();

        end.countDown();
        assertNotNull(failure);
        assertEquals("workloads end", failure.violated());
        assertEquals(1, runs.get());
        assertEquals(1, stuck.size());
    }

    @Test
    void theSeedsGoOnPastTheLargestNumber() {
        List<Long> seeds = new ArrayList<>();
        Simulation.of(cluster -> seeds.add(cluster.seed()))
                .length(Duration.ofSeconds(1))
                .workload("none", run -> {})
                .build()
                .run(Long.MAX_VALUE, 2)
                .orThrow();

        assertEquals(List.of(Long.MAX_VALUE, Long.MIN_VALUE), seeds);
    }

    @Test
    void whatIsLostIsFound() {
        SimulationFailure failure = failureOf(Simulation.builder()
                .cluster((cluster, random) -> cluster.shards(1))
                .length(Duration.ofSeconds(5))
                .faults()
                .workload("ada", run -> {
                    byte[] key = bytes("key");
                    run.client("ada").set(key, bytes("value"));
                    run.cluster().client().delete(key); // behind the back of the history
                })
                .build()
                .run(1, 1));

        assertEquals(SimulationCheck.NOTHING_LOST.name(), failure.violated());
    }

    /** A write that waits for a message that is sent again needs only that message to be lost, or both of two. */
    @Test
    void faultsShrinkToSingleMessages() {
        SimulationFailure failure = failureOf(Simulation.builder()
                .cluster((cluster, random) -> cluster.shards(1))
                .length(LENGTH)
                .faults(FaultKind.DROP)
                .workload("ada", run -> {
                    for (int i = 0; !run.isOver(); i++) {
                        long begun = run.cluster().scheduler().nanoTime();
                        run.client("ada").set(bytes("key"), bytes("value " + i));
                        Duration took =
                                Duration.ofNanos(run.cluster().scheduler().nanoTime() - begun);
                        assertTrue(took.toMillis() < 20, () -> "a write took " + took);
                        run.sleep(Duration.ofMillis(50));
                    }
                })
                .build()
                .run(1, 10));

        assertEquals("workload ada", failure.violated());
        assertEquals(1, failure.shrunkFaults().size(), failure::getMessage);
        assertTrue(
                !failure.shrunkMessages().isEmpty() && failure.shrunkMessages().size() <= 3, failure::getMessage);
        String shown = failure.shrunkMessages().stream().collect(Collectors.joining("\n"));
        assertTrue(shown.contains("Append[") || shown.contains("Ack["), shown);
    }

    @Test
    void aSimulationMustHaveAWorkload() {
        assertThrows(IllegalStateException.class, () -> Simulation.builder().build());
        assertThrows(IllegalArgumentException.class, () -> Simulation.builder().length(Duration.ZERO));
        assertThrows(
                IllegalArgumentException.class,
                () -> Simulation.builder().workload("a", run -> {}).workload("a", run -> {}));
        assertNull(Simulation.builder()
                .length(Duration.ofSeconds(1))
                .faults()
                .workload("nothing", run -> {})
                .build()
                .run(1, 1)
                .failure());
    }
}
