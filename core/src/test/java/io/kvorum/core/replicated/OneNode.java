package io.kvorum.core.replicated;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A node with a real thread, whose messages reach nobody. It owns the slots 0 to 8191, or another number of them. */
public final class OneNode implements AutoCloseable {
    public static final ShardId SHARD = new ShardId("shard");
    public static final NodeId NODE = new NodeId("node");

    public final FixedClock clock = new FixedClock(1_000);
    public final LocalStore local;
    public final ClusterTopology topology;
    public final ReplicatedStore store;
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final ReplicationLog log = ReplicationLog.inMemory(1 << 14);
    private final NodeDriver driver;

    private static final class NoPromises implements PromiseStore {
        @Override
        public long load() {
            return 0;
        }

        @Override
        public void save(long epoch) {}
    }

    public OneNode(int slots) {
        local = new LocalStore(StoreSettings.defaults(), 7, clock, log::append);
        ShardNode node = new ShardNode(
                ReplicationSettings.defaults(),
                new NodeIdentity(SHARD, NODE),
                log,
                local.replicatedState(),
                UnpooledByteBufAllocator.DEFAULT,
                ShardNode.Start.fresh());
        driver = new NodeDriver(
                node,
                log,
                (to, message) -> release(message),
                new NoPromises(),
                System::nanoTime,
                executor,
                event -> {});
        topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(SHARD, 1, NODE, List.of()),
                        new TopologyChange.AssignSlots(SlotSet.ofRange(0, slots - 1), SHARD)));
        store = new ReplicatedStore(local, log, driver, () -> topology);
    }

    private static void release(ReplicationMessage message) {
        message.release();
    }

    /** Makes it the primary of a shard of some nodes. */
    public void promote(NodeId... nodes) {
        driver.fence(1).toCompletableFuture().join();
        driver.promote(1, LogPosition.START, List.of(nodes))
                .toCompletableFuture()
                .join();
    }

    /** Waits for a stage, and takes the driver's steps meanwhile, which end what has taken too long. */
    public <T> T await(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        while (!future.isDone()) {
            CompletableFuture.runAsync(driver, executor).join();
        }
        return future.join();
    }

    @Override
    public void close() {
        driver.close();
        executor.shutdownNow();
        log.close();
    }
}
