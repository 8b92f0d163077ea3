package io.kvorum.testkit.junit;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.junit.platform.commons.support.AnnotationSupport;

/** Has a test run once for each seed, as {@link SimulationTest} says. */
final class SimulationExtension implements TestTemplateInvocationContextProvider {
    /** One run. */
    private record OfSeed(SimulationTest test, Duration virtual, Duration recovery, long seed, Progress progress)
            implements TestTemplateInvocationContext {
        @Override
        public String getDisplayName(int invocationIndex) {
            return "seed " + seed;
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(new SimulatedSeed(test.faults(), virtual, recovery, seed, progress));
        }
    }

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return AnnotationSupport.isAnnotated(context.getTestMethod(), SimulationTest.class);
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        SimulationTest test = AnnotationSupport.findAnnotation(context.getTestMethod(), SimulationTest.class)
                .orElseThrow();
        Duration virtual = Texts.duration(test.virtual());
        Duration recovery = Texts.duration(test.recovery());
        boolean replay = context.getConfigurationParameter("kvorum.seed")
                .map(text -> !text.isBlank())
                .orElse(false);
        long seeds = replay ? 1 : RunningCluster.number(context, "kvorum.seeds", test.seeds());
        if (seeds < 1) {
            throw new ExtensionConfigurationException("seeds must be at least 1: " + seeds);
        }
        long first = RunningCluster.seed(context, test.first());
        Progress progress = new Progress(
                context.getRequiredTestClass().getSimpleName() + "."
                        + context.getRequiredTestMethod().getName(),
                seeds);
        return LongStream.range(0, seeds).mapToObj(i -> new OfSeed(test, virtual, recovery, first + i, progress));
    }
}
