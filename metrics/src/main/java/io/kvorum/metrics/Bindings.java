package io.kvorum.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The meters that one object has added to registries, so that it removes these and no others.
 *
 * <p>Micrometer hands out the meter that is there already when another of the same name and tags is registered. So all
 * objects of this module look and register under one lock, and one that finds its place taken adds nothing.
 *
 * <p>Safe for use by any number of threads.
 */
final class Bindings {
    private static final System.Logger logger = System.getLogger(Bindings.class.getName());

    /** Held from the look whether a meter exists until it is registered. */
    private static final Object REGISTRATION = new Object();

    private record Binding(MeterRegistry registry, Meter meter) {}

    private final List<Binding> bindings = new ArrayList<>();
    private boolean closed;

    /**
     * Adds meters to a registry, unless they are there already.
     *
     * @param prefix what the name of each meter begins with
     * @param first the rest of the name of one of them
     * @param tags the tags that tell the object from others
     * @param subject what is measured
     * @param registration registers the meters
     */
    <T> void bind(
            MeterRegistry registry,
            String prefix,
            String first,
            Tags tags,
            T subject,
            Consumer<? super Meters<T>> registration) {
        synchronized (REGISTRATION) {
            if (closed
                    || bindings.stream().anyMatch(binding -> binding.registry().equals(registry))) {
                return;
            }
            if (registry.find(prefix + first).tags(tags).meter() != null) {
                logger.log(Level.WARNING, () -> "meters are bound already under the name " + tags);
                return;
            }
            Meters<T> meters = new Meters<>(registry, prefix, tags, subject);
            try {
                registration.accept(meters);
            } catch (Throwable e) { // all of them or none, so that a later try begins anew
                meters.added().forEach(registry::remove);
                throw e;
            }
            meters.added().forEach(meter -> bindings.add(new Binding(registry, meter)));
        }
    }

    /** Removes the meters that were added. Others can be added afterwards. */
    void remove() {
        synchronized (REGISTRATION) {
            for (Binding binding : bindings) {
                binding.registry().remove(binding.meter());
            }
            bindings.clear();
        }
    }

    /** Removes the meters that were added, and adds none any more. */
    void close() {
        synchronized (REGISTRATION) {
            closed = true;
            remove();
        }
    }
}
