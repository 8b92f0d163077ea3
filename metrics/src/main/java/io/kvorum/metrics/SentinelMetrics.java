package io.kvorum.metrics;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one sentinel, each with the tag {@code sentinel}:
 *
 * <ul>
 *   <li>{@code kvorum.sentinel.shards}: the shards that it watches
 *   <li>{@code kvorum.sentinel.epoch}: the highest round in which any of them is led
 *   <li>{@code kvorum.sentinel.down}: the nodes that it holds down
 *   <li>{@code kvorum.sentinel.primaries.down}: the primaries among them
 *   <li>{@code kvorum.sentinel.reachable}: 1 if the sentinels that it hears could elect one of themselves, else 0
 *   <li>{@code kvorum.sentinel.failovers} with the tag {@code outcome}, {@code switched} or one of {@link AbortReason}
 *       in lower case: its attempts, by how they ended
 *   <li>{@code kvorum.sentinel.duration} with the tag {@code phase}: how often it has been through a phase of a
 *       failover to its end, and for how long. {@code detection} is from the moment it holds the primary down until a
 *       quorum does, {@code election} until it is elected, {@code fencing} until a node is chosen, {@code promotion}
 *       until that leads, {@code publication} until a majority of the sentinels knows; {@code outage} is from a
 *       quorum's agreement until there is a primary again, whoever brought that about
 *   <li>{@code kvorum.sentinel.events} with the tag {@code event}: its events, by kind
 *   <li>{@code kvorum.sentinel.lost}, {@code kvorum.sentinel.failures}: messages that were lost in front of a busy
 *       sentinel, and calls of the application's code that failed
 * </ul>
 *
 * <p>Events are counted from the construction of this object until it is closed. It may be bound to several registries,
 * and more than once to the same, which changes nothing. A registry holds the sentinel only weakly. If another sentinel
 * with the same id is bound already, its meters stay as they are and this object adds none; so close the meters of a
 * sentinel that ended before you bind those of its successor.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SentinelMetrics implements MeterBinder, AutoCloseable {
    private static final String PREFIX = "kvorum.sentinel.";

    /** A part of a failover. */
    private enum Phase {
        DETECTION,
        ELECTION,
        FENCING,
        PROMOTION,
        PUBLICATION,
        OUTAGE
    }

    /** How often a phase ended, and how long it took in all. */
    private static final class Duration {
        private final LongAdder count = new LongAdder();
        private final LongAdder nanos = new LongAdder();
    }

    private final SentinelDriver driver;
    private final Tags tags;
    private final Bindings bindings = new Bindings();
    private final Consumer<SentinelEvent> listener = this::hear;
    private final Map<String, LongAdder> events = new LinkedHashMap<>();
    private final Map<String, LongAdder> failovers = new LinkedHashMap<>();
    private final Map<Phase, Duration> durations = new LinkedHashMap<>();

    /** When the phases that are under way began, by shard; of the listener alone. */
    private final Map<ShardId, Map<Phase, Long>> underWay = new HashMap<>();

    /**
     * Starts to count; {@link #bindTo} registers the meters.
     *
     * @param driver runs the sentinel
     */
    public SentinelMetrics(SentinelDriver driver) {
        this.driver = requireNonNull(driver, "driver");
        tags = Tags.of("sentinel", driver.self().value());
        addKinds(SentinelFact.class);
        failovers.put("switched", new LongAdder());
        for (AbortReason reason : AbortReason.values()) {
            failovers.put(lowerCase(reason), new LongAdder());
        }
        for (Phase phase : Phase.values()) {
            durations.put(phase, new Duration());
        }
        driver.addListener(listener);
    }

    private void addKinds(Class<?> type) {
        if (type.isRecord()) {
            events.put(words(type), new LongAdder());
        } else {
            for (Class<?> kind : type.getPermittedSubclasses()) {
                addKinds(kind);
            }
        }
    }

    /** {@return the words of the type's name: {@code leader_elected}} */
    private static String words(Class<?> type) {
        return type.getSimpleName().replaceAll("(?<=.)([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private void hear(SentinelEvent event) {
        SentinelFact fact = event.fact();
        requireNonNull(events.get(words(fact.getClass()))).increment();
        if (fact instanceof SentinelFact.FailoverAborted aborted) {
            requireNonNull(failovers.get(lowerCase(aborted.reason()))).increment();
        }
        if (fact instanceof SentinelFact.ShardFact of) {
            time(of, event.at());
        }
    }

    private void time(SentinelFact.ShardFact fact, long at) {
        ShardId shard = fact.shard();
        if (fact instanceof SentinelFact.SubjectivelyDown down && down.primary()) {
            begin(shard, Phase.DETECTION, at);
        } else if (fact instanceof SentinelFact.SubjectivelyUp up && up.primary()) {
            forget(shard, Phase.DETECTION);
        } else if (fact instanceof SentinelFact.ObjectivelyDown) {
            end(shard, Phase.DETECTION, at);
            begin(shard, Phase.OUTAGE, at);
        } else if (fact instanceof SentinelFact.Candidacy) {
            begin(shard, Phase.ELECTION, at);
        } else if (fact instanceof SentinelFact.LeaderElected) {
            end(shard, Phase.ELECTION, at);
            begin(shard, Phase.FENCING, at);
        } else if (fact instanceof SentinelFact.NodeSelected) {
            end(shard, Phase.FENCING, at);
            begin(shard, Phase.PROMOTION, at);
        } else if (fact instanceof SentinelFact.NodePromoted) {
            end(shard, Phase.PROMOTION, at);
            begin(shard, Phase.PUBLICATION, at);
        } else if (fact instanceof SentinelFact.Switched) {
            if (end(shard, Phase.PUBLICATION, at)) { // else a shard was begun
                requireNonNull(failovers.get("switched")).increment();
            }
        } else if (fact instanceof SentinelFact.ObjectivelyUp || fact instanceof SentinelFact.ShardBegun) {
            end(shard, Phase.OUTAGE, at);
        } else if (fact instanceof SentinelFact.PrimaryChanged) {
            end(shard, Phase.OUTAGE, at);
            forget(shard, Phase.DETECTION);
        } else if (fact instanceof SentinelFact.FailoverAborted) {
            forget(shard, Phase.ELECTION);
            forget(shard, Phase.FENCING);
            forget(shard, Phase.PROMOTION);
            forget(shard, Phase.PUBLICATION);
        }
    }

    private void begin(ShardId shard, Phase phase, long at) {
        underWay.computeIfAbsent(shard, any -> new HashMap<>()).put(phase, at);
    }

    /** {@return whether the phase was under way} */
    private boolean end(ShardId shard, Phase phase, long at) {
        Long begun = forget(shard, phase);
        if (begun == null) {
            return false;
        }
        Duration duration = requireNonNull(durations.get(phase));
        duration.nanos.add(at - begun);
        duration.count.increment();
        return true;
    }

    private @Nullable Long forget(ShardId shard, Phase phase) {
        Map<Phase, Long> phases = underWay.get(shard);
        if (phases == null) {
            return null;
        }
        Long begun = phases.remove(phase);
        if (phases.isEmpty()) {
            underWay.remove(shard);
        }
        return begun;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindings.bind(registry, PREFIX, "epoch", tags, driver, this::register);
    }

    private void register(Meters<SentinelDriver> meters) {
        meters.gauge("shards", "Shards watched", of -> of.topology().shards().size());
        meters.gauge("epoch", "Highest round in which a shard is led", SentinelMetrics::epoch);
        meters.gauge("down", "Nodes held down", SentinelMetrics::down);
        meters.gauge("primaries.down", "Primaries held down", SentinelMetrics::primariesDown);
        meters.gauge(
                "reachable",
                "1 if the sentinels heard are enough to elect one, else 0",
                of -> of.quorumCheck().votesReachable() ? 1 : 0);
        failovers.forEach((outcome, count) -> meters.count(
                "failovers", "Attempts at a failover, by how they ended", Tags.of("outcome", outcome), count));
        events.forEach((kind, count) -> meters.count("events", "Events, by kind", Tags.of("event", kind), count));
        durations.forEach((phase, duration) -> meters.time(
                "duration",
                "How long the phases of failovers took",
                Tags.of("phase", lowerCase(phase)),
                duration,
                of -> of.count.sum(),
                of -> of.nanos.sum()));
        meters.count("lost", "Messages lost because too many were waiting", SentinelDriver::lostMessages);
        meters.count(
                "failures",
                "Calls of transport, gateway, listeners and scheduler that failed",
                SentinelDriver::failedCalls);
    }

    private static double epoch(SentinelDriver driver) {
        return driver.topology().shards().stream()
                .mapToLong(shard -> Epoch.roundOf(shard.epoch()))
                .max()
                .orElse(0);
    }

    private static double down(SentinelDriver driver) {
        return driver.topology().shards().stream()
                .mapToInt(shard -> driver.down(shard.id()).size())
                .sum();
    }

    private static double primariesDown(SentinelDriver driver) {
        return driver.topology().shards().stream()
                .filter(shard -> isDown(driver, shard))
                .count();
    }

    private static boolean isDown(SentinelDriver driver, Shard shard) {
        return driver.down(shard.id()).contains(shard.primary());
    }

    /** Stops counting, and removes the meters that this object added from every registry it was bound to. */
    @Override
    public void close() {
        driver.removeListener(listener);
        bindings.close();
    }
}
