package io.kvorum.testkit.architecture;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.kvorum.core.ForwardingStore;
import io.kvorum.testkit.architecture.planted.UsesItsDriver;
import io.kvorum.testkit.architecture.planted.left.Left;
import io.kvorum.testkit.architecture.planted.right.Right;
import io.kvorum.testkit.architecture.planted.ring.Ring1;
import io.kvorum.testkit.architecture.planted.ring.Ring2;
import io.kvorum.testkit.architecture.planted.ring.Ring3;
import io.kvorum.testkit.architecture.planted.ring.Ring4;
import io.kvorum.testkit.architecture.planted.ring.Ring5;
import io.kvorum.testkit.contract.KeyValueStoreContract;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What no compiler checks of the structure. Each rule is checked twice: on the code of all modules, and on classes that
 * break it.
 */
@Tag("long")
final class ArchitectureTest {
    private static final Set<String> PURE_PACKAGES =
            Set.of("io.kvorum.slots", "io.kvorum.slots.topology", "io.kvorum.replication", "io.kvorum.failover");

    /** The log is what writers and the node's driver share, and where writers wait for room. */
    private static final Set<String> LOG = Set.of(
            "io.kvorum.replication.MemoryLog", "io.kvorum.replication.Admission", "io.kvorum.replication.Parking");

    /** The codecs are shared by the threads of a transport, and count what they refuse. */
    private static final Set<String> CODECS =
            Set.of("io.kvorum.replication.ReplicationCodec", "io.kvorum.failover.SentinelCodec");

    /** Where an application hands in its threads and its time. */
    private static final Set<String> SEAM = Set.of(
            "io.kvorum.slots.Scheduler", "io.kvorum.slots.ExecutorScheduler", "io.kvorum.slots.HandOverScheduler");

    /** The most top-level classes that may all depend on one another. */
    private static final int MAX_CLASS_CYCLE = 4;

    private static final int MAX_TYPED_CLASS_CYCLE = 6;
    private static final String TYPED = "io.kvorum.core.typed";

    /** Packages that no user can name. */
    private static final Set<String> UNEXPORTED = Set.of("io.kvorum.benchmarks", "io.kvorum.core.engine");

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.kvorum");

    private static final JavaClasses PLANTED = new ClassFileImporter()
            .importClasses(Stream.concat(
                            Stream.of(PlantedFaults.class.getDeclaredClasses()),
                            Stream.of(
                                    UsesItsDriver.class,
                                    Left.class,
                                    Right.class,
                                    Ring1.class,
                                    Ring2.class,
                                    Ring3.class,
                                    Ring4.class,
                                    Ring5.class))
                    .toList());

    private static final ArchRule NO_CYCLES =
            slices().matching("io.kvorum.(**)").should().beFreeOfCycles();

    static Stream<Arguments> rulesOfPureCode() {
        return Stream.of(
                Arguments.of(
                        PureCode.NO_CLOCK,
                        List.of(
                                PlantedFaults.ReadsNanoTime.class,
                                PlantedFaults.ReadsNanoTimeByReference.class,
                                PlantedFaults.ReadsMillis.class,
                                PlantedFaults.ReadsInstantNow.class,
                                PlantedFaults.HoldsAClock.class)),
                Arguments.of(
                        PureCode.NO_CHANCE,
                        List.of(
                                PlantedFaults.DrawsMathRandom.class,
                                PlantedFaults.MakesARandom.class,
                                PlantedFaults.DrawsThreadLocalRandom.class,
                                PlantedFaults.MakesAnUnseededGenerator.class,
                                PlantedFaults.DrawsAUuid.class,
                                PlantedFaults.ShufflesUnseeded.class)),
                Arguments.of(
                        PureCode.NO_THREADS,
                        List.of(
                                PlantedFaults.Sleeps.class,
                                PlantedFaults.StartsAThread.class,
                                PlantedFaults.HoldsAnExecutor.class,
                                PlantedFaults.RunsAsynchronously.class)),
                Arguments.of(
                        PureCode.NO_LOCKS,
                        List.of(
                                PlantedFaults.HoldsALock.class,
                                PlantedFaults.HoldsAnAtomic.class,
                                PlantedFaults.HasASynchronizedMethod.class,
                                PlantedFaults.HasAVolatileField.class,
                                PlantedFaults.WaitsForANotification.class)),
                Arguments.of(
                        PureCode.NO_OUTSIDE,
                        List.of(
                                PlantedFaults.ReadsAnObjectStream.class,
                                PlantedFaults.NamesAFile.class,
                                PlantedFaults.Prints.class,
                                PlantedFaults.ReadsAProperty.class,
                                PlantedFaults.Logs.class)),
                Arguments.of(
                        PureCode.NO_SALTED_ORDER,
                        List.of(
                                PlantedFaults.MakesAHashMap.class,
                                PlantedFaults.MakesAHashSetByReference.class,
                                PlantedFaults.MakesASaltedSet.class,
                                PlantedFaults.CopiesIntoASaltedMap.class,
                                PlantedFaults.CollectsIntoASet.class,
                                PlantedFaults.GroupsIntoAHashMap.class,
                                PlantedFaults.StreamsInParallel.class)),
                Arguments.of(PureCode.NO_DRIVER, List.of(UsesItsDriver.class)));
    }

