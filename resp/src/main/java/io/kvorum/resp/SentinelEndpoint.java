package io.kvorum.resp;

import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.testkit.LocalSentinel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The port of a sentinel, which tells what that sentinel knows, and its events as they happen.
 *
 * <p>Safe for use by any number of threads.
 */
final class SentinelEndpoint extends Endpoint {
    private static final CommandTable TABLE = new CommandTable();

    static {
        SentinelCommands.addTo(TABLE);
    }

    private final LocalSentinel sentinel;
    private final SentinelNews news = new SentinelNews(this);
    private final ReentrantLock settingsLock = new ReentrantLock();

    /** Since when this sentinel holds a node down, and a primary with the others, by System.nanoTime. */
    private final Map<NodeId, Long> subjectivelyDown = new ConcurrentHashMap<>();

    private final Map<NodeId, Long> objectivelyDown = new ConcurrentHashMap<>();
    private final Map<Object, NodeId> failingOver = new ConcurrentHashMap<>();

    SentinelEndpoint(RespCluster cluster, LocalSentinel sentinel, int port, Settings settings) {
        super(cluster, sentinel.id(), port, settings);
        this.sentinel = sentinel;
    }

    @Override
    @Nullable
    Object running() {
        return sentinel.isRunning() ? sentinel : null; // the same with other settings
    }

    LocalSentinel sentinel() {
        return sentinel;
    }

    SentinelDriver driver() {
        return sentinel.driver();
    }

    ClusterTopology topology() {
        return driver().topology();
    }

    @Override
    CommandTable table() {
        return TABLE;
    }

    @Override
    boolean needsPassword() {
        return false;
    }

    @Override
    void begun(Object life) {}

    @Override
    void crash() {
        sentinel.crash();
    }

    @Override
    void run(Connection connection, Command command, byte[][] args) {
        if (command.traits().control() && !cluster().hasControl()) {
            throw new CommandException("ERR unknown command '" + Text.latin(args[0]) + "', with args beginning with: ");
        }
        command.handler().handle(new Call(command, args, connection, null));
    }

    /** Takes an event of this sentinel. */
    void happened(SentinelEvent event) {
        SentinelFact fact = event.fact();
        if (fact instanceof SentinelFact.SubjectivelyDown down) {
            subjectivelyDown.put(down.node(), System.nanoTime());
        } else if (fact instanceof SentinelFact.SubjectivelyUp up) {
            subjectivelyDown.remove(up.node());
        } else if (fact instanceof SentinelFact.ObjectivelyDown down) {
            objectivelyDown.put(down.node(), System.nanoTime());
        } else if (fact instanceof SentinelFact.ObjectivelyUp up) {
            objectivelyDown.remove(up.node());
        } else if (fact instanceof SentinelFact.PrimaryChanged changed) {
            objectivelyDown.remove(changed.before());
            failingOver.remove(changed.shard());
        } else if (fact instanceof SentinelFact.Candidacy candidacy) {
            failingOver.put(candidacy.shard(), id());
        } else if (fact instanceof SentinelFact.FailoverAborted aborted) {
            failingOver.remove(aborted.shard());
        }
        news.tell(fact);
    }

    /** Runs what reads the settings and puts others in their place, one after the other. */
    void changeSettings(Runnable change) {
        settingsLock.lock();
        try {
            change.run();
        } finally {
            settingsLock.unlock();
        }
    }

    /** Tells that a client has had the state of a group forgotten, of which there is none. */
    void reset(Shard shard) {
        news.tellReset(shard);
    }

    /** Tells of a setting that a client has changed. */
    void changed(Shard shard, String option, String value) {
        news.tellSetting(shard, option, value);
    }

    boolean isFailingOver(Shard shard) {
        return failingOver.containsKey(shard.id());
    }

    /** {@return for how many milliseconds this sentinel has held a node down; -1 if it does not} */
    long downMillis(NodeId node) {
        boolean down = shards().stream()
                .filter(shard -> shard.nodes().contains(node))
                .anyMatch(shard -> driver().down(shard.id()).contains(node));
        return down ? Math.max(millis(subjectivelyDown.get(node)), 0) : -1;
    }

    /** {@return whether this sentinel holds a node down, and has told so: an event of it is not still to come} */
    boolean hasToldDown(NodeId node) {
        return subjectivelyDown.containsKey(node) && downMillis(node) >= 0;
    }

    /** {@return for how many milliseconds a quorum has held a primary down; -1 if it does not} */
    long agreedDownMillis(NodeId node) {
        return millis(objectivelyDown.get(node));
    }

    private static long millis(@Nullable Long since) {
        return since == null ? -1 : (System.nanoTime() - since) / 1_000_000;
    }

    /** {@return the shards that this sentinel watches} */
    List<Shard> shards() {
        return topology().shards();
    }

    /** {@return the shard whose group of master and slaves has a name, or null} */
    @Nullable
    Shard shard(String group) {
        return shards().stream()
                .filter(shard -> cluster().group(shard.id()).equals(group))
                .findFirst()
                .orElse(null);
    }
}
