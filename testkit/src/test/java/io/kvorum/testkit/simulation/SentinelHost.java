package io.kvorum.testkit.simulation;

import io.kvorum.failover.DeadlineDetector;
import io.kvorum.failover.FailureDetector;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.Operation;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelCodec;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A sentinel and what outlives its crashes: its state store.
 *
 * <p>Confined to one thread.
 */
final class SentinelHost {
    /** Within what time of a node's end a sentinel holds it down, on a network without delay and with steps in time. */
    static final long DETECTION = 1_500 * Plan.MILLISECOND;

    private static final SentinelSettings TIMING = SentinelSettings.defaults()
            .withOperationTimeout(Duration.ofSeconds(10))
            .withReplaceTimeout(Duration.ofSeconds(24))
            .withElectionTimeout(Duration.ofMillis(500))
            .withPingPeriod(Duration.ofMillis(250))
            .withAskPeriod(Duration.ofMillis(250))
            .withElectionStep(Duration.ofMillis(60))
            .withResendPeriod(Duration.ofMillis(150));

    private static final SentinelCodec CODEC = new SentinelCodec(1 << 20);
    private static final int KEPT_STATES = 64;

    private final Cluster cluster;
    private final SentinelSettings settings;
    private final SimulatedProcess process;
    private final Store store;
    private long lives;
    private @Nullable SentinelDriver driver;

    SentinelHost(Cluster cluster, SimulatedProcess process) {
        this.cluster = cluster;
        this.process = process;
        long bits = Randomness.hash(cluster.plan().seed(), Stream.SETTINGS, 0);
        boolean odd = cluster.plan().profile() != Profile.CLASSIC && Randomness.below(bits, 4) == 0;
        SentinelSettings drawn = TIMING.withQuorum(cluster.plan().shape().quorum());
        long attempt = 1 + Randomness.below(bits >>> 8, 10);
        if (cluster.mutant() == Mutant.SILENCE_BORNE_TWICE) {
            drawn = drawn.withDetector((limit, now) -> new DeadlineDetector(limit.multipliedBy(2), now));
        } else if (cluster.mutant() == Mutant.OWN_LATENESS_COUNTS) {
            drawn = drawn.withDetector((limit, now) -> new Unforgiving(new DeadlineDetector(limit, now)));
        }
        this.settings = odd
                ? drawn.withOperationTimeout(Duration.ofSeconds(Math.max(10, 2 * attempt + 2)))
                        .withAttemptTimeout(Duration.ofSeconds(attempt))
                : drawn;
        this.store = new Store();
    }

    SimulatedProcess process() {
        return process;
    }

    /** {@return the driver of this life, or null if the sentinel is down} */
    @Nullable
    SentinelDriver driver() {
        return driver;
    }

    /** Has saving fail or work again. */
    void changeDisk(int failures) {
        store.failures += failures;
    }

    void start() {
        long stream = Stream.FIRST_SENTINEL + process.index() * 1000L + lives++;
        process.start();
        Sentinel machine = new Sentinel(
                settings,
                process.id(),
                numbers(),
                cluster.topology(),
                store.load(),
                Randomness.stream(cluster.plan().seed(), stream),
                process.nanoTime());
        cluster.network().restarted(process);
        SentinelDriver started = new SentinelDriver(machine, this::send, gateway(), store, process);
        started.addListener(event -> happened(started, event));
        driver = started;
        started.start();
    }

    private SentinelList numbers() {
        List<NodeId> ids = cluster.sentinelIds();
        if (cluster.mutant() != Mutant.ONE_NUMBER) {
            return SentinelList.of(ids);
        }
        return SentinelList.numbered(ids.stream()
                .collect(Collectors.toMap(id -> id, id -> id.equals(process.id()) ? 1 : 2 + ids.indexOf(id))));
    }

    void crash(Memory memory) {
        SentinelDriver ended = driver;
        if (ended != null) {
            driver = null;
            process.crash();
            ended.close();
            store.forget(memory);
        }
    }

    boolean hasDiskFull() {
        return store.failures > 0;
    }

    /** {@return the time within which what an operator asks for ends here} */
    private long limit(Operation operation) {
        Duration limit =
                operation instanceof Operation.Replace ? settings.replaceTimeout() : settings.operationTimeout();
        return limit.toNanos() + 2 * Plan.SECOND;
    }

    /** {@return whether the driver still takes inputs} */
    boolean isRunning() {
        return driver != null && driver.isRunning();
    }

