package io.kvorum.failover.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.FailoverAborted;
import io.kvorum.slots.topology.NodeId;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Counts the events of a sentinel: {@code kvorum.sentinel.events}, by {@code sentinel} and {@code event}, and of the
 * failovers that were given up {@code kvorum.sentinel.aborts}, by {@code sentinel} and {@code reason}. To be given to
 * the driver as its listener, or called by that.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SentinelMetrics implements MeterBinder, Consumer<SentinelEvent>, AutoCloseable {
    private record Registered(MeterRegistry registry, Meter meter) {}

    private final NodeId sentinel;
    private final Map<String, LongAdder> events = new LinkedHashMap<>();
    private final Map<String, LongAdder> aborts = new LinkedHashMap<>();
    private final List<Registered> registered = new ArrayList<>();

    /**
     * Starts with all counters at zero.
     *
     * @param sentinel the sentinel whose events are counted
     */
    public SentinelMetrics(NodeId sentinel) {
        this.sentinel = requireNonNull(sentinel, "sentinel");
        addKinds(SentinelFact.class);
        for (AbortReason reason : AbortReason.values()) {
            aborts.put(tag(reason), new LongAdder());
        }
    }

    private void addKinds(Class<?> type) {
        if (type.isRecord()) {
            events.put(tag(type), new LongAdder());
        } else {
            for (Class<?> kind : type.getPermittedSubclasses()) {
                addKinds(kind);
            }
        }
    }

    /** {@return the words of the type's name: {@code leader-elected}} */
    private static String tag(Class<?> type) {
        return type.getSimpleName().replaceAll("(?<=.)([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static String tag(AbortReason reason) {
        return reason.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public void accept(SentinelEvent event) {
        requireNonNull(events.get(tag(event.fact().getClass()))).increment();
        if (event.fact() instanceof FailoverAborted aborted) {
            requireNonNull(aborts.get(tag(aborted.reason()))).increment();
        }
    }

    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        events.forEach((kind, count) -> bind(registry, "kvorum.sentinel.events", "event", kind, count));
        aborts.forEach((reason, count) -> bind(registry, "kvorum.sentinel.aborts", "reason", reason, count));
    }

    private void bind(MeterRegistry registry, String name, String tag, String value, LongAdder count) {
        Meter meter = FunctionCounter.builder(name, count, LongAdder::sum)
                .tag("sentinel", sentinel.value())
                .tag(tag, value)
                .register(registry);
        registered.add(new Registered(registry, meter));
    }

    /** Removes the meters from the registries. */
    @Override
    public synchronized void close() {
        registered.forEach(each -> each.registry().remove(each.meter()));
        registered.clear();
    }
}
