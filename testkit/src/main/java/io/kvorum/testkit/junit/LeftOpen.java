package io.kvorum.testkit.junit;

import io.kvorum.testkit.OpenCluster;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;

/** Fails a class whose tests have started clusters and left them open. JUnit closes it after the class. */
@SuppressWarnings("deprecation") // JUnit 5.12 closes nothing else
final class LeftOpen implements Store.CloseableResource, AutoCloseable {
    private static final Namespace NAMESPACE = Namespace.create(LeftOpen.class);

    private final String testClass;
    private final List<OpenCluster> before = OpenCluster.all();

    private LeftOpen(String testClass) {
        this.testClass = testClass;
    }

    /** Has the class of a test looked at when it is over. */
    static void watch(ExtensionContext context) {
        ExtensionContext ofClass = context;
        while (ofClass.getTestMethod().isPresent()) {
            ofClass = ofClass.getParent().orElseThrow();
        }
        Class<?> testClass = ofClass.getRequiredTestClass();
        Store store = ofClass.getStore(NAMESPACE);
        if (store.get(testClass) == null) {
            store.put(testClass, new LeftOpen(testClass.getName()));
        }
    }

    @Override
    public void close() {
        List<OpenCluster> left = OpenCluster.all().stream().filter(this::isOurs).toList();
        if (!left.isEmpty()) {
            throw new AssertionError(left.stream()
                    .map(OpenCluster::toString)
                    .collect(Collectors.joining(
                            System.lineSeparator(), "each cluster must be closed:" + System.lineSeparator(), "")));
        }
    }

    private boolean isOurs(OpenCluster open) {
        return !before.contains(open)
                && open.start().stream()
                        .map(StackTraceElement::getClassName)
                        .anyMatch(name -> name.equals(testClass) || name.startsWith(testClass + "$"));
    }
}
