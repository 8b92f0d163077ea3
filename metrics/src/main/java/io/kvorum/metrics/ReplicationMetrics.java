package io.kvorum.metrics;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.ReplicaStatus;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.Epoch;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

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
        bindings.bind(registry, PREFIX, "epoch", tags, driver, this::register);
    }

    private void register(Meters<NodeDriver> meters) {
        for (NodeRole role : NodeRole.values()) {
            meters.gauge(
                    "role",
                    "1 for the role that the node has, else 0",
                    Tags.of("role", role.name().toLowerCase(Locale.ROOT)),
                    of -> of.status().role() == role ? 1 : 0);
        }
        meters.gauge(
                "epoch",
                "Round of the highest epoch promised",
                of -> Epoch.roundOf(of.status().epoch()));
        meters.gauge(
                "writable",
                "1 if the node takes writes, else 0",
                of -> of.status().writable() ? 1 : 0);
        meters.gauge(
                "complete",
                "1 if the node's data is complete, else 0",
                of -> of.status().complete() ? 1 : 0);
        meters.gauge("replicas", "Complete replicas that the primary hears", of -> replicas(of.status()));
        meters.gauge(
                "lag",
                "bytes",
                "How far a replica is behind its primary",
                of -> of.status().lag());
        meters.gauge(
                "replicas.lag",
                "bytes",
                "How far the slowest replica that the primary hears is behind it",
                of -> greatestLag(of.status()));

        String begun = "Syncs that the node began as a primary";
        meters.count("syncs", begun, Tags.of("kind", "full"), fullSyncs);
        meters.count("syncs", begun, Tags.of("kind", "partial"), partialSyncs);
        meters.count("syncs.taken", "Full syncs that the node completed as a replica", Tags.empty(), taken);
        meters.count(
                "suspensions", "How often a replica was left alone that could not be fed", Tags.empty(), suspensions);
        meters.count("discarded", "Records of the node's own that full syncs have replaced", Tags.empty(), discarded);

        meters.time(
                "acknowledgement",
                "How long acknowledged writes waited for enough nodes",
                Tags.empty(),
                driver,
                of -> of.acknowledgements().acknowledged(),
                of -> of.acknowledgements().nanos());
        meters.gauge(
                "pending",
                "Writes that wait for enough nodes",
                of -> of.acknowledgements().waiting());
        meters.count(
                "unacknowledged",
                "Writes that ended without an acknowledgement",
                of -> of.acknowledgements().failed());
        meters.count(
                "strays",
                "Messages ignored: of another shard or an unknown sender",
                of -> of.status().strays());
        meters.count("lost", "Messages lost because too many were waiting", NodeDriver::lostMessages);
        meters.count("failures", "Calls of transport, listeners and scheduler that failed", NodeDriver::failedCalls);
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

    /** Stops counting, and removes the meters that this object added from every registry it was bound to. */
    @Override
    public void close() {
        driver.removeListener(listener);
        bindings.close();
    }
}
