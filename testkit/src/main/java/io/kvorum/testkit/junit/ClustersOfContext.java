package io.kvorum.testkit.junit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;

/** The clusters that were started for one test, or for one class. JUnit closes those that nobody has closed before. */
@SuppressWarnings("deprecation") // JUnit 5.12 closes nothing else
final class ClustersOfContext implements Store.CloseableResource, AutoCloseable {
    private static final Namespace NAMESPACE = Namespace.create(ClustersOfContext.class);

    private final Map<String, RunningCluster> clusters = new LinkedHashMap<>();

    static ClustersOfContext of(ExtensionContext context) {
        Store store = context.getStore(NAMESPACE);
        String key = context.getUniqueId(); // or that of the class would be found for a test
        ClustersOfContext found = store.get(key, ClustersOfContext.class);
        if (found == null) {
            found = new ClustersOfContext();
            store.put(key, found);
        }
        return found;
    }

    /** {@return the cluster of a name, which is started if there is none} */
    synchronized RunningCluster get(String name, Supplier<RunningCluster> start) {
        RunningCluster running = clusters.get(name);
        if (running == null) {
            running = start.get();
            clusters.put(name, running);
        }
        return running;
    }

    private synchronized List<RunningCluster> all() {
        return new ArrayList<>(clusters.values());
    }

    /** Reports a failure with the clusters that go on. */
    void report(ExtensionContext context, Throwable failure) {
        all().forEach(running -> running.report(context, failure));
    }

    /** Closes all; reports what the test has failed by, or else what closing has thrown, which is thrown. */
    void end(ExtensionContext context, @Nullable Throwable failure) {
        Throwable first = failure;
        for (RunningCluster running : all()) {
            try {
                running.close();
            } catch (Throwable e) { // of a listener or an actor of the test
                if (first == null) {
                    first = e;
                } else if (first != e) {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            report(context, first);
            if (failure == null) {
                rethrow(first);
            }
        }
    }

    @Override
    public void close() {
        Throwable first = null;
        for (RunningCluster running : all()) {
            if (first != null) {
                running.closeAfter(first);
            } else {
                try {
                    running.close();
                } catch (Throwable e) {
                    first = e;
                }
            }
        }
        if (first != null) {
            rethrow(first);
        }
    }

    private static void rethrow(Throwable failure) {
        ClustersOfContext.<RuntimeException>sneak(failure);
    }

    /** Throws anything as it is: a checked exception of an actor is no less the test's own. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> void sneak(Throwable failure) throws E {
        throw (E) failure;
    }
}
