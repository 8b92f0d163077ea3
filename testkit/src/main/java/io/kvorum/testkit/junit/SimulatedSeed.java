package io.kvorum.testkit.junit;

import io.kvorum.testkit.FaultKind;
import io.kvorum.testkit.FaultSchedule;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.junit.KvorumExtension.Declared;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** One run of a {@link SimulationTest}. */
final class SimulatedSeed implements BeforeEachCallback, AfterEachCallback, ParameterResolver, InvocationInterceptor {
    private static final String SIMULATED = "simulated";

    /** The shape of a cluster that nobody has declared. */
    @KvorumCluster
    private static final class Undeclared {}

    private final FaultKind[] kinds;
    private final Duration virtual;
    private final Duration recovery;
    private final long seed;
    private final Progress progress;
    private @Nullable FaultSchedule faults;
    private long end;

    SimulatedSeed(FaultKind[] kinds, Duration virtual, Duration recovery, long seed, Progress progress) {
        this.kinds = kinds;
        this.virtual = virtual;
        this.recovery = recovery;
        this.seed = seed;
        this.progress = progress;
    }

    private RunningCluster running(ExtensionContext context) {
        return ClustersOfContext.of(context).get(SIMULATED, () -> RunningCluster.start(shape(context), true, seed));
    }

    private static KvorumCluster shape(ExtensionContext context) {
        Declared declared = KvorumExtension.declared(context);
        return declared == null ? Undeclared.class.getAnnotation(KvorumCluster.class) : declared.shape();
    }

    /** The faults begin when they are first asked for. */
    private FaultSchedule faults(ExtensionContext context) {
        FaultSchedule begun = faults;
        if (begun == null) {
            RunningCluster running = running(context);
            end = running.cluster().scheduler().nanoTime() + virtual.toNanos();
            begun = FaultSchedule.begin(running.cluster(), seed, virtual, kinds);
            faults = begun;
        }
        return begun;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        LeftOpen.watch(context);
        running(context);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<@Nullable Void> invocation,
            ReflectiveInvocationContext<Method> invocationContext,
            ExtensionContext context)
            throws Throwable {
        FaultSchedule schedule = faults(context);
        invocation.proceed();
        LocalCluster cluster = running(context).cluster();
        if (!schedule.isOver()) {
            cluster.advance(
                    Duration.ofNanos(Math.max(0, end - cluster.scheduler().nanoTime())));
        }
        schedule.finish(recovery);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Throwable failure = context.getExecutionException().orElse(null);
        boolean well = false;
        try {
            ClustersOfContext.of(context).end(context, failure);
            well = failure == null;
        } finally {
            progress.ended(well);
        }
    }

    // ---- parameters

    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext rootContext) {
        return ExtensionContextScope.TEST_METHOD;
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return (RunningCluster.offers(type(parameter)) || type(parameter) == FaultSchedule.class)
                && !parameter.isAnnotated(KvorumCluster.class);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return type(parameter) == FaultSchedule.class
                ? faults(context)
                : running(context).offered(type(parameter));
    }

    private static Type type(ParameterContext parameter) {
        return parameter.getParameter().getParameterizedType();
    }
}
