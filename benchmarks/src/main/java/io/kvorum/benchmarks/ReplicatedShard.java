package io.kvorum.benchmarks;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.slots.HashSlot;
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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One shard in this JVM, without sentinels. Each node has a thread of its own, so that what it costs can be told from
 * what the others do; messages are handed over as they are.
 */
final class ReplicatedShard implements AutoCloseable {
    private static final int LOG_CAPACITY = 16 << 20;
    private static final long EPOCH = Epoch.of(1, 0);
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId STARTER = new NodeId("benchmark");
    private static final long READY_NANOS = 30_000_000_000L;
    private static final long CHECK_NANOS = 200_000;

    private final Map<NodeId, ClusterNode> nodes = new ConcurrentHashMap<>();
    private final List<NodeThread> threads = new ArrayList<>();
    private final ClusterNode primary;

    /** Starts a primary and so many replicas, and waits until these are complete. */
    ReplicatedShard(int replicas) {
        List<NodeId> ids = new ArrayList<>();
        for (int i = 0; i <= replicas; i++) {
            ids.add(new NodeId("node-" + i));
        }
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                0,
                List.of(
                        new TopologyChange.AddShard(SHARD, EPOCH, ids.get(0), ids.subList(1, ids.size())),
                        new TopologyChange.AssignSlots(SlotSet.ofRange(0, HashSlot.COUNT - 1), SHARD)));
        for (NodeId id : ids) {
            NodeThread thread = new NodeThread(id);
            threads.add(thread);
            nodes.put(id, start(id, topology, Scheduler.of(thread.executor)));
        }
        primary = node(ids.get(0));
        begin(ids);
        await(() -> primary.status().writable() && isCaughtUp(), "the shard must begin");
    }

    private ClusterNode start(NodeId id, ClusterTopology topology, Scheduler scheduler) {
        try {
            return ClusterNode.builder(SHARD, id)
                    .promises(new KeptPromise())
                    .transport((to, message) -> node(to).receive(id, message))
                    .topology(() -> topology)
                    .scheduler(scheduler)
                    .logCapacity(LOG_CAPACITY)
                    .allocator(UnpooledByteBufAllocator.DEFAULT)
                    .start();
        } catch (IOException e) { // a promise in memory can always be saved
            throw new UncheckedIOException(e);
        }
    }

    private void begin(List<NodeId> ids) {
        for (NodeId id : ids) {
            done(node(id).driver().fence(EPOCH, STARTER));
        }
        MemberList members = new MemberList(ids.stream()
                .map(id -> new Member(id, node(id).status().incarnation()))
                .toList());
        done(primary.driver().begin(EPOCH, STARTER, members, List.of(), false));
        for (NodeId id : ids.subList(1, ids.size())) {
            done(node(id).driver().follow(EPOCH, primary.id()));
        }
    }

    private static void done(CompletionStage<ControlAnswer> answer) {
        ControlAnswer.Outcome outcome = answer.toCompletableFuture().join().outcome();
        if (outcome != ControlAnswer.Outcome.DONE) {
            throw new AssertionError("a node must do as it is told: " + outcome);
        }
    }

    private ClusterNode node(NodeId id) {
        ClusterNode node = nodes.get(id);
        if (node == null) {
            throw new IllegalArgumentException("node must be one of the shard: " + id);
        }
        return node;
    }

    ClusterNode primary() {
        return primary;
    }

    /** Returns the ids of the threads that run the primary. */
    long[] primaryThreads() {
        return threads.get(0).ids();
    }

    /** Waits until the replicas have all that is in the primary's log. */
    void awaitCaughtUp() {
        await(this::isCaughtUp, "the replicas must catch up");
    }

    private boolean isCaughtUp() {
        long end = primary.driver()
                .describe()
                .toCompletableFuture()
                .join()
                .status()
                .position()
                .offset();
        return nodes.values().stream()
                .allMatch(node ->
                        node.status().complete() && node.status().position().offset() >= end);
    }

    private static void await(BooleanSupplier condition, String what) {
        long limit = System.nanoTime() + READY_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - limit > 0) {
                throw new AssertionError(what);
            }
            LockSupport.parkNanos(CHECK_NANOS);
        }
    }

    @Override
    public void close() {
        nodes.values().forEach(ClusterNode::close);
        threads.forEach(NodeThread::close);
    }

    private static final class NodeThread implements AutoCloseable {
        private final List<Thread> started = new ArrayList<>();
        private final ScheduledThreadPoolExecutor executor;

        NodeThread(NodeId id) {
            executor = new ScheduledThreadPoolExecutor(1, task -> {
                Thread thread = new Thread(task, id.value());
                thread.setDaemon(true);
                synchronized (started) {
                    started.add(thread);
                }
                return thread;
            });
            executor.setRemoveOnCancelPolicy(true);
        }

        long[] ids() {
            synchronized (started) {
                return started.stream().mapToLong(Thread::getId).toArray();
            }
        }

        @Override
        public void close() {
            executor.shutdownNow();
            try {
                if (!executor.awaitTermination(10, TimeUnit.SECONDS)) {
                    throw new AssertionError("the thread of a node must end");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static final class KeptPromise implements PromiseStore {
        private volatile @Nullable Promise promise;

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise saved) {
            promise = saved;
        }
    }
}
