package io.kvorum.testkit.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What code that must replay from a seed may not touch: the same inputs have to give the same outputs, in the same
 * order, on every machine and in every run.
 */
final class PureCode {
    private static final Set<String> CLOCKS = Set.of("java.lang.System.nanoTime", "java.lang.System.currentTimeMillis");
    private static final Set<String> CLOCK_TYPES =
            Set.of("java.time.Clock", "java.time.InstantSource", "java.util.Date", "java.util.Calendar");

    private static final Set<String> CHANCE = Set.of(
            "java.lang.Math.random",
            "java.lang.StrictMath.random",
            "java.lang.System.identityHashCode",
            "java.util.UUID.randomUUID",
            "java.util.random.RandomGenerator.getDefault",
            "java.util.random.RandomGenerator.of");
    private static final Set<String> CHANCE_TYPES = Set.of(
            "java.util.Random",
            "java.util.SplittableRandom",
            "java.security.SecureRandom",
            "java.util.concurrent.ThreadLocalRandom",
            "java.util.random.RandomGeneratorFactory");

    private static final Set<String> THREAD_TYPES = Set.of(
            "java.lang.Thread",
            "java.lang.ThreadGroup",
            "java.lang.ThreadLocal",
            "java.lang.Runtime",
            "java.lang.ref.Cleaner",
            "java.util.Timer");

    private static final Set<String> WAITS = Set.of(
            "java.util.concurrent.TimeUnit.sleep",
            "java.util.concurrent.TimeUnit.timedJoin",
            "java.util.concurrent.TimeUnit.timedWait");

    private static final Set<String> LOCKS =
            Set.of("java.lang.Object.wait", "java.lang.Object.notify", "java.lang.Object.notifyAll");

    private static final Set<String> OUTSIDE = Set.of(
            "java.lang.System.out",
            "java.lang.System.err",
            "java.lang.System.in",
            "java.lang.System.getProperty",
            "java.lang.System.getenv",
            "java.lang.System.getLogger",
            "java.lang.System.exit",
            "java.lang.Boolean.getBoolean",
            "java.lang.Integer.getInteger",
            "java.lang.Long.getLong");
    private static final Set<String> HARMLESS_IO =
            Set.of("java.io.IOException", "java.io.UncheckedIOException", "java.io.Serializable");

    private static final Set<String> SALTED = Set.of(
            "java.util.HashMap.<init>",
            "java.util.HashSet.<init>",
            "java.util.IdentityHashMap.<init>",
            "java.util.WeakHashMap.<init>",
            "java.util.Set.of",
            "java.util.Set.copyOf",
            "java.util.Map.of",
            "java.util.Map.ofEntries",
            "java.util.Map.copyOf",
            "java.util.stream.Collectors.toSet",
            "java.util.stream.Collectors.toUnmodifiableSet",
            "java.util.stream.Collectors.toUnmodifiableMap",
            "java.util.stream.Collectors.partitioningBy");

    static final ArchRule NO_CLOCK = pure(
            "read no clock",
            access -> CLOCKS.contains(member(access)) || isNowOfATimeType(access),
            type -> CLOCK_TYPES.contains(type.getName()));

    static final ArchRule NO_CHANCE = pure(
            "draw no numbers but from a generator that was passed in",
            access -> CHANCE.contains(member(access)) || isUnseededShuffle(access),
            type -> CHANCE_TYPES.contains(type.getName()));

    static final ArchRule NO_THREADS = pure(
            "start, wait for and know no thread", access -> WAITS.contains(member(access)), PureCode::isThreadType);

