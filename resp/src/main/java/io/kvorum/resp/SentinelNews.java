package io.kvorum.resp;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.SentinelFact;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Publishes what a sentinel notices, decides and does on the channels and in the words of Redis Sentinel. What there is
 * no word for, such as a promise of a node, is not told.
 *
 * <p>The order is that of Redis, but for the slaves: they are pointed to a new master after it was announced, not
 * before.
 *
 * <p>Confined to the thread that delivers the events, but for {@link #tellSetting} and {@link #tellReset}.
 */
final class SentinelNews {
    private final SentinelEndpoint sentinel;
    private final Map<ShardId, NodeId> promoted = new HashMap<>(); // by this sentinel, and not announced yet
    private final Map<ShardId, NodeId> primaries = new HashMap<>();
    private final Set<NodeId> repointing = new HashSet<>(); // as part of a failover of this sentinel
    private long epoch; // the highest that was told

    SentinelNews(SentinelEndpoint sentinel) {
        this.sentinel = sentinel;
    }

    void tell(SentinelFact fact) {
        if (fact instanceof SentinelFact.ShardFact about) {
            Shard shard = sentinel.cluster().topology().shard(about.shard());
            if (shard != null) {
                primaries.putIfAbsent(shard.id(), shard.primary());
                tell(about, shard);
            }
        }
    }

    private void tell(SentinelFact.ShardFact fact, Shard shard) {
        if (fact instanceof SentinelFact.SubjectivelyDown down) {
            publish("+sdown", instance(shard, down.node(), down.primary()));
        } else if (fact instanceof SentinelFact.SubjectivelyUp up) {
            publish("-sdown", instance(shard, up.node(), up.primary()));
        } else if (fact instanceof SentinelFact.ObjectivelyDown down) {
            int quorum = sentinel.sentinel().settings().quorum();
            publish("+odown", master(shard, down.node()) + " #quorum " + down.agreeing() + "/" + quorum);
        } else if (fact instanceof SentinelFact.ObjectivelyUp up) {
            publish("-odown", master(shard, up.node()));
        } else if (fact instanceof SentinelFact.EpochTaken taken) {
            tellEpoch(Epoch.roundOf(taken.epoch()));
        } else if (fact instanceof SentinelFact.Candidacy) {
            long next = Epoch.roundOf(fact.epoch()) + 1;
            tellEpoch(next);
            publish("+try-failover", master(shard, primary(shard)));
            publish("+vote-for-leader", Text.idOf(sentinel.id().value()) + " " + next);
        } else if (fact instanceof SentinelFact.VoteGiven vote) {
            long next = Epoch.roundOf(fact.epoch()) + 1;
            tellEpoch(next);
            publish("+vote-for-leader", Text.idOf(vote.candidate().value()) + " " + next);
        } else if (fact instanceof SentinelFact.LeaderElected) {
            publish("+elected-leader", master(shard, primary(shard)));
            publish("+failover-state-select-slave", master(shard, primary(shard)));
        } else if (fact instanceof SentinelFact.NodeSelected selected) {
            String slave = slave(shard, selected.node());
            publish("+selected-slave", slave);
            publish("+failover-state-send-slaveof-noone", slave);
            publish("+failover-state-wait-promotion", slave);
        } else if (fact instanceof SentinelFact.NodePromoted done) {
            promoted.put(shard.id(), done.node());
            publish("+promoted-slave", slave(shard, done.node()));
            publish("+failover-state-reconf-slaves", master(shard, primary(shard)));
        } else if (fact instanceof SentinelFact.PrimaryChanged changed) {
            switched(shard, changed);
        } else {
            tellOfFollowers(fact, shard);
        }
    }

    /**
     * An epoch is told when a failover begins: as a rule it is the next one, and the one that is taken is told if not.
     */
    private void tellEpoch(long next) {
        if (next > epoch) {
            epoch = next;
            publish("+new-epoch", String.valueOf(next));
        }
    }

    private void switched(Shard shard, SentinelFact.PrimaryChanged changed) {
        boolean own = changed.primary().equals(promoted.remove(shard.id()));
        if (changed.before().equals(changed.primary())) {
            return; // a switchover that ended where it began
        }
        if (own) {
            repointing.addAll(shard.nodes());
            repointing.removeIf(node -> node.equals(changed.primary()) || sentinel.downMillis(node) >= 0);
            publish("+failover-end", master(shard, changed.before()));
        } else {
            publish("+config-update-from", sentinelOf(shard, changed));
        }
        RespCluster cluster = sentinel.cluster();
        publish(
                "+switch-master",
                cluster.group(shard.id()) + " " + cluster.host() + " " + cluster.port(changed.before()) + " "
                        + cluster.host() + " " + cluster.port(changed.primary()));
        primaries.put(shard.id(), changed.primary());
        List<NodeId> slaves = new ArrayList<>(shard.nodes());
        slaves.remove(changed.primary());
        slaves.forEach(node -> publish("+slave", slave(shard, node)));
        slaves.removeIf(node -> !sentinel.hasToldDown(node));
        slaves.forEach(node -> publish("+sdown", slave(shard, node)));
    }

    /** Who brought the change about is the candidate in its epoch. */
    private String sentinelOf(Shard shard, SentinelFact.PrimaryChanged changed) {
        RespCluster cluster = sentinel.cluster();
        int candidate = Epoch.candidateOf(changed.epoch());
        String name = candidate < cluster.sentinels().size()
                ? cluster.cluster().sentinels().get(candidate).id().value()
                : sentinel.id().value();
        Endpoint endpoint = cluster.endpoint(new NodeId(name));
        return "sentinel " + Text.idOf(name) + " " + cluster.host() + " " + endpoint.port() + " @ "
                + cluster.group(shard.id()) + " " + cluster.host() + " " + cluster.port(changed.before());
    }

    private void tellOfFollowers(SentinelFact.ShardFact fact, Shard shard) {
        if (fact instanceof SentinelFact.FollowSent sent) {
            publish(
                    repointing.contains(sent.node()) ? "+slave-reconf-sent" : "+convert-to-slave",
                    slave(shard, sent.node()));
        } else if (fact instanceof SentinelFact.NodeRepointed done && repointing.remove(done.node())) {
            publish("+slave-reconf-inprog", slave(shard, done.node()));
            publish("+slave-reconf-done", slave(shard, done.node()));
        } else if (fact instanceof SentinelFact.FailoverAborted aborted) {
            promoted.remove(shard.id());
            String channel = channelOf(aborted.reason());
            publish(channel, master(shard, primary(shard)));
        }
    }

    private static String channelOf(AbortReason reason) {
        return switch (reason) {
            case NO_MAJORITY, TOO_FEW_PROMISES, NO_ELIGIBLE_NODE -> "-failover-abort-no-good-slave";
            case PROMOTION_REFUSED, PROMOTION_TIMEOUT -> "-failover-abort-slave-timeout";
            default -> "-failover-abort-not-elected";
        };
    }

    private NodeId primary(Shard shard) {
        return primaries.getOrDefault(shard.id(), shard.primary());
    }

    private String instance(Shard shard, NodeId node, boolean primary) {
        return primary ? master(shard, node) : slave(shard, node);
    }

    private String master(Shard shard, NodeId node) {
        RespCluster cluster = sentinel.cluster();
        return "master " + cluster.group(shard.id()) + " " + cluster.host() + " " + cluster.port(node);
    }

    private String slave(Shard shard, NodeId node) {
        RespCluster cluster = sentinel.cluster();
        String address = cluster.host() + " " + cluster.port(node);
        return "slave " + cluster.endpoint(node).address() + " " + address + " @ " + cluster.group(shard.id()) + " "
                + cluster.host() + " " + cluster.port(primary(shard));
    }

    /** Tells that a client has had the state of a group forgotten; on any thread. */
    void tellReset(Shard shard) {
        publish("+reset-master", master(shard, shard.primary()));
    }

    /** Tells of a setting that a client has changed; on any thread. */
    void tellSetting(Shard shard, String option, String value) {
        publish("+set", master(shard, shard.primary()) + " " + option + " " + value);
    }

    private void publish(String channel, String message) {
        sentinel.pubSub().publish(channel, Text.bytes(message));
    }
}
