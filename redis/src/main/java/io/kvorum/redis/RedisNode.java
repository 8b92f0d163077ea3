package io.kvorum.redis;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.runtime.FilePromiseStore;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisLoadingException;
import io.lettuce.core.RedisURI;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What stands beside a real server, one beside each, and lets Kvorum's sentinels watch it and fail it over: it keeps
 * the promise that a server cannot keep, in a file, and carries out the commands of sentinels one at a time.
 *
 * <pre>{@code
 * Map<NodeId, RedisURI> servers = Map.of(a, RedisURI.create("redis://10.0.0.1"), ...);
 * RedisNode node = RedisNode.start(a, shard, servers, Path.of("data/a"));
 * }</pre>
 *
 * <p>A server has to be started with {@code replicaof 127.0.0.1 1}, so that it comes back from a restart as a replica
 * of nobody, which takes no writes and feeds no others, until its node says what it is. A node that finds it otherwise
 * makes it so. Nobody else may give the server commands about replication.
 *
 * <p>Every leadership begins with a record under the key {@code kvorum:leadership}, in one step with the promotion. It
 * tells on each server in which epoch its data was written, and it is missing where a server has lost its data. A
 * server that was started again counts as complete only once it has been synchronised with the primary.
 *
 * <p>Once a primary has had enough replicas for a majority, it refuses writes without them: a primary that is cut off
 * together with its node cannot be commanded, but stops by itself within seconds. The node sets
 * {@code min-replicas-to-write} and {@code min-replicas-max-lag} for that, and leaves them set when it is closed.
 *
 * <p>What a real server cannot guarantee is listed in {@code docs/redis.md}.
 *
 * <p>Safe for use by any number of threads.
 */
public final class RedisNode implements AutoCloseable {
    /** The name of the file in the node's directory that keeps its promise. */
    public static final String PROMISE_FILE = "promise";

    /** The name of the file that keeps in which run of the server the data was complete. */
    public static final String RUN_FILE = "run";

    private static final System.Logger logger = System.getLogger(RedisNode.class.getName());
    private static final int MAX_WAITING = 64;
    private static final int PRIORITY = 100;
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    /** How often a node looks by itself at a server that is being synchronised. */
    private static final long LOOK_MILLIS = 100;

    /** A command, and who wants its answer. */
    private record Asked(NodeCommand command, Consumer<? super NodeAnswer> answer) {
        Asked {
            requireNonNull(command, "command");
            requireNonNull(answer, "answer");
        }
    }

    private final NodeId self;
    private final ShardId shard;
    private final Map<NodeId, RedisURI> servers;
    private final PromiseStore store;
    private final RunFile run;
    private final ManagedServer server;
    private final ThreadPoolExecutor thread;
    private final List<Asked> questions = new ArrayList<>(); // guarded by itself
    private Promise promise; // confined to the thread
    private volatile boolean looking; // a look of the node's own is due
    private @Nullable LeadershipRecord led; // the last leadership of this node; confined to the thread

