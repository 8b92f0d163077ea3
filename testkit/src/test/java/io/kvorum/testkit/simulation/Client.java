package io.kvorum.testkit.simulation;

import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.history.Call;
import io.kvorum.testkit.history.RegisterOperation;
import io.kvorum.testkit.simulation.Request.Action;
import io.kvorum.testkit.simulation.Request.Reply;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A client: follows the topology that the sentinels provide, does one operation after the other at the primaries, and
 * writes down what it saw. What isn't answered in time is open; what was refused never happened.
 *
 * <p>Confined to one thread.
 */
final class Client {
    private static final long TIMEOUT = Plan.SECOND;
    private static final long REFRESH = Plan.SECOND;
    private static final int HOT_KEYS = 3;
    private static final int HOT_STRIDE = 10; // into another shard
    private static final int HOT_PER_MILLE = 800;
    private static final long VALUES = 10_000_000;

    private final Cluster cluster;
    private final SimulatedProcess process;
    private final Randomness random;
    private final History history;
    private ClusterTopology topology;
    private ClusterTopology lastTold;
    private long lastValue;
    private long operations;
    private boolean stopped;
    private int keyToRead = Keys.CHECKED;
    private final int[] doneInShard;
    private @Nullable Operation pending;

    private record Operation(long number, Request request, long invoked) {}

    Client(Cluster cluster, SimulatedProcess process, History history) {
        this.cluster = cluster;
        this.process = process;
        this.random = Randomness.stream(cluster.plan().seed(), Stream.FIRST_CLIENT + process.index());
        this.history = history;
        this.topology = cluster.topology();
        this.lastTold = topology;
        this.doneInShard = new int[cluster.plan().shape().shards()];
        this.lastValue = process.index() * VALUES;
    }

    void start() {
        process.start();
        process.every(REFRESH, this::refresh);
        think();
    }

    /** Has the client do nothing more after the operation under way. */
    void stop() {
        stopped = true;
    }

    /** Has a stopped client read each key once more. */
    void readAll() {
        stopped = false;
        keyToRead = 0;
        process.execute(this::operate);
    }

    boolean isIdle() {
        return stopped && pending == null;
    }

    /** Forgets how many operations were done in each shard. */
    void resetProgress() {
        Arrays.fill(doneInShard, 0);
    }

    /** {@return whether an operation was done in each shard since the last reset} */
    boolean hasProgressed() {
        return Arrays.stream(doneInShard).allMatch(done -> done > 0);
    }

    private void think() {
        long max = cluster.plan().thinkTime();
        process.after(random.nextLong(max / 8, max), this::operate);
    }

    private void operate() {
        if (stopped || pending != null) {
            return;
        }
        Request request = draw();
        if (request == null) {
            stopped = true;
            return;
        }
        NodeId primary = topology.primaryOf(cluster.keys().slot(request.key()));
        if (primary == null) { // its shard is removed
            refresh();
            think();
            return;
        }
        DataNode node = cluster.node(primary);
        Operation operation = new Operation(++operations, request, cluster.now());
        pending = operation;
        cluster.network()
                .send(
                        process,
                        node.process(),
                        MessageKind.REQUEST,
                        0,
                        request,
                        SimulatedNetwork.Handling.once(),
                        (from, received) -> node.serve(received, reply -> answer(node, operation, reply)));
        process.after(TIMEOUT, () -> timedOut(operation));
    }

