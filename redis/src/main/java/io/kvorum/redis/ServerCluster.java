package io.kvorum.redis;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.models.partitions.Partitions;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.resource.ClientResources;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The servers of a Redis or Valkey cluster, as they were when they were asked last. */
final class ServerCluster implements Servers {
    /** What the servers said; never changed. */
    @SuppressWarnings("ArrayRecordComponent") // of which nobody asks whether it equals another
    private record View(@Nullable Place[] bySlot, List<Place> primaries) {}

    private final RedisClusterClient client;
    private final RedisURI seed; // whose user, password and settings of TLS hold for all servers
    private volatile View view;
    private @Nullable CompletableFuture<@Nullable Void> refreshing;

    /** Asks the servers for the first time. */
    ServerCluster(ClientResources resources, List<RedisURI> seeds, ClusterClientOptions options) {
        seed = seeds.get(0);
        client = RedisClusterClient.create(resources, seeds);
        client.setOptions(options);
        view = view(client.getPartitions());
    }

    private View view(Partitions partitions) {
        @Nullable Place[] bySlot = new Place[HashSlot.COUNT];
        List<Place> primaries = new ArrayList<>();
        for (RedisClusterNode node : partitions) {
            if (node.is(RedisClusterNode.NodeFlag.UPSTREAM) && !node.getSlots().isEmpty()) {
                RedisURI told = node.getUri(); // host and port alone
                RedisURI uri = RedisURI.builder(seed)
                        .withHost(told.getHost())
                        .withPort(told.getPort())
                        .build();
                Place place = Place.of(uri, node.getNodeId());
                primaries.add(place);
                node.getSlots().forEach(slot -> bySlot[slot] = place);
            }
        }
        return new View(bySlot, List.copyOf(primaries));
    }

    @Override
    public Place placeOf(int slot) {
        Place place = view.bySlot[slot];
        if (place == null) {
            throw new RefusedException(
                    RefusedException.Kind.CLUSTER_DOWN, "no server has slot " + slot, slot, null, null, null, -1);
        }
        return place;
    }

    @Override
    public List<Place> primaries() {
        return view.primaries;
    }

    @Override
    public boolean knowSlots() {
        return true;
    }

    @Override
    public synchronized CompletionStage<@Nullable Void> refresh() {
        CompletableFuture<@Nullable Void> known = refreshing;
        if (known == null || known.isDone()) {
            try {
                known = client.refreshPartitionsAsync()
                        .<@Nullable Void>thenApply(done -> {
                            view = view(client.getPartitions());
                            return null;
                        })
                        .exceptionally(failure -> null) // what was known stays known
                        .toCompletableFuture();
            } catch (RuntimeException e) { // of a client that is closed
                known = CompletableFuture.completedFuture(null);
            }
            refreshing = known;
        }
        return known;
    }

    @Override
    public boolean mayChange() {
        return true;
    }

    @Override
    public void close() {
        client.shutdownAsync(0, 1, TimeUnit.SECONDS).join();
    }
}
