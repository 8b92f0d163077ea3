package io.kvorum.redis.worlds;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.AbortReason;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicaStatus;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Kvorum in virtual time, asked by its Java interfaces; its events go by the names that {@link SentinelFact} gives. */
final class VirtualWorld implements LocalWorld {
    private static final long SEED = 7;
    private static final Duration DOWN_AFTER = Duration.ofSeconds(1);

    private final LocalParties parties;
    private final Acknowledgement level;
    private final int quorum;
    private final boolean inCluster;
    private final List<Told> told = new ArrayList<>();
    private final Set<NodeId> promoting = new HashSet<>(); // sentinels that have promoted, and not announced it yet
    private final Set<String> paused = new HashSet<>();

    VirtualWorld(Setup setup) {
        parties = new LocalParties(setup, DOWN_AFTER, LocalCluster.builder().virtualTime(SEED));
        level = LocalParties.level(setup);
        quorum = setup.quorum();
        inCluster = setup.inCluster();
        parties.cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfSentinel happened) {
                tell(happened.event());
            }
        });
    }

    // ---- events

    private void tell(SentinelEvent event) {
        for (String name : names(event.sentinel(), event.fact())) {
            told.add(new Told(parties.name(event.sentinel()), name, ""));
        }
    }

    private List<String> names(NodeId sentinel, SentinelFact fact) {
        if (fact instanceof SentinelFact.SubjectivelyDown down) {
            return List.of("+sdown " + kind(down.primary()));
        } else if (fact instanceof SentinelFact.SubjectivelyUp up) {
            return List.of("-sdown " + kind(up.primary()));
        } else if (fact instanceof SentinelFact.ObjectivelyDown) {
            return List.of("+odown");
        } else if (fact instanceof SentinelFact.ObjectivelyUp) {
            return List.of("-odown");
        } else if (fact instanceof SentinelFact.Candidacy) {
            return List.of("+try-failover");
        } else if (fact instanceof SentinelFact.LeaderElected) {
            return List.of("+elected-leader", "+failover-state-select-slave");
        } else if (fact instanceof SentinelFact.NodeSelected) {
            return List.of("+selected-slave", "+failover-state-send-slaveof-noone", "+failover-state-wait-promotion");
        } else if (fact instanceof SentinelFact.NodePromoted) {
            promoting.add(sentinel);
            return List.of("+promoted-slave", "+failover-state-reconf-slaves");
        } else if (fact instanceof SentinelFact.PrimaryChanged changed) {
            boolean own = promoting.remove(sentinel);
            return changed.before().equals(changed.primary())
                    ? List.of()
                    : List.of(own ? "+failover-end" : "+config-update-from", "+switch-master");
        } else if (fact instanceof SentinelFact.FollowSent) {
            return List.of("+slave-reconf-sent");
        } else if (fact instanceof SentinelFact.NodeRepointed) {
            return List.of("+slave-reconf-done");
        } else if (fact instanceof SentinelFact.FailoverAborted aborted) {
            promoting.remove(sentinel);
            return List.of("-failover-abort-" + cause(aborted.reason()));
        }
        return List.of();
    }

    private static String cause(AbortReason reason) {
        return switch (reason) {
            case NO_MAJORITY, TOO_FEW_PROMISES, NO_ELIGIBLE_NODE -> "no-good-slave";
            case PROMOTION_REFUSED, PROMOTION_TIMEOUT -> "slave-timeout";
            default -> "not-elected";
        };
    }

    private static String kind(boolean primary) {
        return primary ? "master" : "slave";
    }

    // ---- questions

    @Override
    public List<String> ask(String party, List<String> commands) {
        if (paused.contains(party)) {
            return List.of(NO_ANSWER);
        }
        List<String> answers = new ArrayList<>();
        for (String command : commands) {
            String plain = command.replace("anonymous ", "");
            answers.add(LocalParties.isNode(party) ? toNode(party, plain) : toSentinel(party, plain));
        }
        return answers;
    }

    private String toNode(String party, String command) {
        LocalNode node = parties.node(party);
        if (!node.isRunning()) {
            return NO_CONNECTION;
        }
        NodeStatus status = node.status();
        String[] words = command.split(" ", -1);
        return switch (words[0]) {
            case "role" ->
                status.role() == NodeRole.PRIMARY
                        ? "master"
                        : "slave of "
                                + (status.primary() == null
                                        ? "nobody"
                                        : parties.names(List.of(status.primary()))
                                                .get(0));
            case "link" -> status.primary() != null && status.complete() ? "up" : "down";
            case "slaves" ->
                String.valueOf(status.replicas().stream()
                        .filter(ReplicaStatus::connected)
                        .count());
            case "dbsize" -> String.valueOf(node.size());
            case "wait" -> awaitReplicas(node, Integer.parseInt(words[1]), Duration.ofMillis(Long.parseLong(words[2])));
            case "shutdown" -> {
                node.crash();
                yield CLOSED;
            }
            case "readonly" -> "OK"; // a call in Java names the node that is to answer
            case "primary" ->
                joined(List.of(parties.cluster.primaryOf(LocalParties.SHARD).id()));
            case "failover" -> failOver(new Operation.FailOver(node.shard(), node.id()));
            case "down" -> joined(parties.sentinel(Setup.sentinel(0)).driver().down(LocalParties.SHARD));
            case "take" -> "not moved";
            case "hand" -> "unknown command";
            case "write" -> write(node, Integer.parseInt(words[1]));
            default -> use(node, words);
        };
    }

    private String use(LocalNode node, String[] words) {
        KeyValueStore store = node.store()
                .store(level, ReadLevel.LOCAL, parties.cluster.settings().timeout());
        byte[] key = words[1].getBytes(UTF_8);
        try {
            if (words[0].equals("get")) {
                byte[] value = store.get(key);
                return value == null ? "(nil)" : new String(value, UTF_8);
            } else if (words.length == 5) {
                store.set(
                        key,
                        words[2].getBytes(UTF_8),
                        SetOptions.defaults().withDuration(Duration.ofMillis(Long.parseLong(words[4]))));
            } else {
                store.set(key, words[2].getBytes(UTF_8));
            }
            return "OK";
        } catch (RefusedException e) {
            return error(e);
        } catch (OutcomeUnknownException e) {
            return "unknown";
        }
    }

    private String write(LocalNode node, int count) {
        String answer = "OK";
        for (int i = 0; i < count && answer.equals("OK"); i++) {
            answer = use(node, new String[] {"set", Ports.fillerKey(i), Ports.FILLER});
        }
        return answer;
    }

    /** {@return what {@code kvorum-resp} answers} */
    private String error(RefusedException refused) {
        NodeId primary = refused.primary();
        if (inCluster && primary != null && (refused.kind() == Kind.MOVED || refused.kind() == Kind.READ_ONLY)) {
            return "MOVED to " + joined(List.of(primary));
        } else if (inCluster && (refused.kind() == Kind.FENCED || refused.kind() == Kind.CLUSTER_DOWN)) {
            return "CLUSTERDOWN";
        }
        return switch (refused.kind()) {
            case READ_ONLY, FENCED -> "READONLY";
            case TOO_FEW_REPLICAS -> "NOREPLICAS";
            case LAGGING -> "LOADING";
            default -> refused.kind().name();
        };
    }

    private static String awaitReplicas(LocalNode node, int wanted, Duration limit) {
        try {
            node.store()
                    .write(Acknowledgement.replicas(wanted), limit, keys -> 0)
                    .toCompletableFuture()
                    .join();
            return String.valueOf(wanted);
        } catch (CompletionException e) {
            if (e.getCause() instanceof OutcomeUnknownException unknown) {
                return String.valueOf(unknown.acknowledged());
            }
            throw e;
        }
    }

    private String toSentinel(String party, String command) {
        if (!parties.sentinel(party).isRunning()) {
            return NO_CONNECTION;
        }
        SentinelDriver driver = parties.sentinel(party).driver();
        return switch (command) {
            case "primary" -> joined(List.of(driver.primaryOf(LocalParties.SHARD)));
            case "group" -> group(driver);
            case "slaves" -> joined(driver.replicas(LocalParties.SHARD));
            case "sentinels" -> {
                List<NodeId> others = new ArrayList<>(driver.sentinels());
                others.remove(driver.self());
                yield joined(others);
            }
            case "followers" ->
                joined(driver.replicas(LocalParties.SHARD).stream()
                        .filter(node -> !driver.down(LocalParties.SHARD).contains(node))
                        .filter(node -> parties.cluster.node(node).status().complete())
                        .toList());
            case "down" -> joined(driver.down(LocalParties.SHARD));
            case "ckquorum" -> {
                QuorumCheck check = driver.quorumCheck();
                boolean enough = check.quorumReachable() && check.votesReachable();
                yield (enough ? "OK " : "NOQUORUM ") + check.usable() + " usable";
            }
            case "failover" -> failOver(driver, new Operation.FailOver(LocalParties.SHARD));
            case "reset" -> "1"; // nothing is remembered that could be forgotten
            default -> throw new IllegalArgumentException("no such command of a sentinel: " + command);
        };
    }

    private String joined(Collection<NodeId> ids) {
        return ids.isEmpty() ? "none" : String.join(" ", parties.names(ids));
    }

    private String group(SentinelDriver driver) {
        boolean down = driver.down(LocalParties.SHARD).contains(driver.primaryOf(LocalParties.SHARD));
        return (down ? "s_down,master" : "master") + ", slaves "
                + driver.replicas(LocalParties.SHARD).size() + ", other sentinels "
                + (driver.sentinels().size() - 1) + ", quorum " + quorum;
    }

    private String failOver(Operation operation) {
        return parties.sentinels.stream()
                .map(parties::sentinel)
                .filter(LocalSentinel::isRunning)
                .findFirst()
                .map(sentinel -> failOver(sentinel.driver(), operation))
                .orElse(NO_CONNECTION);
    }

    private String failOver(SentinelDriver driver, Operation operation) {
        CompletableFuture<ShardPrimary> outcome = driver.perform(operation).toCompletableFuture();
        parties.cluster.await(outcome::isDone, limit());
        return outcome.handle((done, failure) -> failure instanceof OperationFailedException failed
                        ? failed.reason().name()
                        : "OK")
                .join();
    }

    @Override
    public @Nullable String primaryBy(String sentinel) {
        if (paused.contains(sentinel) || !parties.sentinel(sentinel).isRunning()) {
            return null;
        }
        NodeId primary = parties.sentinel(sentinel).driver().primaryOf(LocalParties.SHARD);
        return primary == null ? null : parties.name(primary);
    }

    // ---- the rest is the cluster's

    @Override
    public LocalParties parties() {
        return parties;
    }

    @Override
    public void crash(String party) {
        paused.remove(party);
        parties.crash(party);
    }

    @Override
    public void pause(String party) {
        paused.add(party);
        parties.pause(party);
    }

    @Override
    public void resume(String party) {
        paused.remove(party);
        parties.resume(party);
    }

    @Override
    public List<Told> told() {
        return List.copyOf(told);
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration limit) {
        return parties.cluster.await(condition, limit);
    }

    @Override
    public Duration limit() {
        return Duration.ofSeconds(30);
    }

    @Override
    public void close() {
        parties.close();
    }
}
