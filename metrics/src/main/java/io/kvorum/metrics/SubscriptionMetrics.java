package io.kvorum.metrics;

import io.kvorum.core.KeyspaceSubscription;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Objects;

/**
 * The meters of one {@link KeyspaceSubscription}, each with the tag {@code subscription}:
 *
 * <ul>
 *   <li>{@code kvorum.subscription.delivered}: the events that the listener was called with
 *   <li>{@code kvorum.subscription.lost}: the events that found the queue full
 *   <li>{@code kvorum.subscription.pending}: the events that wait in the queue
 * </ul>
 *
 * <p>What {@link StoreMetrics} says of registries and names holds here too. A closed subscription still has its
 * numbers.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SubscriptionMetrics implements MeterBinder, AutoCloseable {
    private static final String PREFIX = "kvorum.subscription.";

    private final KeyspaceSubscription subscription;
    private final Tags tags;
    private final Bindings bindings = new Bindings();

    /**
     * Makes the meters of a subscription; {@link #bindTo} registers them.
     *
     * @param subscription the subscription
     * @param name the value of the tag {@code subscription}, different for each subscription of a registry
     */
    public SubscriptionMetrics(KeyspaceSubscription subscription, String name) {
        this.subscription = Objects.requireNonNull(subscription, "subscription");
        this.tags = Tags.of("subscription", Objects.requireNonNull(name, "name"));
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindings.bind(registry, PREFIX, "pending", tags, subscription, SubscriptionMetrics::register);
    }

    private static void register(Meters<KeyspaceSubscription> meters) {
        meters.count(
                "delivered",
                "events",
                "Events that the listener was called with",
                Tags.empty(),
                KeyspaceSubscription::delivered);
        meters.count(
                "lost", "events", "Events lost because the queue was full", Tags.empty(), KeyspaceSubscription::lost);
        meters.gauge("pending", "events", "Events that wait to be delivered", KeyspaceSubscription::pending);
    }

    /** Removes the meters that this object added, from every registry it was bound to. */
    @Override
    public void close() {
        bindings.remove();
    }
}
