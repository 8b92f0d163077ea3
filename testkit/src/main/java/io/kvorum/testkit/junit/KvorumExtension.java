package io.kvorum.testkit.junit;

import io.kvorum.testkit.junit.KvorumCluster.Scope;
import java.lang.reflect.Type;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Does what {@link KvorumCluster} says. */
final class KvorumExtension
        implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback, ParameterResolver {
    private static final String DECLARED = "declared";

    /**
     * What counts for a test.
     *
     * @param shape the annotation
     * @param owner the context of the class or of the test that has the cluster, or null if it has one for each test
     *     and this is no test
     */
    record Declared(KvorumCluster shape, @Nullable ExtensionContext owner) {}

    /** {@return the annotation that counts, or null if there is none} */
    static @Nullable Declared declared(ExtensionContext context) {
        Optional<KvorumCluster> atMethod =
                AnnotationSupport.findAnnotation(context.getTestMethod(), KvorumCluster.class);
        if (atMethod.isPresent()) {
            if (atMethod.get().scope() == Scope.PER_CLASS) {
                throw new ExtensionConfigurationException("scope PER_CLASS must be declared on a class");
            }
            return new Declared(atMethod.get(), context);
        }
        ExtensionContext test = context.getTestMethod().isPresent() ? context : null;
        for (ExtensionContext at = context;
                at.getTestClass().isPresent();
                at = at.getParent().orElseThrow()) {
            Optional<KvorumCluster> atClass = at.getTestMethod().isPresent()
                    ? Optional.empty()
                    : AnnotationSupport.findAnnotation(at.getTestClass(), KvorumCluster.class);
            if (atClass.isPresent()) {
                boolean shared = atClass.get().scope() == Scope.PER_CLASS;
                return new Declared(atClass.get(), shared ? at : test);
            }
        }
        return null;
    }

    private static @Nullable RunningCluster start(ExtensionContext context) {
        Declared declared = isSimulated(context) ? null : declared(context);
        return declared == null || declared.owner() == null
                ? null
                : ClustersOfContext.of(declared.owner()).get(DECLARED, () -> start(context, declared.shape()));
    }

    private static RunningCluster start(ExtensionContext context, KvorumCluster shape) {
        boolean virtual = shape.virtualTime() && shape.resp() == KvorumCluster.Resp.NONE;
        return RunningCluster.start(shape, virtual, RunningCluster.seed(context, shape.seed()));
    }

    private static boolean isSimulated(ExtensionContext context) {
        return AnnotationSupport.isAnnotated(context.getTestMethod(), SimulationTest.class);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        LeftOpen.watch(context);
        start(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        LeftOpen.watch(context);
        start(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Throwable failure = context.getExecutionException().orElse(null);
        Declared declared = isSimulated(context) ? null : declared(context);
        if (failure != null && declared != null && declared.owner() != null && declared.owner() != context) {
            ClustersOfContext.of(declared.owner()).report(context, failure);
        }
        ClustersOfContext.of(context).end(context, failure);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        ClustersOfContext.of(context)
                .end(context, context.getExecutionException().orElse(null));
    }

    // ---- parameters

    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext rootContext) {
        return ExtensionContextScope.TEST_METHOD;
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return RunningCluster.offers(type(parameter))
                && (parameter.isAnnotated(KvorumCluster.class) || (!isSimulated(context) && declared(context) != null));
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Optional<KvorumCluster> own = parameter.findAnnotation(KvorumCluster.class);
        if (own.isPresent()) {
            String name = parameter.getDeclaringExecutable() + " " + parameter.getIndex();
            return ClustersOfContext.of(context)
                    .get(name, () -> start(context, own.get()))
                    .offered(type(parameter));
        }
        RunningCluster running = start(context);
        if (running == null) {
            throw new ParameterResolutionException(
                    "a cluster that all tests share must be declared with scope = PER_CLASS: "
                            + parameter.getParameter());
        }
        return running.offered(type(parameter));
    }

    private static Type type(ParameterContext parameter) {
        return parameter.getParameter().getParameterizedType();
    }
}
