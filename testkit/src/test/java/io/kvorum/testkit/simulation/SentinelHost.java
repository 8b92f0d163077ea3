package io.kvorum.testkit.simulation;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A sentinel and what outlives its crashes: its state store.
 *
 * <p>Confined to one thread.
 */
final class SentinelHost {
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults()
            .withTickPeriod(Duration.ofMillis(50))
            .withPingPeriod(Duration.ofMillis(250))
            .withAskPeriod(Duration.ofMillis(250))
            .withElectionJitter(Duration.ofMillis(200))
            .withElectionTimeout(Duration.ofMillis(500))
            .withResendPeriod(Duration.ofMillis(150));

    private static final Pattern TIME_AND_SENTINEL = Pattern.compile("at=-?[0-9]+, sentinel=[^,]+, ");

    private final Cluster cluster;
    private final SimulatedProcess process;
    private final Store store;
    private long lives;
    private @Nullable SentinelDriver driver;

    SentinelHost(Cluster cluster, SimulatedProcess process) {
        this.cluster = cluster;
        this.process = process;
        this.store = new Store(SentinelState.initial(process.id(), cluster.topology()));
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
        if (lives > 0 && cluster.mutant() == Mutant.VOTES_FORGOTTEN) {
            store.saved = SentinelState.initial(process.id(), cluster.topology());
        }
        long stream = Stream.FIRST_SENTINEL + process.index() * 1000L + lives++;
        Sentinel machine = new Sentinel(
                SETTINGS,
                process.id(),
                cluster.sentinelIds(),
                cluster.topology(),
                store.load(),
                Randomness.stream(cluster.plan().seed(), stream),
                process.nanoTime());
        process.start();
        cluster.network().restarted(process);
        SentinelDriver started =
                new SentinelDriver(machine, this::send, gateway(), store, process::nanoTime, process, this::happened);
        driver = started;
        process.execute(started);
        process.every(SETTINGS.tickPeriod().toNanos(), started);
    }

    void crash() {
        SentinelDriver ended = driver;
        if (ended != null) {
            driver = null;
            process.crash();
            ended.close();
        }
    }

    /** An operator asks for a failover here. */
    void failOver(ShardId shard) {
        if (driver != null) {
            driver.failOver(shard)
                    .thenAccept(primary -> cluster.trace().line(process, () -> "failed over to " + primary));
        }
    }

    private NodeGateway gateway() {
        return switch (cluster.mutant()) {
            case FENCE_IGNORED, PRIORITY_DECIDES -> new FaultyGateway(this::send, cluster.mutant(), cluster::now);
            default -> this::send;
        };
    }

    private void send(NodeId to, SentinelMessage message) {
        if (driver == null) {
            return;
        }
        if (message instanceof SentinelMessage.VoteAnswer vote) {
            if (vote.refusal() == null) {
                ShardId shard = vote.configuration().shard();
                cluster.auditor().voted(process.id(), shard, vote.epoch(), to);
                requireSaved(shard, vote.epoch(), to);
            } else {
                cluster.coverage().count(Sometimes.VOTE_REFUSED);
            }
        } else if (message instanceof SentinelMessage.PreVoteAnswer answer && answer.refusal() != null) {
            cluster.coverage().count(Sometimes.PRE_VOTE_REFUSED);
        }
        SentinelHost receiver = cluster.sentinel(to);
        String label = message.getClass().getSimpleName();
        cluster.network()
                .send(
                        process,
                        receiver.process,
                        label,
                        message,
                        SimulatedNetwork.Handling.immutable(),
                        (from, received) -> {
                            if (receiver.driver != null) {
                                receiver.driver.receive(from.id(), received);
                            }
                        });
    }

    private void requireSaved(ShardId shard, long epoch, NodeId candidate) {
        boolean saved = store.saved.shards().stream()
                .filter(memory -> memory.configuration().shard().equals(shard))
                .anyMatch(memory -> memory.votedEpoch() > epoch
                        || (memory.votedEpoch() == epoch && candidate.equals(memory.votedFor())));
        if (!saved) {
            cluster.fail(
                    new Violation("votes are saved first", process.id() + " votes in " + shard + " epoch " + epoch));
        }
    }

    private void send(NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        if (driver == null) {
            return;
        }
        DataNode node = cluster.node(to);
        String label = command.getClass().getSimpleName();
        cluster.network()
                .send(
                        process,
                        node.process(),
                        label,
                        command,
                        SimulatedNetwork.Handling.immutable(),
                        (from, received) -> cluster.gateway().send(to, received, given -> reply(node, given, answer)));
    }

    private void reply(DataNode node, NodeAnswer given, Consumer<NodeAnswer> answer) {
        if (node.driver() == null) {
            return;
        }
        if (given.outcome() == NodeAnswer.Outcome.STALE_EPOCH) {
            cluster.coverage().count(Sometimes.STALE_EPOCH_REFUSED);
        }
        cluster.network()
                .send(
                        node.process(),
                        process,
                        "answer",
                        given,
                        SimulatedNetwork.Handling.immutable(),
                        (from, received) -> answer.accept(received));
    }

    private void happened(SentinelEvent event) {
        cluster.trace()
                .line(process, () -> TIME_AND_SENTINEL.matcher(event.toString()).replaceFirst(""));
        Coverage coverage = cluster.coverage();
        if (event instanceof SentinelEvent.VoteGiven vote) {
            cluster.auditor().voted(process.id(), vote.shard(), vote.epoch(), vote.candidate());
            cluster.faults().placedCrash(process, cluster.plan().crashAfterVote(), Sometimes.CRASH_AFTER_VOTE);
        } else if (event instanceof SentinelEvent.LeaderElected elected) {
            coverage.count(Sometimes.ELECTION);
            cluster.auditor().elected(process.id(), elected.shard(), elected.epoch());
            cluster.faults().placedCrash(process, cluster.plan().crashAfterElection(), Sometimes.CRASH_AFTER_ELECTION);
        } else if (event instanceof SentinelEvent.NodePromoted) {
            coverage.count(Sometimes.FAILOVER);
            cluster.faults()
                    .placedCrash(process, cluster.plan().crashAfterPromotion(), Sometimes.CRASH_AFTER_PROMOTION);
        } else if (event instanceof SentinelEvent.PrimaryPaused) {
            coverage.count(Sometimes.SWITCHOVER);
        } else if (event instanceof SentinelEvent.FailoverAborted) {
            coverage.count(Sometimes.FAILOVER_ABORTED);
        } else if (event instanceof SentinelEvent.StateNotSaved) {
            coverage.count(Sometimes.SENTINEL_STATE_NOT_SAVED);
        }
    }

    private static final class Store implements SentinelStateStore {
        private SentinelState saved;
        private int failures;

        Store(SentinelState saved) {
            this.saved = saved;
        }

        @Override
        public SentinelState load() {
            return saved;
        }

        @Override
        public void save(SentinelState state) throws IOException {
            if (failures > 0) {
                throw new IOException("the disk is full");
            }
            saved = state;
        }
    }
}
