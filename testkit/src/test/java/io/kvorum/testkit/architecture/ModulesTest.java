package io.kvorum.testkit.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user of one jar gets with it, and sees of it. */
final class ModulesTest {
    private static final String MODULE_PATH = System.getProperty("jdk.module.path", "");
    private static final ModuleFinder MODULES = ModuleFinder.of(
            Stream.of(MODULE_PATH.split(File.pathSeparator, -1)).map(Path::of).toArray(Path[]::new));

    @ParameterizedTest
    @CsvSource({
        "slots, slots",
        "replication, replication slots",
        "core, core replication slots",
        "failover, failover slots",
        "cluster, cluster core failover replication slots",
        "testkit, cluster core failover replication slots testkit",
    })
    void aModuleBringsNoOthersThanItsDesignSays(String module, String expected) {
        Set<String> brought = resolved(module).stream()
                .filter(name -> name.startsWith("io.kvorum."))
                .map(name -> name.substring("io.kvorum.".length()))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(new TreeSet<>(List.of(expected.split(" ", -1))), brought);
    }

    @Test
    void slotsNeedsNothingButTheJdk() {
        Set<String> brought = resolved("slots");
        brought.removeIf(name -> name.startsWith("java.") || name.startsWith("jdk."));
        assertEquals(Set.of("io.kvorum.slots"), brought);
    }

    /** Its root package, its drivers, and the subjects that have a package of their own. */
    @ParameterizedTest
    @CsvSource({
        "slots, topology",
        "replication, runtime",
        "core, replicated snapshot typed",
        "failover, runtime",
        "cluster,",
        "testkit, contract history junit",
    })
    void aModuleExportsTheseSubpackagesOnly(String module, @Nullable String subpackages) {
        String root = "io.kvorum." + module;
        Set<String> expected = new TreeSet<>(Set.of(root));
        if (subpackages != null) {
            for (String name : subpackages.split(" ", -1)) {
                expected.add(root + "." + name);
            }
        }
        Set<String> exported = new TreeSet<>();
        reference(root).descriptor().exports().stream()
                .filter(export -> !export.isQualified()) // a package for our own drivers is nobody else's
                .forEach(export -> exported.add(export.source()));
        assertEquals(expected, exported);
    }

    /** Without tests, resources of the build, or a second copy of another module's classes. */
    @ParameterizedTest
    @ValueSource(strings = {"slots", "replication", "core", "failover", "cluster", "testkit"})
    void aModuleHoldsItsOwnClassesOnly(String module) throws IOException {
        String directory = "io/kvorum/" + module + "/";
        try (ModuleReader reader = reference("io.kvorum." + module).open();
                Stream<String> entries = reader.list()) {
            List<String> foreign = entries.filter(entry -> !entry.endsWith("/"))
                    .filter(entry -> !entry.equals("module-info.class") && !entry.startsWith("META-INF/"))
                    .filter(entry -> !entry.startsWith(directory) || !entry.endsWith(".class"))
                    .filter(entry -> !entry.equals("io/kvorum/testkit/timeline.html")) // the page of a timeline
                    .toList();
            assertEquals(List.of(), foreign);
        }
    }

    @Test
    void anApplicationWithModulesCompiles(@TempDir Path application) throws IOException {
        Path module = Files.writeString(application.resolve("module-info.java"), """
                module application {
                    requires io.kvorum.core;
                    requires io.kvorum.failover;
                }
                """);
        Path main = Files.writeString(
                Files.createDirectories(application.resolve("application")).resolve("Main.java"), """
                package application;

                final class Main {
                    io.kvorum.slots.topology.NodeId node = new io.kvorum.slots.topology.NodeId("n1");
                    io.netty.buffer.ByteBuf buffer;
                }
                """);
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        int exitCode = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        out,
                        out,
                        "--module-path",
                        MODULE_PATH,
                        "-d",
                        application.resolve("classes").toString(),
                        module.toString(),
                        main.toString());
        assertEquals(0, exitCode, messages::toString);
        assertTrue(Files.exists(application.resolve("classes/module-info.class")));
    }

    private static Set<String> resolved(String module) {
        return Configuration.empty()
                .resolve(
                        ModuleFinder.compose(MODULES, ModuleFinder.ofSystem()),
                        ModuleFinder.of(),
                        Set.of("io.kvorum." + module))
                .modules()
                .stream()
                .map(resolved -> resolved.name())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static ModuleReference reference(String name) {
        return MODULES.find(name).orElseThrow();
    }
}
