package io.kvorum.metrics;

import io.kvorum.cluster.ClientStats;
import io.kvorum.cluster.ClusterClient;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.Objects;

/**
 * The meters of one client, each with the tag {@code client}: of a {@link ClusterClient}, together with those made of
 * it by {@link ClusterClient#withTimeout}, or of another one that counts what it does, such as the store on real
 * servers:
 *
 * <ul>
 *   <li>{@code kvorum.client.operations} with the tags {@code outcome} and {@code reason}: the outcome is
 *       {@code succeeded}, {@code refused}, {@code unknown} or {@code failed}; the reason of a refusal is one of
 *       {@link RefusedException.Kind}, that of an unknown outcome one of {@link OutcomeUnknownException.Reason}, in
 *       lower case, and {@code none} of the others
 *   <li>{@code kvorum.client.retries} with the tag {@code reason}: the kind of the refusal that the try before had met,
 *       or {@code unconfirmed} for a read that its node could not confirm
 *   <li>{@code kvorum.client.waiting}: the operations that wait for another try
 * </ul>
 *
 * <p>What {@link StoreMetrics} says of registries and names holds here too.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ClientMetrics implements MeterBinder, AutoCloseable {
    private static final String PREFIX = "kvorum.client.";

    private final ClientStats.Source client;
    private final Tags tags;
    private final Bindings bindings = new Bindings();

    /**
     * Makes the meters of a client; {@link #bindTo} registers them.
     *
     * @param client the client
     * @param name the value of the tag {@code client}, different for each client of a registry
     */
    public ClientMetrics(ClientStats.Source client, String name) {
        this.client = Objects.requireNonNull(client, "client");
        this.tags = Tags.of("client", Objects.requireNonNull(name, "name"));
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindings.bind(registry, PREFIX, "waiting", tags, client, ClientMetrics::register);
    }

    private static void register(Meters<ClientStats.Source> meters) {
        String ended = "Operations that have ended";
        meters.count(
                "operations",
                "operations",
                ended,
                outcome("succeeded", "none"),
                of -> of.stats().succeeded());
        meters.count(
                "operations",
                "operations",
                ended,
                outcome("failed", "none"),
                of -> of.stats().failed());
        for (OutcomeUnknownException.Reason reason : OutcomeUnknownException.Reason.values()) {
            meters.count(
                    "operations",
                    "operations",
                    ended,
                    outcome("unknown", tag(reason)),
                    of -> of.stats().unknown().getOrDefault(reason, 0L));
        }
        String again = "Tries that followed one without success";
        for (RefusedException.Kind kind : RefusedException.Kind.values()) {
            meters.count(
                    "operations",
                    "operations",
                    ended,
                    outcome("refused", tag(kind)),
                    of -> of.stats().refused().getOrDefault(kind, 0L));
            meters.count(
                    "retries",
                    "tries",
                    again,
                    Tags.of("reason", tag(kind)),
                    of -> of.stats().retries().getOrDefault(kind, 0L));
        }
        meters.count(
                "retries",
                "tries",
                again,
                Tags.of("reason", "unconfirmed"),
                of -> of.stats().repeatedReads());
        meters.gauge("waiting", "operations", "Operations that wait for another try", ClientStats.Source::waiting);
    }

    private static Tags outcome(String outcome, String reason) {
        return Tags.of("outcome", outcome, "reason", reason);
    }

    private static String tag(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Removes the meters that this object added, from every registry it was bound to. */
    @Override
    public void close() {
        bindings.remove();
    }
}
