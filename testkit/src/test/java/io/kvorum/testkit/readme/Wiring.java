package io.kvorum.testkit.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.ReadLevel;
import io.kvorum.core.ReplicatedStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.ClusterTopology;
import io.kvorum.slots.LogPosition;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.ShardId;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.TopologyChange;
import io.netty.buffer.ByteBufAllocator;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
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

    public static void main(String[] arguments) {
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(SHARD, 1, A, NODES.subList(1, 3)),
                        new TopologyChange.AssignSlots(SlotSet.ALL, SHARD)));
        ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(2);
        Map<NodeId, NodeDriver> drivers = new LinkedHashMap<>();
        Map<NodeId, ReplicatedStore> stores = new LinkedHashMap<>();
        for (NodeId id : NODES) {
            ReplicationLog log = new ReplicationLog(ByteBufAllocator.DEFAULT, 1 << 20);
            LocalStore state = new LocalStore(
                    StoreSettings.defaults(), new SecureRandom().nextLong(), InstantSource.system(), log::append);
            ShardNode node = new ShardNode(
                    ReplicationSettings.defaults(),
                    new NodeIdentity(SHARD, id),
                    log,
                    state,
                    ByteBufAllocator.DEFAULT,
                    ShardNode.Start.fresh());
            NodeDriver driver = new NodeDriver(
                    node,
                    log,
                    (to, message) -> drivers.get(to).receive(id, message), // the transport: a call within this JVM
                    new Promises(),
                    System::nanoTime,
                    scheduler,
                    event -> System.out.println(id + ": " + event));
            drivers.put(id, driver);
            stores.put(id, new ReplicatedStore(state, log, driver, () -> topology));
        }
        ScheduledFuture<?> ticks = scheduler.scheduleWithFixedDelay(
                () -> drivers.values().forEach(NodeDriver::run), 0, 50, TimeUnit.MILLISECONDS);
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
        scheduler.shutdown();
    }

    /** Forgets with the JVM, as the data does; a node that keeps its data keeps its promise beside it. */
    private static final class Promises implements PromiseStore {
        @Override
        public long load() {
            return 0;
        }

        @Override
        public void save(long epoch) {}
    }
}
