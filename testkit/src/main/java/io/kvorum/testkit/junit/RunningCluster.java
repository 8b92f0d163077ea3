package io.kvorum.testkit.junit;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.core.KeyValueStore;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.testkit.ClusterTimeline;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterBuilder;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;

/** A cluster of a test, with what is told about it if the test fails. */
final class RunningCluster {
    /** Of the name of a file, to which an ending, a seed and the numbers of invocations are added. */
    private static final int MAX_NAME = 150;

    private static final Pattern NOT_PLAIN = Pattern.compile("[^A-Za-z0-9._-]");
    private static final Pattern INVOCATION = Pattern.compile("invocation:#(\\d+)]");
    private static final int MAX_LINES = 200;
    private static final Optional<RespProvider> RESP = ServiceLoader.load(
                    RespProvider.class, RespProvider.class.getClassLoader())
            .findFirst();

    private final LocalCluster cluster;
    private final boolean virtual;
    private final boolean hasStore;
    /** The ports for Redis clients, if there are any. */
    private @Nullable AutoCloseable ports;

    private @Nullable String topology;
    private boolean closed;

    private RunningCluster(LocalCluster cluster, boolean virtual, boolean hasStore) {
        this.cluster = cluster;
        this.virtual = virtual;
        this.hasStore = hasStore;
    }

    /** Starts a cluster, and waits until it is ready. */
    static RunningCluster start(KvorumCluster shape, boolean virtual, long seed) {
        LocalClusterBuilder builder;
        try {
            builder = LocalCluster.builder()
                    .failover(SentinelSettings.defaults().withDownAfter(Texts.duration(shape.detection())))
                    .shards(shape.shards())
                    .replicas(shape.replicas())
                    .sentinels(shape.sentinels())
                    .acknowledgement(Texts.acknowledgement(shape.acknowledgement()))
                    .timeout(Texts.duration(shape.timeout()));
        } catch (IllegalArgumentException e) {
            throw new ExtensionConfigurationException(
                    "@KvorumCluster must be as a cluster can be: " + e.getMessage(), e);
        }
        if (virtual) {
            builder.virtualTime(seed);
        }
        boolean hasStore = shape.state() == ReplicatedState.class;
        if (!hasStore) {
            if (shape.resp() != KvorumCluster.Resp.NONE) {
                throw new ExtensionConfigurationException("resp must be NONE with a state of the test's own");
            }
            builder.state(States.constructor(shape.state()));
        }
        RunningCluster running = new RunningCluster(builder.start(), virtual, hasStore);
        try {
            running.cluster.awaitReady(Texts.duration(shape.ready()));
            running.openPorts(shape.resp());
        } catch (Throwable e) {
            running.closeAfter(e);
            throw e;
        }
        return running;
    }

    private void openPorts(KvorumCluster.Resp mode) {
        if (mode == KvorumCluster.Resp.NONE) {
            return;
        }
        if (virtual) {
            throw new ExtensionConfigurationException("a simulation has no ports: resp must be NONE");
        }
        RespProvider provider = RESP.orElseThrow(() ->
                new ExtensionConfigurationException("resp = " + mode + " needs kvorum-resp beside kvorum-testkit"));
        try {
            ports = provider.open(cluster, mode);
        } catch (IllegalArgumentException e) {
            throw new ExtensionConfigurationException("resp = " + mode + ": " + e.getMessage(), e);
        }
    }

    /** {@return the seed of a configuration parameter, or else another} */
    static long seed(ExtensionContext context, long otherwise) {
        return number(context, "kvorum.seed", otherwise);
    }

    static long number(ExtensionContext context, String name, long otherwise) {
        String text = context.getConfigurationParameter(name).orElse("").trim();
        try {
            return text.isEmpty() ? otherwise : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new ExtensionConfigurationException(name + " must be a number: " + text, e);
        }
    }

    LocalCluster cluster() {
        return cluster;
    }

    // ---- parameters

    static boolean offers(Type type) {
        return type == LocalCluster.class
                || type == KeyValueStore.class
                || type == ClusterClient.class
                || type == InstantSource.class
                || isListOf(LocalNode.class, type)
                || isListOf(LocalSentinel.class, type)
                || isPorts(type);
    }

    Object offered(Type type) {
        if (!hasStore && (type == KeyValueStore.class || type == ClusterClient.class)) {
            throw new ParameterResolutionException(
                    "a " + type.getTypeName() + " needs @KvorumCluster without a state of the test's own");
        }
        if (type == LocalCluster.class) {
            return cluster;
        } else if (type == KeyValueStore.class) {
            return cluster.client();
        } else if (type == ClusterClient.class) {
            return cluster.clusterClient();
        } else if (type == InstantSource.class) {
            return cluster.clock();
        } else if (isListOf(LocalNode.class, type)) {
            return cluster.nodes();
        } else if (!isPorts(type)) {
            return cluster.sentinels();
        } else if (ports == null) {
            throw new ParameterResolutionException("a " + type.getTypeName() + " needs @KvorumCluster(resp = ...)");
        }
        return ports;
    }

