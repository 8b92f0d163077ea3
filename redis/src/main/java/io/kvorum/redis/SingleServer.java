package io.kvorum.redis;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One server with all slots, or the primary that sentinels name whenever a connection is made. */
record SingleServer(Place place) implements Servers {
    @Override
    public Place placeOf(int slot) {
        return place;
    }

    @Override
    public List<Place> primaries() {
        return List.of(place);
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
    public void close() {}
}
