package io.kvorum.core.replicated;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.Promise;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;

/** A node with a real thread, whose messages reach nobody. It owns the slots 0 to 8191, or another number of them. */
public final class OneNode implements AutoCloseable {
    public static final ShardId SHARD = new ShardId("shard");
    public static final NodeId NODE = new NodeId("node");
    public static final long EPOCH = Epoch.of(1, 1);
    private static final NodeId SENTINEL = new NodeId("sentinel");
    private static final long INCARNATION = 7;

    public final FixedClock clock = new FixedClock(1_000);
    public final LocalStore local;
    public final ClusterTopology topology;
    public final ReplicatedStore store;
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    private final ReplicationLog log = ReplicationLog.inMemory(1 << 14);
    private final NodeDriver driver;

    public OneNode(int slots) {
        local = new LocalStore(StoreSettings.defaults(), 7, clock, log::append);
        Scheduler scheduler = Scheduler.of(executor);
        Promise promise = new Promise(INCARNATION, 1, 0, null, false);
        ReplicationSettings settings = ReplicationSettings.defaults();
        ShardNode node = new ShardNode(
                settings,
                new NodeIdentity(SHARD, NODE),
                log,
                local.replicatedState(),
                UnpooledByteBufAllocator.DEFAULT,
                promise,
                false,
                scheduler.nanoTime());
        driver = new NodeDriver(
                settings, node, log, (to, message) -> release(message), new KeptPromise(promise), scheduler);
        driver.start();
        topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(SHARD, EPOCH, NODE, List.of()),
                        new TopologyChange.AssignSlots(SlotSet.ofRange(0, slots - 1), SHARD)));
        store = new ReplicatedStore(local, log, driver, () -> topology);
    }

    private static void release(ReplicationMessage message) {
        message.release();
    }

    /** Begins a shard of some nodes with this one as its primary. */
    public void begin(NodeId... nodes) {
        driver.fence(EPOCH, SENTINEL).toCompletableFuture().join();
        MemberList members = MemberList.of(
                Stream.of(nodes).map(node -> new Member(node, INCARNATION)).toArray(Member[]::new));
        ControlAnswer answer = driver.begin(EPOCH, SENTINEL, members, List.of(), false)
                .toCompletableFuture()
                .join();
        assertEquals(ControlAnswer.Outcome.DONE, answer.outcome());
    }

    @Override
    public void close() {
        driver.close();
        executor.shutdownNow();
        log.close();
    }
}
