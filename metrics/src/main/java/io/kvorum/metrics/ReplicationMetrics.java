package io.kvorum.metrics;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.ReplicaStatus;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.Epoch;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/**
 * The meters of the replication at one node, each with the tags {@code node} and {@code shard}:
 *
 * <ul>
 *   <li>{@code kvorum.replication.role} with the tag {@code role}: 1 for the role that the node has, else 0
 *   <li>{@code kvorum.replication.epoch}: the round of the highest epoch that it has promised
 *   <li>{@code kvorum.replication.writable}, {@code kvorum.replication.complete}: 1 or 0
 *   <li>{@code kvorum.replication.lag}: how many bytes a replica is behind its primary
 *   <li>{@code kvorum.replication.replicas}: how many complete replicas a primary hears
 *   <li>{@code kvorum.replication.replicas.lag}: how many bytes the one of them that is farthest behind is behind
 *   <li>{@code kvorum.replication.syncs} with the tag {@code kind}, {@code full} or {@code partial}: the syncs that the
 *       node began as a primary
 *   <li>{@code kvorum.replication.syncs.taken}: the full syncs that it completed as a replica
 *   <li>{@code kvorum.replication.suspensions}: how often it left a replica alone that it could not feed
 *   <li>{@code kvorum.replication.discarded}: the records of its own that full syncs have replaced
 *   <li>{@code kvorum.replication.acknowledgement}: how many writes were acknowledged, and how long they waited for it
 *   <li>{@code kvorum.replication.pending}: how many writes wait for it now
 *   <li>{@code kvorum.replication.unacknowledged}: how many ended without it
 *   <li>{@code kvorum.replication.strays}, {@code kvorum.replication.lost}, {@code kvorum.replication.failures}:
 *       messages that were ignored, messages that were lost in front of a busy node, and calls of the application's
 *       code that failed
 * </ul>
 *
 * <p>Syncs are counted from the construction of this object until it is closed. It may be bound to several registries,
 * and more than once to the same, which changes nothing. A registry holds the node only weakly. If another node with
 * the same id and shard is bound already, its meters stay as they are and this object adds none; so close the meters of
 * a node that ended before you bind those of its successor.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ReplicationMetrics implements MeterBinder, AutoCloseable {
    private static final String PREFIX = "kvorum.replication.";

    private final NodeDriver driver;
    private final Tags tags;
    private final Bindings bindings = new Bindings();
    private final Consumer<ReplicationEvent> listener = this::hear;

    private final LongAdder fullSyncs = new LongAdder();
    private final LongAdder partialSyncs = new LongAdder();
    private final LongAdder taken = new LongAdder();
    private final LongAdder suspensions = new LongAdder();
    private final LongAdder discarded = new LongAdder();

    /**
     * Starts to count; {@link #bindTo} registers the meters.
     *
     * @param driver runs the node
     */
    public ReplicationMetrics(NodeDriver driver) {
        this.driver = requireNonNull(driver, "driver");
        NodeStatus status = driver.status();
        tags = Tags.of("node", status.node().value(), "shard", status.shard().value());
        driver.addListener(listener);
    }

    private void hear(ReplicationEvent event) {
        if (event instanceof ReplicationEvent.FullSyncStarted) {
            fullSyncs.increment();
        } else if (event instanceof ReplicationEvent.PartialSync) {
            partialSyncs.increment();
        } else if (event instanceof ReplicationEvent.FullSyncCompleted) {
            taken.increment();
        } else if (event instanceof ReplicationEvent.ReplicaSuspended) {
            suspensions.increment();
        } else if (event instanceof ReplicationEvent.RecordsDiscarded records) {
            discarded.add(records.records());
        }
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindings.bind(registry, PREFIX + "epoch", tags, this::register);
    }

    private void register(MeterRegistry registry, Bindings.Meters meters) {
        for (NodeRole role : NodeRole.values()) {
            meters.add(() -> Gauge.builder(
                            PREFIX + "role", driver, of -> of.status().role() == role ? 1 : 0)
                    .tags(tags.and("role", role.name().toLowerCase(Locale.ROOT)))
                    .description("1 for the role that the node has, else 0")
                    .register(registry));
        }
        gauge(
                registry,
                meters,
                "epoch",
                "Round of the highest epoch promised",
                status -> Epoch.roundOf(status.epoch()));
        gauge(registry, meters, "writable", "1 if the node takes writes, else 0", status -> status.writable() ? 1 : 0);
        gauge(
                registry,
                meters,
                "complete",
                "1 if the node's data is complete, else 0",
                status -> status.complete() ? 1 : 0);
        gauge(registry, meters, "replicas", "Complete replicas that the primary hears", ReplicationMetrics::replicas);
        bytes(registry, meters, "lag", "How far a replica is behind its primary", NodeStatus::lag);
        bytes(
                registry,
                meters,
                "replicas.lag",
                "How far the slowest replica that the primary hears is behind it",
                ReplicationMetrics::greatestLag);

        String begun = "Syncs that the node began as a primary";
        count(registry, meters, "syncs", begun, tags.and("kind", "full"), fullSyncs);
        count(registry, meters, "syncs", begun, tags.and("kind", "partial"), partialSyncs);
        count(registry, meters, "syncs.taken", "Full syncs that the node completed as a replica", tags, taken);
        count(
                registry,
                meters,
                "suspensions",
                "How often a replica was left alone that could not be fed",
                tags,
                suspensions);
        count(
                registry,
                meters,
                "discarded",
                "Records of the node's own that full syncs have replaced",
                tags,
                discarded);

        meters.add(() -> FunctionTimer.builder(
                        PREFIX + "acknowledgement",
                        driver,
                        of -> of.acknowledgements().acknowledged(),
                        of -> of.acknowledgements().nanos(),
                        TimeUnit.NANOSECONDS)
                .tags(tags)
                .description("How long acknowledged writes waited for enough nodes")
                .register(registry));
        meters.add(() -> Gauge.builder(
                        PREFIX + "pending", driver, of -> of.acknowledgements().waiting())
                .tags(tags)
                .description("Writes that wait for enough nodes")
                .register(registry));
        count(
                registry,
                meters,
                "unacknowledged",
                "Writes that ended without an acknowledgement",
                of -> of.acknowledgements().failed());
        count(
                registry,
                meters,
                "strays",
                "Messages ignored: of another shard or an unknown sender",
                of -> of.status().strays());
        count(registry, meters, "lost", "Messages lost because too many were waiting", NodeDriver::lostMessages);
        count(
                registry,
                meters,
                "failures",
                "Calls of transport, listeners and scheduler that failed",
                NodeDriver::failedCalls);
    }

    private static double replicas(NodeStatus status) {
        return status.replicas().stream()
                .filter(replica -> replica.connected() && replica.complete())
                .count();
    }

    private static double greatestLag(NodeStatus status) {
        return status.replicas().stream()
                .filter(ReplicaStatus::connected)
                .mapToLong(ReplicaStatus::lag)
                .max()
                .orElse(0);
    }

    private void gauge(
            MeterRegistry registry,
            Bindings.Meters meters,
            String name,
            String description,
            ToDoubleFunction<NodeStatus> value) {
        meters.add(() -> Gauge.builder(PREFIX + name, driver, of -> value.applyAsDouble(of.status()))
                .tags(tags)
                .description(description)
                .register(registry));
    }

    private void bytes(
            MeterRegistry registry,
            Bindings.Meters meters,
            String name,
            String description,
            ToDoubleFunction<NodeStatus> value) {
        meters.add(() -> Gauge.builder(PREFIX + name, driver, of -> value.applyAsDouble(of.status()))
                .tags(tags)
                .baseUnit("bytes")
                .description(description)
                .register(registry));
    }

    private void count(
            MeterRegistry registry,
            Bindings.Meters meters,
            String name,
            String description,
            ToDoubleFunction<NodeDriver> value) {
        meters.add(() -> FunctionCounter.builder(PREFIX + name, driver, value)
                .tags(tags)
                .description(description)
                .register(registry));
    }

    private static void count(
            MeterRegistry registry,
            Bindings.Meters meters,
            String name,
            String description,
            Tags meterTags,
            LongAdder value) {
        meters.add(() -> FunctionCounter.builder(PREFIX + name, value, LongAdder::sum)
                .tags(meterTags)
                .description(description)
                .register(registry));
    }

    /** Stops counting, and removes the meters that this object added from every registry it was bound to. */
    @Override
    public void close() {
        driver.removeListener(listener);
        bindings.close();
    }
}