    @ParameterizedTest
    @MethodSource("rulesOfPureCode")
    void pureCodeKeepsTheRule(ArchRule rule, List<Class<?>> planted) {
        if (rule == PureCode.NO_LOCKS) {
            rule.check(ownedByOneThread());
        } else if (rule == PureCode.NO_CLOCK || rule == PureCode.NO_THREADS) {
            rule.check(without(LOG, pure()));
        } else {
            rule.check(pure());
        }
    }

    @ParameterizedTest
    @MethodSource("rulesOfPureCode")
    void theRuleFindsEachPlantedFault(ArchRule rule, List<Class<?>> planted) {
        for (Class<?> fault : planted) {
            assertTrue(rule.evaluate(planted(fault)).hasViolation(), () -> rule + " did not find " + fault);
        }
    }

    @Test
    void pureCodeEntersNoMonitor() {
        assertEquals(List.of(), enteringMonitors(ownedByOneThread()));
        assertEquals(
                1,
                enteringMonitors(planted(PlantedFaults.HasASynchronizedBlock.class))
                        .size());
    }

    @Test
    void packagesHaveNoCycles() {
        NO_CYCLES.check(ALL);
        assertTrue(NO_CYCLES.evaluate(planted(Left.class, Right.class)).hasViolation());
    }

    /** Whoever reads one class of a cycle has to read all of it. A typed store, its forms and its views are six. */
    @Test
    void noMoreThanFourClassesOfTheStoreDependOnEachOther() {
        JavaClasses core = ALL.that(DescribedPredicate.describe(
                "of the store",
                type -> type.getPackageName().startsWith("io.kvorum.core")
                        && !type.getPackageName().equals(TYPED)));
        JavaClasses typed = ALL.that(DescribedPredicate.describe(
                "typed", type -> type.getPackageName().equals(TYPED)));

        assertEquals(List.of(), ClassCycles.largerThan(MAX_CLASS_CYCLE, core));
        assertEquals(List.of(), ClassCycles.largerThan(MAX_TYPED_CLASS_CYCLE, typed));
        assertEquals(
                1,
                ClassCycles.largerThan(
                                MAX_CLASS_CYCLE,
                                planted(Ring1.class, Ring2.class, Ring3.class, Ring4.class, Ring5.class))
                        .size());
    }

    /** But for one, whose Javadoc says how, and the contracts. */
    @Test
    void publicClassesAreNotMadeForInheritance() {
        List<String> open = ALL.stream()
                .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(type -> !type.isInterface() && !type.isEnum() && !type.isRecord())
                .filter(type -> !type.getModifiers().contains(JavaModifier.FINAL)
                        && !type.reflect().isSealed())
                .filter(type -> !UNEXPORTED.contains(type.getPackageName()))
                .filter(type -> !type.getPackageName().equals(KeyValueStoreContract.class.getPackageName()))
                .map(JavaClass::getName)
                .toList();
        assertEquals(List.of(ForwardingStore.class.getName()), open);
    }

    @Test
    void theRulesSeeEveryModule() {
        for (String name : List.of("slots", "replication", "core", "failover", "cluster", "metrics", "testkit")) {
            String root = "io.kvorum." + name;
            assertTrue(
                    ALL.that(inPackages(Set.of(root))).stream()
                            .anyMatch(type -> !type.getSimpleName().equals("package-info")),
                    root);
        }
    }

    private static JavaClasses pure() {
        return ALL.that(inPackages(PURE_PACKAGES)
                .and(DescribedPredicate.describe(
                        "not the seam to threads and time",
                        type -> !SEAM.contains(type.getName().split("\\$", 2)[0]))));
    }

    private static JavaClasses ownedByOneThread() {
        return without(CODECS, without(LOG, pure()));
    }

    /** {@return the types but for some, and for those within these} */
    private static JavaClasses without(Set<String> names, JavaClasses types) {
        return types.that(DescribedPredicate.describe(
                "not " + names, type -> !names.contains(type.getName().replaceFirst("\\$.*", ""))));
    }

    private static DescribedPredicate<JavaClass> inPackages(Set<String> packages) {
        return DescribedPredicate.describe("in " + packages, type -> packages.contains(type.getPackageName()));
    }

    private static JavaClasses planted(Class<?>... faults) {
        Set<String> names = Stream.of(faults).map(Class::getName).collect(Collectors.toSet());
        return PLANTED.that(DescribedPredicate.describe("in " + names, type -> names.contains(type.getName())));
    }

    /** ArchUnit does not see synchronized blocks, so the instructions are read by {@code javap}. */
    private static List<String> enteringMonitors(JavaClasses types) {
        List<String> arguments = new ArrayList<>(List.of("-c", "-p"));
        types.forEach(
                type -> arguments.add(type.getSource().orElseThrow().getUri().toString()));
        StringWriter listing = new StringWriter();
        PrintWriter out = new PrintWriter(listing);
        int exitCode = ToolProvider.findFirst("javap").orElseThrow().run(out, out, arguments.toArray(new String[0]));
        assertEquals(0, exitCode, listing::toString);
        return Stream.of(listing.toString().split("(?m)^Compiled from ", -1))
                .filter(type -> type.contains("monitorenter"))
                .map(type -> type.lines().limit(2).reduce("", String::concat))
                .toList();
    }
}
