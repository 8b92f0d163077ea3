package io.kvorum.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A {@link LocalCluster} that was started and has not been closed yet. Those that are open when the JVM ends are
 * reported on the standard error stream, with the places where they were started.
 *
 * <p>Immutable.
 */
public final class OpenCluster {
    private static final Set<OpenCluster> OPEN = new LinkedHashSet<>();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(OpenCluster::report, "kvorum-open-clusters"));
    }

    private final String cluster;
    private final List<StackTraceElement> start;

    private OpenCluster(String cluster, List<StackTraceElement> start) {
        this.cluster = cluster;
        this.start = start;
    }

    /** A cluster was started, by the thread that calls. Nothing of it is kept but its name. */
    static OpenCluster add(LocalCluster cluster) {
        List<StackTraceElement> stack = new ArrayList<>(Arrays.asList(new Throwable().getStackTrace()));
        while (stack.size() > 1 && isOurs(stack.get(0).getClassName())) {
            stack.remove(0);
        }
        OpenCluster open = new OpenCluster(cluster.toString(), List.copyOf(stack));
        synchronized (OPEN) {
            OPEN.add(open);
        }
        return open;
    }

    private static boolean isOurs(String className) {
        return className.equals(OpenCluster.class.getName())
                || className.equals(LocalCluster.class.getName())
                || className.equals(LocalClusterBuilder.class.getName());
    }

    static void remove(OpenCluster closed) {
        synchronized (OPEN) {
            OPEN.remove(closed);
        }
    }

    /** Not by a logger: those of the JDK are silent by now, for they shut down at the same time. */
    private static void report() {
        for (OpenCluster open : all()) {
            System.err.println("WARNING: " + open);
        }
    }

    /** {@return all that are open now, in the order in which they were started} */
    public static List<OpenCluster> all() {
        synchronized (OPEN) {
            return List.copyOf(OPEN);
        }
    }

    /** {@return the calls that led to its start, the innermost first} */
    public List<StackTraceElement> start() {
        return start;
    }

    /** {@return what it is, and where it was started} */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(cluster + " was never closed; it was started");
        for (StackTraceElement call : start) {
            text.append(System.lineSeparator()).append("\tat ").append(call);
        }
        return text.toString();
    }
}