    private static boolean isPorts(Type type) {
        return RESP.isPresent() && type == RESP.get().type();
    }

    private static boolean isListOf(Class<?> element, Type type) {
        return type instanceof ParameterizedType list
                && list.getRawType() == List.class
                && list.getActualTypeArguments()[0] == element;
    }

    // ---- the end

    /** Closes it. Idempotent. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        topology = describeTopology();
        try (cluster) {
            closePorts();
        }
    }

    private void closePorts() {
        try {
            if (ports != null) {
                ports.close();
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("ports could not be closed", e);
        }
    }

    /** Closes it after something else has failed. */
    void closeAfter(Throwable failure) {
        try {
            close();
        } catch (Throwable e) {
            if (e != failure) {
                failure.addSuppressed(e);
            }
        }
    }

    /** Attaches to a failure, and to the report of the test, what happened. */
    void report(ExtensionContext context, Throwable failure) {
        ClusterTimeline timeline = cluster.timeline().withFailure(failure);
        List<String> last = timeline.lines(MAX_LINES);
        Map<String, String> entries = new LinkedHashMap<>();
        if (virtual) {
            entries.put("kvorum.seed", Long.toString(cluster.seed()));
            entries.put("kvorum.replay", replay(context));
        }
        entries.put("kvorum.topology", topology == null ? describeTopology() : topology);
        entries.put("kvorum.events", String.join(System.lineSeparator(), last));
        entries.put("kvorum.file", write(context, timeline));
        context.publishReportEntry(entries);
        failure.addSuppressed(
                new ClusterReport(text(entries, last.size(), timeline.events().size())));
    }

    private String text(Map<String, String> entries, int shown, int all) {
        String newLine = System.lineSeparator();
        StringBuilder text = new StringBuilder(cluster.toString());
        if (virtual) {
            text.append(newLine).append("to run it again: ").append(entries.get("kvorum.replay"));
        }
        return text.append(newLine)
                .append(entries.get("kvorum.topology"))
                .append(newLine)
                .append("the last " + shown + " of " + all + " events, in seconds, are")
                .append(newLine)
                .append(entries.get("kvorum.events"))
                .append(newLine)
                .append("a page that shows them is " + entries.get("kvorum.file"))
                .toString();
    }

    private String replay(ExtensionContext context) {
        String test = context.getRequiredTestClass().getName()
                + context.getTestMethod().map(method -> "#" + method.getName()).orElse("");
        return "mvn test '-Dtest=" + test + "' -Dkvorum.seed=" + cluster.seed();
    }

    private String describeTopology() {
        return cluster.topology().shards().stream()
                .map(this::describe)
                .collect(Collectors.joining(System.lineSeparator()));
    }

    private String describe(Shard shard) {
        return shard.id() + " with the slots " + shard.slots() + ": "
                + shard.nodes().stream().map(id -> describe(id, shard)).collect(Collectors.joining(", "));
    }

    private String describe(NodeId id, Shard shard) {
        LocalNode node = cluster.node(id);
        String role = id.equals(shard.primary()) ? "primary " : "";
        try {
            var status = node.status();
            return role + id + " at " + status.position() + (status.complete() ? "" : " without complete data");
        } catch (IllegalStateException e) {
            return role + id + " down";
        }
    }

    /** {@return a name that any file system takes, and that no other test and no other invocation of this one has} */
    private String fileName(ExtensionContext context) {
        String test = context.getRequiredTestClass().getName()
                + context.getTestMethod().map(method -> "." + method.getName()).orElse("");
        String invocation = INVOCATION
                .matcher(context.getUniqueId())
                .results()
                .map(number -> "-" + number.group(1))
                .collect(Collectors.joining());
        String plain = NOT_PLAIN.matcher(test).replaceAll("_");
        if (!plain.equals(test) || plain.length() > MAX_NAME) {
            plain = plain.substring(0, Math.min(plain.length(), MAX_NAME)) + "-" + Integer.toHexString(test.hashCode());
        }
        return plain + invocation + "-seed-" + cluster.seed();
    }

    private String write(ExtensionContext context, ClusterTimeline timeline) {
        Path directory = Path.of(context.getConfigurationParameter("kvorum.reports")
                .orElse(
                        Files.exists(Path.of("build")) && !Files.exists(Path.of("target"))
                                ? "build/kvorum"
                                : "target/kvorum"));
        try {
            return timeline.write(directory, fileName(context)).toString();
        } catch (IOException e) { // the failure of the test is what matters
            return "no file: " + e;
        }
    }
}