    private @Nullable Request draw() {
        if (keyToRead < Keys.CHECKED) {
            return new Request(Action.READ, keyToRead, 0);
        }
        if (cluster.isReadingAll()) {
            return null;
        }
        int choice = random.nextInt(20);
        boolean hot =
                cluster.plan().hotKeys() && cluster.now() < cluster.plan().faultsEnd(); // later all shards are tried
        int key = hot && random.chance(HOT_PER_MILLE)
                ? random.nextInt(HOT_KEYS) * HOT_STRIDE
                : random.nextInt(Keys.CHECKED);
        if (choice < 8) {
            return new Request(Action.READ, key, 0);
        }
        if (choice < 10 && Keys.mayBeDeleted(key)) {
            return new Request(Action.DELETE, key, 0);
        }
        lastValue++;
        return choice < 18
                ? new Request(Action.SET, key, lastValue)
                : new Request(
                        Action.SET_LOCALLY, cluster.keys().unchecked(key % doneInShard.length, lastValue), lastValue);
    }

    private void answer(DataNode node, Operation operation, Reply reply) {
        cluster.network()
                .send(
                        node.process(),
                        process,
                        MessageKind.REPLY,
                        0,
                        reply,
                        SimulatedNetwork.Handling.once(),
                        (from, received) -> answered(operation, received));
    }

    private void answered(Operation operation, Reply reply) {
        if (!isPending(operation)) {
            return; // it took too long
        }
        pending = null;
        Request request = operation.request;
        cluster.trace().detail(process, () -> request + " -> " + reply.result() + " " + reply.value());
        switch (reply.result()) {
            case DONE -> {
                record(operation, reply.value(), cluster.now());
                doneInShard[request.key() % doneInShard.length]++;
                keyToRead += request.action() == Action.READ && request.key() == keyToRead ? 1 : 0;
            }
            case REFUSED -> refresh();
            case UNKNOWN -> {
                cluster.coverage().count(Sometimes.UNKNOWN_TO_CLIENT);
                record(operation, 0, Call.NEVER);
                refresh();
            }
        }
        think();
    }

    private boolean isPending(Operation operation) {
        return pending != null && pending.number == operation.number;
    }

    private void timedOut(Operation operation) {
        if (isPending(operation)) {
            pending = null;
            cluster.trace().detail(process, () -> operation.request + " -> no answer");
            cluster.coverage().count(Sometimes.UNKNOWN_TO_CLIENT);
            record(operation, 0, Call.NEVER);
            refresh();
            think();
        }
    }

    private void record(Operation operation, long read, long returned) {
        Request request = operation.request;
        switch (request.action()) {
            case READ -> {
                if (returned != Call.NEVER) {
                    history.add(request.key(), RegisterOperation.read(read), operation.invoked, returned);
                }
            }
            case SET ->
                history.add(request.key(), RegisterOperation.write(request.value()), operation.invoked, returned);
            case DELETE -> history.add(request.key(), RegisterOperation.delete(), operation.invoked, returned);
            case SET_LOCALLY -> {} // may be lost
        }
    }

    /** Asks some sentinel for the topology. */
    private void refresh() {
        SentinelHost sentinel =
                cluster.sentinels().get(random.nextInt(cluster.sentinels().size()));
        cluster.network()
                .send(
                        process,
                        sentinel.process(),
                        MessageKind.TOPOLOGY,
                        0,
                        sentinel,
                        SimulatedNetwork.Handling.immutable(),
                        (from, asked) -> tell(asked));
    }

    private void tell(SentinelHost sentinel) {
        SentinelDriver provider = sentinel.driver();
        if (provider != null) {
            cluster.network()
                    .send(
                            sentinel.process(),
                            process,
                            MessageKind.TOPOLOGY,
                            0,
                            cluster.mutant() == Mutant.OLD_TOPOLOGY_TOLD ? cluster.topology() : provider.topology(),
                            SimulatedNetwork.Handling.immutable(),
                            (from, told) -> follow(told));
        }
    }

    private void follow(ClusterTopology told) {
        if (!told.equals(lastTold)) { // to merge costs more
            lastTold = told;
            topology = topology.merge(told);
        }
    }

    /** {@return the result of the operation under way, for a reader} */
    @Override
    public String toString() {
        return process.id() + (pending == null ? " idle" : " waits for " + pending.request);
    }
}
