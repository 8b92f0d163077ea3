package io.kvorum.redis;

import io.kvorum.slots.topology.RefusedException;
import io.lettuce.core.RedisURI;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One server with all slots: always the same, or the primary that somebody names whenever something is sent. */
final class SingleServer implements Servers {
    private final Supplier<? extends @Nullable RedisURI> primary;
    private final boolean changes;
    private volatile Place last;

    /**
     * Takes the server, or who names it.
     *
     * @param primary the primary, or null if it is always the first server or the one that its sentinels name
     */
    SingleServer(RedisURI first, @Nullable Supplier<? extends @Nullable RedisURI> primary) {
        this.primary = primary == null ? () -> first : primary;
        this.changes = primary != null || first.getSentinelMasterId() != null;
        this.last = Place.of(first);
    }

    @Override
    public Place placeOf(int slot) {
        Place known = last;
        RedisURI uri = primary.get();
        if (uri == null) {
            throw Failures.refused(RefusedException.Kind.CLUSTER_DOWN, "there is no primary", slot, known);
        }
        known = uri.equals(known.uri()) ? known.as(uri) : Place.of(uri);
        last = known;
        return known;
    }

    @Override
    public List<Place> primaries() {
        return List.of(placeOf(-1));
    }

    @Override
    public boolean knowSlots() {
        return false;
    }

    @Override
    public CompletionStage<@Nullable Void> refresh() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public boolean mayChange() {
        return changes;
    }

    @Override
    public void close() {}
}
