package io.kvorum.testkit.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.FilePromiseStore;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

public final class Wiring {
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId A = new NodeId("a");
    private static final List<NodeId> NODES = List.of(A, new NodeId("b"), new NodeId("c"));

    public static void main(String[] arguments) throws IOException {
        Path directory = Files.createTempDirectory("promises"); // of its own for each node, where they are apart
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(SHARD, 1, A, NODES.subList(1, 3)),
                        new TopologyChange.AssignSlots(SlotSet.ALL, SHARD)));
        ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(2);
        Map<NodeId, NodeDriver> drivers = new LinkedHashMap<>();
        Map<NodeId, ReplicatedStore> stores = new LinkedHashMap<>();
        List<ReplicationLog> logs = new ArrayList<>();
        for (NodeId id : NODES) {
            PromiseStore promises = new FilePromiseStore(directory.resolve(id.value()));
            long promised = promises.load();
            ReplicationLog log = new ReplicationLog(ByteBufAllocator.DEFAULT, 1 << 20);
            LocalStore state = new LocalStore(
                    StoreSettings.defaults(), new SecureRandom().nextLong(), InstantSource.system(), log::append);
            ShardNode node = new ShardNode(
                    ReplicationSettings.defaults(),
                    new NodeIdentity(SHARD, id),
                    log,
                    state.replicatedState(),
                    ByteBufAllocator.DEFAULT,
                    promised == 0 // a node of a new shard; else it comes back, without its data but with its promise
                            ? ShardNode.Start.fresh()
                            : ShardNode.Start.empty(promised, new SecureRandom().nextLong()));
            NodeDriver driver = new NodeDriver(
                    node,
                    log,
                    (to, message) -> drivers.get(to).receive(id, message), // the transport: a call within this JVM
                    promises,
                    System::nanoTime,
                    scheduler,
                    event -> System.out.println(id + ": " + event));
            logs.add(log);
            drivers.put(id, driver);
            stores.put(id, new ReplicatedStore(state, log, driver, () -> topology));
        }
        ScheduledFuture<?> ticks = scheduler.scheduleWithFixedDelay(
                () -> {
                    drivers.values().forEach(NodeDriver::run);
                    stores.values().forEach(store -> store.expire(100)); // only the primary does
                },
                0,
                50,
                TimeUnit.MILLISECONDS);
        drivers.get(A).fence(1); // a leadership begins with a promise; sentinels would see to it from here on
        drivers.get(A)
                .promote(1, LogPosition.START, NODES)
                .toCompletableFuture()
                .join();

        KeyValueStore store = stores.get(A).store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofSeconds(5));
        store.set("key".getBytes(UTF_8), "value".getBytes(UTF_8));
        System.out.println(new String(store.get("key".getBytes(UTF_8)), UTF_8) + ", from a majority of " + NODES);

        ticks.cancel(false);
        drivers.values().forEach(NodeDriver::close);
        logs.forEach(ReplicationLog::close);
        scheduler.shutdown();
    }
}