    private RedisNode(
            NodeId self,
            ShardId shard,
            Map<NodeId, RedisURI> servers,
            PromiseStore store,
            RunFile run,
            Promise promise) {
        this.self = self;
        this.shard = shard;
        this.servers = servers;
        this.store = store;
        this.run = run;
        this.promise = promise;
        server = new ManagedServer(requireNonNull(servers.get(self), "the server of the node"), TIMEOUT);
        thread = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), task -> {
            Thread made = new Thread(task, "kvorum-" + self);
            made.setDaemon(true);
            return made;
        });
    }

    /**
     * Loads what the node has promised, and starts it. The server need not run yet.
     *
     * @param self the node
     * @param shard the shard
     * @param servers where the servers of all nodes of the shard are, as they reach each other
     * @param directory the directory of the node, which must exist
     * @return the node, which the caller closes
     * @throws IOException if the directory is missing, or the promise cannot be read or saved
     */
    public static RedisNode start(NodeId self, ShardId shard, Map<NodeId, RedisURI> servers, Path directory)
            throws IOException {
        PromiseStore store = new FilePromiseStore(directory.resolve(PROMISE_FILE));
        Promise kept = store.load();
        Promise promise = kept == null ? Promise.first(new SecureRandom()) : kept.nextLife();
        store.save(promise);
        return new RedisNode(
                requireNonNull(self, "self"),
                requireNonNull(shard, "shard"),
                Map.copyOf(servers),
                store,
                new RunFile(directory.resolve(RUN_FILE)),
                promise);
    }

    /**
     * {@return a gateway to nodes in this JVM} Who reaches them over a network writes one that ends in
     * {@link #execute}.
     *
     * @param nodes the nodes; one that is missing does not answer
     */
    public static NodeGateway gateway(Map<NodeId, RedisNode> nodes) {
        Map<NodeId, RedisNode> copy = Map.copyOf(nodes);
        return (node, command, answer) -> {
            RedisNode reached = copy.get(node);
            if (reached != null) {
                reached.execute(command, answer);
            }
        };
    }

    /** {@return the node's id} */
    public NodeId id() {
        return self;
    }

    /**
     * Carries out a command of a sentinel, after those that came before; questions that wait are answered together. A
     * node is silent as long as its server is, and while more than {@value #MAX_WAITING} commands wait.
     *
     * @param command the command
     * @param answer takes the answer, if there is one, on the thread of the node; what it throws is logged
     */
    public void execute(NodeCommand command, Consumer<? super NodeAnswer> answer) {
        Asked asked = new Asked(command, answer);
        if (!(command instanceof NodeCommand.Describe)) {
            begin(() -> carryOut(List.of(asked)));
            return;
        }
        boolean first;
        synchronized (questions) {
            first = questions.isEmpty();
            if (questions.size() < MAX_WAITING) {
                questions.add(asked);
            }
        }
        if (first) {
            begin(() -> carryOut(takeQuestions()));
        }
    }

    private List<Asked> takeQuestions() {
        synchronized (questions) {
            List<Asked> taken = List.copyOf(questions);
            questions.clear();
            return taken;
        }
    }

    private void begin(Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException e) {
            takeQuestions();
            logger.log(Level.DEBUG, () -> self + " has too many commands waiting, or is closed", e);
        }
    }

    private void pass(NodeAnswer given, Consumer<? super NodeAnswer> answer) {
        try {
            answer.accept(given);
        } catch (Throwable e) { // of the caller's code
            logger.log(Level.WARNING, () -> "answer of node " + self + " could not be passed on", e);
        }
    }

    private void carryOut(List<Asked> waiting) {
        ServerState state;
        try {
            state = observed();
        } catch (RuntimeException e) {
            isSilent(e);
            return;
        }
        for (Asked each : waiting) {
            NodeAnswer given = carriedOut(each.command, state);
            if (given != null) {
                pass(given, each.answer);
            }
        }
    }

    private @Nullable NodeAnswer carriedOut(NodeCommand command, ServerState state) {
        if (!command.shard().equals(shard)) {
            return new NodeAnswer(command, Outcome.WRONG_SHARD, report(state));
        }
        try {
            Outcome outcome = outcome(command, state);
            boolean changed = outcome == Outcome.DONE && !(command instanceof NodeCommand.Describe);
            return new NodeAnswer(command, outcome, report(changed ? observed() : state));
        } catch (IOException e) {
            logger.log(Level.WARNING, () -> self + " could not save its promise", e);
            return new NodeAnswer(command, Outcome.NOT_SAVED, report(state));
        } catch (RuntimeException e) {
            isSilent(e);
            return null;
        }
    }

    private void isSilent(RuntimeException failure) {
        logger.log(Level.DEBUG, () -> "server of " + self + " does not answer", failure);
        server.disconnect(); // whatever was begun on the connection ends with it
    }

    // ---- what the server is

    /** Asks the server for its state, and takes back what nobody gave it. */
    private ServerState observed() {
        ServerState state = loaded();
        LeadershipRecord known = led;
        if (state.primary()
                && state.record() == null
                && known != null
                && known.epoch() == promise.epoch()
                && run.isOf(state)) { // the users of the server have deleted everything
            server.lead(known);
            state = server.state();
        }
        if (leads(state)) {
            led = state.record();
            guard(state);
        } else if (state.primary()) {
            server.detach();
            state = server.state();
        }
        LeadershipRecord record = state.record();
        boolean synced = state.linkUp() && !state.syncing() && record != null && record.epoch() == promise.epoch();
        if (synced && following(state) != null) {
            run.keep(state);
        } else if (state.syncing()) {
            run.forget(); // it may break off, and leave a part
        }
        if (!state.primary() && following(state) != null && !run.isOf(state)) {
            lookLater(); // it is to count from the moment on that it has the data, whoever asks when
        }
        return state;
    }

    /** Has a primary that has had a majority with it take no writes without one. */
    private void guard(ServerState state) {
        LeadershipRecord record = state.record();
        int others = record == null ? 0 : record.members().nodes().size() / 2;
        if (others > 0 && state.replicas() >= others) {
            server.guard(state, others);
        }
    }

    private void lookLater() {
        if (!looking) {
            looking = true;
            CompletableFuture.delayedExecutor(LOOK_MILLIS, TimeUnit.MILLISECONDS)
                    .execute(() -> {
                        looking = false;
                        begin(this::look);
                    });
        }
    }

    private void look() {
        try {
            observed();
        } catch (RuntimeException e) {
            isSilent(e);
        }
    }

    private ServerState loaded() {
        try {
            return server.state();
        } catch (RedisLoadingException e) {
            run.forget(); // it may break off, and leave a part
            lookLater(); // it may be the end of a sync
            throw e;
        }
    }

    private boolean leads(ServerState state) {
        LeadershipRecord record = state.record();
        return state.primary()
                && record != null
                && record.epoch() == promise.epoch()
                && record.leader().equals(self)
                && run.isOf(state);
    }

    private boolean isComplete(ServerState state) {
        return state.record() != null && !state.syncing() && run.isOf(state);
    }

    private @Nullable NodeId following(ServerState state) {
        for (Map.Entry<NodeId, RedisURI> each : servers.entrySet()) {
            RedisURI uri = each.getValue();
            if (!each.getKey().equals(self)
                    && !state.primary()
                    && uri.getPort() == state.masterPort()
                    && uri.getHost().equals(state.masterHost())) {
                return each.getKey();
            }
        }
        return null;
    }

    private NodeReport report(ServerState state) {
        LeadershipRecord record = state.record();
        return new NodeReport(
                self,
                shard,
                promise.incarnation(),
                leads(state),
                promise.epoch(),
                following(state),
                state.position(),
                record == null ? -1 : 0,
                isComplete(state),
                promise.begun() || record != null,
                record == null ? null : Membership.committed(record.members()),
                record == null ? LogPosition.START : record.membersAt(),
                List.of(),
                PRIORITY);
    }

    // ---- the commands

    private Outcome outcome(NodeCommand command, ServerState state) throws IOException {
        if (command instanceof NodeCommand.Describe) {
            return Outcome.DONE;
        } else if (command instanceof NodeCommand.Fence fence) {
            return fence(fence, state);
        } else if (command instanceof NodeCommand.Promote promote) {
            return promote(promote, state);
        } else if (command instanceof NodeCommand.Begin begin) {
            return begin(begin, state);
        } else if (command instanceof NodeCommand.Follow follow) {
            return follow(follow, state);
        } else if (command instanceof NodeCommand.Pause pause) {
            return pause(pause, state);
        } else if (command instanceof NodeCommand.Resume resume) {
            return resume(resume, state);
        } else if (command instanceof NodeCommand.Replace) {
            return Outcome.NOT_MEMBER; // the list never changes
        }
        throw new AssertionError(command);
    }

    private void keep(Promise later) throws IOException {
        store.save(later);
        promise = later;
    }

    private Outcome fence(NodeCommand.Fence fence, ServerState state) throws IOException {
        NodeId known = promise.holder();
        if (fence.epoch() < promise.epoch()) {
            return Outcome.STALE_EPOCH;
        } else if (fence.epoch() > promise.epoch()) {
            keep(promise.withEpoch(fence.epoch(), fence.holder()));
        } else if (known == null) { // the epoch has, or had, its primary
            return Outcome.STALE_EPOCH;
        } else if (!known.equals(fence.holder())) {
            return Outcome.OTHER_HOLDER;
        }
        if (!leads(state) && !ManagedServer.isDetached(state)) {
            server.detach();
        }
        return Outcome.DONE;
    }

    /** Returns why a party cannot command in an epoch, or null if it has the promise. */
    private @Nullable Outcome obstacle(long epoch, NodeId holder) {
        NodeId known = promise.holder();
        if (epoch < promise.epoch()) {
            return Outcome.STALE_EPOCH;
        } else if (epoch > promise.epoch()) {
            return Outcome.NOT_FENCED;
        } else if (known == null) {
            return Outcome.OTHER_PRIMARY;
        }
        return known.equals(holder) ? null : Outcome.OTHER_HOLDER;
    }

    /** Makes the server lead, or keeps it from taking writes: it may have become a primary without the record. */
    private void lead(LeadershipRecord record) {
        try {
            server.lead(record);
        } catch (RedisCommandExecutionException e) {
            server.detach();
            throw e;
        }
    }

    private Outcome promote(NodeCommand.Promote promote, ServerState state) throws IOException {
        Outcome obstacle = obstacle(promote.epoch(), promote.holder());
        LeadershipRecord record = state.record();
        if (obstacle != null) {
            return obstacle;
        } else if (promote.incarnation() != promise.incarnation()) {
            return Outcome.OTHER_INCARNATION;
        } else if (leads(state)) {
            return Outcome.DONE;
        } else if (record == null || !isComplete(state)) {
            return Outcome.NOT_COMPLETE;
        } else if (!state.position().equals(promote.expected()) || record.epoch() >= promote.epoch()) {
            return Outcome.WRONG_POSITION;
        } else if (!record.members().contains(new Member(self, promise.incarnation()))) {
            return Outcome.NOT_MEMBER;
        }
        lead(record.next(promote.epoch(), self));
        return Outcome.DONE;
    }

    private Outcome begin(NodeCommand.Begin begin, ServerState state) throws IOException {
        if (leads(state) && promise.epoch() == begin.epoch()) {
            return Outcome.DONE;
        }
        Outcome obstacle = obstacle(begin.epoch(), begin.holder());
        LeadershipRecord record = state.record();
        Member member = new Member(self, promise.incarnation());
        if (obstacle != null) {
            return obstacle;
        } else if (!begin.members().contains(member)) {
            return begin.members().member(self) == null ? Outcome.NOT_MEMBER : Outcome.OTHER_INCARNATION;
        } else if (!begin.dataLost() && (promise.begun() || record != null)) {
            return Outcome.ALREADY_BEGUN;
        } else if (record != null && record.epoch() >= begin.epoch()) {
            return Outcome.WRONG_POSITION;
        }
        keep(promise.withEpoch(begin.epoch(), null).withBegun()); // which uses the promise up
        run.keep(state);
        lead(new LeadershipRecord(begin.epoch(), self, begin.epoch(), begin.members()));
        return Outcome.DONE;
    }

    private Outcome follow(NodeCommand.Follow follow, ServerState state) throws IOException {
        RedisURI primary = servers.get(follow.primary());
        if (follow.epoch() < promise.epoch()) {
            return Outcome.STALE_EPOCH;
        } else if (leads(state) && follow.epoch() == promise.epoch()) {
            return Outcome.OTHER_PRIMARY;
        } else if (follow.primary().equals(self)) {
            return Outcome.NOT_PRIMARY;
        } else if (primary == null) {
            return Outcome.NOT_MEMBER;
        }
        NodeId followed = following(state);
        if (follow.epoch() > promise.epoch() || promise.holder() != null || !promise.begun()) {
            keep(promise.withEpoch(follow.epoch(), null).withBegun());
        } else if (followed != null && !followed.equals(follow.primary())) {
            return Outcome.OTHER_PRIMARY;
        }
        if (!follow.primary().equals(followed)) {
            server.follow(primary.getHost(), primary.getPort());
        }
        return Outcome.DONE;
    }

    private Outcome pause(NodeCommand.Pause pause, ServerState state) {
        if (!leads(state) || pause.epoch() != promise.epoch()) {
            return notPrimary(pause.epoch());
        }
        server.pause(pause.limit());
        return Outcome.DONE;
    }

    private Outcome resume(NodeCommand.Resume resume, ServerState state) {
        if (!leads(state) || resume.epoch() != promise.epoch()) {
            return notPrimary(resume.epoch());
        }
        server.unpause();
        return Outcome.DONE;
    }

    private Outcome notPrimary(long epoch) {
        return Epoch.check(epoch) < promise.epoch() ? Outcome.STALE_EPOCH : Outcome.NOT_PRIMARY;
    }

    /** Ends the node, after the command that it is carrying out; its server goes on as it is. Idempotent. */
    @Override
    public void close() {
        thread.getQueue().clear();
        thread.shutdown();
        try {
            if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
                logger.log(Level.WARNING, () -> self + " is still busy");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.close();
    }

    /** {@return the id and the shard} */
    @Override
    public String toString() {
        return self + " (node of " + shard + " beside a server)";
    }
}
