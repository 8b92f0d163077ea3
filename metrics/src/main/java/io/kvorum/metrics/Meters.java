package io.kvorum.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Registers the meters of one object in one registry, and takes note of them.
 *
 * @param <T> what is measured; the meters hold it weakly
 */
final class Meters<T> {
    private final MeterRegistry registry;
    private final String prefix;
    private final Tags tags;
    private final T subject;
    private final List<Meter> added = new ArrayList<>();

    /**
     * Begins.
     *
     * @param prefix what the name of each meter begins with
     * @param tags the tags that tell the object from others
     */
    Meters(MeterRegistry registry, String prefix, Tags tags, T subject) {
        this.registry = registry;
        this.prefix = prefix;
        this.tags = tags;
        this.subject = subject;
    }

    List<Meter> added() {
        return added;
    }

    void gauge(String name, String description, ToDoubleFunction<T> value) {
        gauge(name, null, description, Tags.empty(), value);
    }

    void gauge(String name, String description, Tags more, ToDoubleFunction<T> value) {
        gauge(name, null, description, more, value);
    }

    void gauge(String name, String unit, String description, ToDoubleFunction<T> value) {
        gauge(name, unit, description, Tags.empty(), value);
    }

    private void gauge(String name, @Nullable String unit, String description, Tags more, ToDoubleFunction<T> value) {
        added.add(Gauge.builder(prefix + name, subject, value)
                .tags(tags.and(more))
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }

    void count(String name, String description, ToDoubleFunction<T> value) {
        count(name, null, description, Tags.empty(), value);
    }

    void count(String name, String description, Tags more, ToDoubleFunction<T> value) {
        count(name, null, description, more, value);
    }

    void count(String name, @Nullable String unit, String description, Tags more, ToDoubleFunction<T> value) {
        added.add(FunctionCounter.builder(prefix + name, subject, value)
                .tags(tags.and(more))
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }

    void count(String name, String description, Tags more, LongAdder value) {
        added.add(FunctionCounter.builder(prefix + name, value, LongAdder::sum)
                .tags(tags.and(more))
                .description(description)
                .register(registry));
    }

    <S> void time(
            String name, String description, Tags more, S timed, ToLongFunction<S> count, ToDoubleFunction<S> nanos) {
        added.add(FunctionTimer.builder(prefix + name, timed, count, nanos, TimeUnit.NANOSECONDS)
                .tags(tags.and(more))
                .description(description)
                .register(registry));
    }
}