    /** An operator asks for something here. */
    void perform(Operation operation) {
        if (driver != null) {
            Liveness.Operation begun = cluster.liveness().began(this, operation.toString(), limit(operation));
            driver.perform(operation).whenComplete((primary, failure) -> {
                begun.end();
                NodeId leader = primary == null ? null : primary.primary();
                cluster.auditor().performed(process.id(), operation, leader);
                cluster.trace().line(process, () -> operation + ": " + primary + " " + failure);
            });
        }
    }

    /** {@return the topology that the sentinel knows; it must be up} */
    ClusterTopology topology() {
        return Objects.requireNonNull(driver).topology();
    }

    /** An operator tells of another topology. */
    void tell(ClusterTopology topology) {
        if (driver != null) {
            driver.merge(topology);
        }
    }

    private NodeGateway gateway() {
        return FaultyGateway.isNeededFor(cluster.mutant())
                ? new FaultyGateway(this::send, cluster.mutant())
                : this::send;
    }

    private void send(NodeId to, SentinelMessage message) {
        if (driver == null) {
            return;
        }
        if (message instanceof SentinelMessage.VoteAnswer vote && vote.refusal() != null) {
            cluster.coverage().count(Sometimes.VOTE_REFUSED);
        } else if (message instanceof SentinelMessage.PreVoteAnswer answer && answer.refusal() != null) {
            cluster.coverage().count(Sometimes.PRE_VOTE_REFUSED);
        }
        process.failing().reach(Failing.Site.TRANSPORT);
        SentinelHost receiver = cluster.sentinel(to);
        cluster.network()
                .send(
                        process,
                        receiver.process,
                        kind(message),
                        0,
                        CODEC.decodeMessage(ByteBuffer.wrap(CODEC.encode(message))),
                        SimulatedNetwork.Handling.immutable(),
                        (from, received) -> {
                            if (receiver.driver != null) {
                                receiver.driver.receive(from.id(), received);
                            }
                        });
    }

    private static MessageKind kind(SentinelMessage message) {
        if (message instanceof SentinelMessage.Opinions) {
            return MessageKind.OPINIONS;
        } else if (message instanceof SentinelMessage.PreVoteRequest) {
            return MessageKind.PRE_VOTE;
        } else if (message instanceof SentinelMessage.PreVoteAnswer) {
            return MessageKind.PRE_VOTE_ANSWER;
        }
        return message instanceof SentinelMessage.VoteRequest ? MessageKind.VOTE : MessageKind.VOTE_ANSWER;
    }

    private static MessageKind kind(NodeCommand command) {
        if (command instanceof NodeCommand.Describe) {
            return MessageKind.DESCRIBE;
        } else if (command instanceof NodeCommand.Fence) {
            return MessageKind.FENCE;
        } else if (command instanceof NodeCommand.Promote) {
            return MessageKind.PROMOTE;
        } else if (command instanceof NodeCommand.Follow) {
            return MessageKind.FOLLOW;
        }
        if (command instanceof NodeCommand.Begin) {
            return MessageKind.BEGIN;
        } else if (command instanceof NodeCommand.Replace) {
            return MessageKind.REPLACE;
        }
        return command instanceof NodeCommand.Pause ? MessageKind.PAUSE : MessageKind.RESUME;
    }

    private static MessageKind answerTo(NodeCommand command) {
        return switch (kind(command)) {
            case DESCRIBE -> MessageKind.DESCRIBED;
            case FENCE -> MessageKind.FENCED;
            case PROMOTE -> MessageKind.PROMOTED;
            case FOLLOW -> MessageKind.FOLLOWED;
            case PAUSE -> MessageKind.PAUSED;
            case BEGIN -> MessageKind.BEGUN;
            case REPLACE -> MessageKind.REPLACED;
            default -> MessageKind.RESUMED;
        };
    }

    private void send(NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        if (driver == null) {
            return;
        }
        if (command instanceof NodeCommand.Promote promote) {
            cluster.auditor().promoteSent(process.id(), to, promote);
        } else if (command instanceof NodeCommand.Fence fence) {
            cluster.auditor().fenceSent(process.id(), fence.shard(), fence.epoch());
        } else if (command instanceof NodeCommand.Begin begin) {
            cluster.auditor().beginSent(begin.shard(), begin.epoch());
        } else if (command instanceof NodeCommand.Follow follow) {
            cluster.auditor().epochOrdered(follow.shard(), follow.epoch());
            if (cluster.mutant() == Mutant.FOLLOW_LEFT_OUT) {
                return;
            }
        }
        process.failing().reach(Failing.Site.GATEWAY);
        DataNode node = cluster.node(to);
        cluster.network()
                .send(
                        process,
                        node.process(),
                        kind(command),
                        0,
                        CODEC.decodeCommand(ByteBuffer.wrap(CODEC.encode(command))),
                        SimulatedNetwork.Handling.immutable(),
                        (from, received) -> node.execute(received, given -> reply(node, given, answer)));
    }