    static final ArchRule NO_LOCKS = classes()
            .should(avoid(
                    "share nothing between threads", access -> LOCKS.contains(member(access)), PureCode::isLockType))
            .andShould(new ArchCondition<JavaClass>("have no synchronized method and no volatile field") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                    for (JavaMethod method : type.getMethods()) {
                        if (method.getModifiers().contains(JavaModifier.SYNCHRONIZED)) {
                            events.add(SimpleConditionEvent.violated(method, method.getDescription()));
                        }
                    }
                    for (JavaField field : type.getFields()) {
                        if (field.getModifiers().contains(JavaModifier.VOLATILE)) {
                            events.add(SimpleConditionEvent.violated(field, field.getDescription()));
                        }
                    }
                }
            });

    static final ArchRule NO_OUTSIDE = pure(
            "read and write nothing outside, and log nothing",
            access -> OUTSIDE.contains(member(access)),
            PureCode::isOutsideType);

    static final ArchRule NO_SALTED_ORDER = pure(
            "hold nothing whose iteration order differs between runs",
            access -> SALTED.contains(member(access)) || isCollectorIntoAHashMap(access) || isParallel(access),
            type -> false);

    static final ArchRule NO_DRIVER = pure(
            "not depend on the drivers that run them",
            access -> false,
            type -> type.getPackageName().startsWith("io.kvorum.")
                    && type.getPackageName().endsWith(".runtime"));

    private PureCode() {}

    private static ArchRule pure(
            String rule, Predicate<JavaAccess<?>> forbiddenAccess, Predicate<JavaClass> forbiddenType) {
        return classes().should(avoid(rule, forbiddenAccess, forbiddenType));
    }

    private static ArchCondition<JavaClass> avoid(
            String rule, Predicate<JavaAccess<?>> forbiddenAccess, Predicate<JavaClass> forbiddenType) {
        return new ArchCondition<>(rule) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                type.getAccessesFromSelf().stream()
                        .filter(forbiddenAccess)
                        .forEach(access -> events.add(SimpleConditionEvent.violated(access, access.getDescription())));
                type.getDirectDependenciesFromSelf().stream()
                        .filter(dependency -> forbiddenType.test(dependency.getTargetClass()))
                        .forEach(dependency ->
                                events.add(SimpleConditionEvent.violated(dependency, dependency.getDescription())));
            }
        };
    }

    private static String member(JavaAccess<?> access) {
        return access.getTargetOwner().getName() + "." + access.getTarget().getName();
    }

    private static boolean isNowOfATimeType(JavaAccess<?> access) {
        return access.getTargetOwner().getPackageName().startsWith("java.time")
                && access.getTarget().getName().equals("now");
    }

    private static boolean isUnseededShuffle(JavaAccess<?> access) {
        return member(access).equals("java.util.Collections.shuffle") && parametersOf(access) == 1;
    }

    /** The longer forms take a factory for the map. */
    private static boolean isCollectorIntoAHashMap(JavaAccess<?> access) {
        return (member(access).equals("java.util.stream.Collectors.toMap") && parametersOf(access) < 4)
                || (member(access).equals("java.util.stream.Collectors.groupingBy") && parametersOf(access) < 3);
    }

    /** By name, since the call names the type of the collection or stream at hand. */
    private static boolean isParallel(JavaAccess<?> access) {
        String name = access.getTarget().getName();
        return access.getTargetOwner().getPackageName().startsWith("java.util")
                && (name.equals("parallelStream") || name.equals("parallel"));
    }

    private static int parametersOf(JavaAccess<?> access) {
        String name = access.getTarget().getFullName();
        String parameters = name.substring(name.indexOf('(') + 1, name.lastIndexOf(')'));
        return parameters.isEmpty() ? 0 : parameters.split(",", -1).length;
    }

    private static boolean isThreadType(JavaClass type) {
        return THREAD_TYPES.contains(type.getName())
                || (type.getPackageName().equals("java.util.concurrent")
                        && !type.getName().equals("java.util.concurrent.TimeUnit")
                        && !type.getName().equals("java.util.concurrent.ThreadLocalRandom"));
    }

    private static boolean isLockType(JavaClass type) {
        return type.getPackageName().equals("java.util.concurrent.locks")
                || type.getPackageName().equals("java.util.concurrent.atomic");
    }

    private static boolean isOutsideType(JavaClass type) {
        String packageName = type.getPackageName();
        return (packageName.equals("java.io") && !HARMLESS_IO.contains(type.getName()))
                || packageName.equals("java.net")
                || packageName.startsWith("java.nio.file")
                || packageName.startsWith("java.nio.channels")
                || packageName.startsWith("java.util.logging")
                || type.getName().startsWith("java.lang.Process")
                || type.getName().startsWith("java.lang.System$Logger");
    }
}