    private void reply(DataNode node, NodeAnswer given, Consumer<NodeAnswer> answer) {
        if (node.driver() == null) {
            return;
        }
        if (given.outcome() == NodeAnswer.Outcome.STALE_EPOCH) {
            cluster.coverage().count(Sometimes.STALE_EPOCH_REFUSED);
        }
        if (given.outcome() == NodeAnswer.Outcome.DONE) {
            cluster.auditor().promiseShown(node, given.report().epoch(), node.savedPromise());
        }
        if (given.report().complete()) {
            cluster.auditor().saysComplete(node);
        }
        cluster.network()
                .send(
                        node.process(),
                        process,
                        answerTo(given.command()),
                        0,
                        CODEC.decodeAnswer(ByteBuffer.wrap(CODEC.encode(given))),
                        SimulatedNetwork.Handling.immutable(),
                        (from, received) -> {
                            if (received.command() instanceof NodeCommand.Pause) {
                                cluster.auditor()
                                        .switchoverPaused(
                                                process.id(), received.command().shard());
                            }
                            answer.accept(received);
                        });
    }

    private void happened(SentinelDriver source, SentinelEvent event) {
        if (driver != source) {
            return;
        }
        SentinelFact fact = event.fact();
        cluster.trace().line(process, fact::toString);
        cluster.trace().happened(event);
        Coverage coverage = cluster.coverage();
        if (fact instanceof SentinelFact.SubjectivelyDown down) {
            boolean silent = down.reason() == SentinelFact.DownReason.SILENT;
            cluster.liveness().heldDown(this, cluster.node(down.node()), silent);
        } else if (fact instanceof SentinelFact.VoteGiven) {
            cluster.faults().placedCrash(process, cluster.plan().crashAfterVote(), Sometimes.CRASH_AFTER_VOTE);
        } else if (fact instanceof SentinelFact.LeaderElected) {
            coverage.count(Sometimes.ELECTION);
            cluster.faults().placedCrash(process, cluster.plan().crashAfterElection(), Sometimes.CRASH_AFTER_ELECTION);
        } else if (fact instanceof SentinelFact.NodePromoted) {
            coverage.count(Sometimes.FAILOVER);
            cluster.faults()
                    .placedCrash(process, cluster.plan().crashAfterPromotion(), Sometimes.CRASH_AFTER_PROMOTION);
        } else if (fact instanceof SentinelFact.PrimaryPaused paused) {
            cluster.outages().begins(cluster.node(paused.node()).process().index(), Outages.Cause.SWITCHOVER);
            coverage.count(Sometimes.SWITCHOVER);
        } else if (fact instanceof SentinelFact.FailoverAborted) {
            coverage.count(Sometimes.FAILOVER_ABORTED);
        } else if (fact instanceof SentinelFact.StateNotSaved) {
            coverage.count(Sometimes.SENTINEL_STATE_NOT_SAVED);
        }
        process.failing().reach(Failing.Site.LISTENER);
    }

    /** A detector that does not want to know whether the observer was late. */
    private record Unforgiving(FailureDetector detector) implements FailureDetector {
        @Override
        public void heard(long now) {
            detector.heard(now);
        }

        @Override
        public void observerWasLate(long nanos) {}

        @Override
        public long downAt() {
            return detector.downAt();
        }
    }

    private final class Store implements SentinelStateStore {
        private final Deque<SentinelState> states = new ArrayDeque<>();
        private @Nullable SentinelState saved;
        private int failures;

        void forget(Memory memory) {
            if (memory == Memory.OLD) {
                saved = states.peekFirst();
            } else if (memory != Memory.KEPT) {
                saved = null;
            }
        }

        @Override
        public @Nullable SentinelState load() {
            return saved;
        }

        @Override
        public void save(SentinelState state) throws IOException {
            if (failures > 0) {
                throw new IOException("the disk is full");
            }
            process.failing().reach(Failing.Site.SAVE_BEFORE);
            saved = state;
            states.addLast(state);
            if (states.size() > KEPT_STATES) {
                states.removeFirst();
            }
            cluster.faults().moment(MessageKind.SAVED, process, process);
            process.failing().reach(Failing.Site.SAVE_AFTER);
        }
    }
}
