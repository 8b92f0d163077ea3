package io.kvorum.resp;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.testkit.LocalSentinel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The commands that clients learn the cluster by. Nodes answer by the topology that they know. */
final class ClusterCommands {
    private static final String BAD_SLOT = "ERR Invalid or out of range slot";
    private static final String BAD_SLOT_OR_COUNT = "ERR Invalid slot or number of keys";
    private static final String NOT_MOVED = "ERR no slot can be moved by SETSLOT here";
    private static final int BUS_OFFSET = 10_000;
    private static final int MAX_PORT = 65_535;

    private ClusterCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "cluster",
                Command.of(
                        "asking",
                        1,
                        "fast @connection",
                        "",
                        "Lets the next command use a slot that is on its way",
                        "3.0.0",
                        ClusterCommands::asking));
        table.container(
                "cluster",
                "cluster",
                "",
                "Tells about the cluster",
                "3.0.0",
                Command.of(
                        "countkeysinslot",
                        3,
                        "stale",
                        "",
                        "Counts the keys of a slot",
                        "3.0.0",
                        ClusterCommands::clusterCountkeysinslot),
                Command.of(
                        "failover",
                        -2,
                        "admin stale no_async_loading",
                        "",
                        "Makes a replica of the shard its primary",
                        "3.0.0",
                        ClusterCommands::clusterFailover),
                Command.of(
                        "getkeysinslot",
                        4,
                        "stale ~nondeterministic_output",
                        "",
                        "Returns keys of a slot",
                        "3.0.0",
                        ClusterCommands::clusterGetkeysinslot),
                Command.of(
                        "help", 2, "loading stale", "", "Lists the subcommands", "5.0.0", ClusterCommands::clusterHelp),
                Command.of(
                        "info",
                        2,
                        "stale ~nondeterministic_output",
                        "",
                        "Tells the state of the cluster",
                        "3.0.0",
                        ClusterCommands::clusterInfo),
                Command.of(
                        "keyslot",
                        3,
                        "stale",
                        "",
                        "Returns the slot of a key",
                        "3.0.0",
                        ClusterCommands::clusterKeyslot),
                Command.of(
                        "links",
                        2,
                        "stale ~nondeterministic_output",
                        "",
                        "Lists the links to other nodes",
                        "7.0.0",
                        ClusterCommands::clusterLinks),
                Command.of("myid", 2, "stale", "", "Returns the id of the node", "3.0.0", ClusterCommands::clusterMyid),
                Command.of(
                        "nodes",
                        2,
                        "stale ~nondeterministic_output",
                        "",
                        "Lists the nodes",
                        "3.0.0",
                        ClusterCommands::clusterNodes),
                Command.of(
                        "replicas",
                        3,
                        "admin stale ~nondeterministic_output",
                        "",
                        "Lists the replicas of a primary",
                        "5.0.0",
                        ClusterCommands::clusterReplicas),
                Command.of(
                        "setslot",
                        -4,
                        "admin stale no_async_loading",
                        "",
                        "Would move a slot",
                        "3.0.0",
                        ClusterCommands::clusterSetslot),
                Command.of(
                        "shards",
                        2,
                        "stale ~nondeterministic_output",
                        "",
                        "Lists the shards",
                        "7.0.0",
                        ClusterCommands::clusterShards),
                Command.of(
                        "slaves",
                        3,
                        "admin stale ~nondeterministic_output",
                        "",
                        "Lists the replicas of a primary",
                        "3.0.0",
                        ClusterCommands::clusterSlaves),
                Command.of(
                        "slots",
                        2,
                        "stale ~nondeterministic_output",
                        "",
                        "Lists which nodes serve which slots",
                        "3.0.0",
                        ClusterCommands::clusterSlots));
        table.add(
                "cluster",
                Command.of(
                        "readonly",
                        1,
                        "loading stale fast @connection",
                        "",
                        "Lets the connection read at a replica",
                        "3.0.0",
                        ClusterCommands::readonly));
        table.add(
                "cluster",
                Command.of(
                        "readwrite",
                        1,
                        "loading stale fast @connection",
                        "",
                        "Ends reading at a replica",
                        "3.0.0",
                        ClusterCommands::readwrite));
    }

    private static RespCluster cluster(Call call) {
        if (call.node().cluster().mode() != RespMode.CLUSTER) {
            throw new CommandException("ERR This instance has cluster support disabled");
        }
        return call.node().cluster();
    }

    // ---- the connection

    private static void readonly(Call call) {
        cluster(call);
        call.session().readOnly = true;
        call.out().ok();
    }

    private static void readwrite(Call call) {
        cluster(call);
        call.session().readOnly = false;
        call.out().ok();
    }

    private static void asking(Call call) {
        cluster(call);
        call.session().asking = true;
        call.out().ok();
    }

    // ---- slots

    private static void clusterKeyslot(Call call) {
        cluster(call);
        call.out().integer(HashSlot.of(call.arg(2)));
    }

    /**
     * {@return the slot that the third word of a call is}
     *
     * @param noNumber what to say if it is not a number
     * @param noSlot what to say if the number is not that of a slot
     */
    private static int slot(Call call, String noNumber, String noSlot) {
        long slot = call.integer(2, noNumber);
        if (slot < 0 || slot >= HashSlot.COUNT) {
            throw new CommandException(noSlot);
        }
        return (int) slot;
    }

    private static boolean owns(Call call, int slot) {
        Shard owner = call.node().cluster().topology().shardOf(slot);
        return owner != null && owner.id().equals(call.node().node().shard());
    }

    private static void clusterCountkeysinslot(Call call) {
        cluster(call);
        int slot = slot(call, CommandException.NOT_INTEGER, "ERR Invalid slot");
        call.out()
                .integer(
                        owns(call, slot) ? keysOf(call, slot, Integer.MAX_VALUE).size() : 0);
    }

    private static void clusterGetkeysinslot(Call call) {
        cluster(call);
        long count = call.integer(3);
        int slot = slot(call, CommandException.NOT_INTEGER, BAD_SLOT_OR_COUNT);
        if (count < 0) {
            throw new CommandException(BAD_SLOT_OR_COUNT);
        }
        int limit = (int) Math.min(count, Integer.MAX_VALUE);
        List<byte[]> keys = owns(call, slot) && limit > 0 ? keysOf(call, slot, limit) : List.of();
        call.out().array(keys.size());
        keys.forEach(call.out()::bulk);
    }

    private static List<byte[]> keysOf(Call call, int slot, int limit) {
        NodeEndpoint node = call.node();
        return node.store()
                .store(
                        io.kvorum.replication.Acknowledgement.LOCAL,
                        io.kvorum.core.replicated.ReadLevel.LOCAL,
                        node.cluster().timeout())
                .keysInSlot(slot, limit);
    }

    private static void clusterSlots(Call call) {
        RespCluster cluster = cluster(call);
        List<Shard> shards = cluster.topology().shards();
        RespWriter out = call.out();
        record Range(SlotRange slots, Shard shard) {}
        List<Range> ranges = new ArrayList<>();
        for (Shard shard : shards) {
            shard.slots().ranges().forEach(range -> ranges.add(new Range(range, shard)));
        }
        ranges.sort(Comparator.comparingInt(range -> range.slots().first()));
        out.array(ranges.size());
        for (Range range : ranges) {
            List<NodeId> nodes = new ArrayList<>();
            nodes.add(range.shard().primary());
            range.shard().replicas().stream()
                    .filter(replica -> !cluster.isHeldDown(replica))
                    .forEach(nodes::add);
            out.array(2 + nodes.size());
            out.integer(range.slots().first());
            out.integer(range.slots().last());
            for (NodeId node : nodes) {
                out.array(4);
                out.bulk(cluster.host());
                out.integer(cluster.port(node));
                out.bulk(Text.idOf(node.value()));
                out.map(0);
            }
        }
    }

    private static void clusterShards(Call call) {
        RespCluster cluster = cluster(call);
        List<Shard> shards = cluster.topology().shards();
        RespWriter out = call.out();
        out.array(shards.size());
        for (Shard shard : shards) {
            out.map(2);
            out.bulk("slots");
            List<SlotRange> ranges = shard.slots().ranges();
            out.array(ranges.size() * 2);
            for (SlotRange range : ranges) {
                out.integer(range.first());
                out.integer(range.last());
            }
            out.bulk("nodes");
            out.array(shard.nodes().size());
            for (NodeId node : shard.nodes()) {
                describeInShard(cluster, shard, node, out);
            }
        }
    }

    private static void describeInShard(RespCluster cluster, Shard shard, NodeId node, RespWriter out) {
        out.map(7);
        out.bulk("id");
        out.bulk(Text.idOf(node.value()));
        out.bulk("port");
        out.integer(cluster.port(node));
        out.bulk("ip");
        out.bulk(cluster.host());
        out.bulk("endpoint");
        out.bulk(cluster.host());
        out.bulk("role");
        out.bulk(node.equals(shard.primary()) ? "master" : "replica");
        out.bulk("replication-offset");
        out.integer(offsetOf(cluster, node));
        out.bulk("health");
        out.bulk(cluster.isHeldDown(node) ? "fail" : isComplete(cluster, node) ? "online" : "loading");
    }

    private static boolean isComplete(RespCluster cluster, NodeId node) {
        try {
            return cluster.cluster().node(node).status().complete();
        } catch (IllegalStateException e) { // it does not run
            return false;
        }
    }

    private static long offsetOf(RespCluster cluster, NodeId node) {
        try {
            return cluster.cluster().node(node).status().position().offset();
        } catch (IllegalStateException e) { // it does not run
            return 0;
        }
    }

    // ---- nodes

    private static void clusterMyid(Call call) {
        cluster(call);
        call.out().bulk(Text.idOf(call.node().id().value()));
    }

    private static void clusterNodes(Call call) {
        RespCluster cluster = cluster(call);
        StringBuilder text = new StringBuilder();
        for (Shard shard : cluster.topology().shards()) {
            for (NodeId node : shard.nodes()) {
                text.append(line(cluster, shard, node, call.node().id())).append('\n');
            }
        }
        call.out().verbatim(text.toString());
    }

    private static String line(RespCluster cluster, Shard shard, NodeId node, NodeId self) {
        boolean primary = node.equals(shard.primary());
        boolean down = cluster.isHeldDown(node);
        int port = cluster.port(node);
        int bus = port + BUS_OFFSET > MAX_PORT ? port - BUS_OFFSET : port + BUS_OFFSET;
        String slots = primary
                ? shard.slots().ranges().stream()
                        .map(range -> " "
                                + (range.first() == range.last()
                                        ? String.valueOf(range.first())
                                        : range.first() + "-" + range.last()))
                        .collect(Collectors.joining())
                : "";
        return Text.idOf(node.value()) + " " + cluster.host() + ":" + port + "@" + bus + " "
                + (node.equals(self) ? "myself," : "") + (primary ? "master" : "slave") + (down ? ",fail" : "") + " "
                + (primary ? "-" : Text.idOf(shard.primary().value())) + " 0 0 " + Epoch.roundOf(shard.epoch()) + " "
                + (down ? "disconnected" : "connected") + slots;
    }

    private static void clusterReplicas(Call call) {
        RespCluster cluster = cluster(call);
        String id = call.text(2);
        for (Shard shard : cluster.topology().shards()) {
            for (NodeId node : shard.nodes()) {
                if (Text.idOf(node.value()).equals(id)) {
                    if (!node.equals(shard.primary())) {
                        throw new CommandException("ERR The specified node is not a master");
                    }
                    call.out().array(shard.replicas().size());
                    for (NodeId replica : shard.replicas()) {
                        call.out()
                                .bulk(line(cluster, shard, replica, call.node().id()));
                    }
                    return;
                }
            }
        }
        throw new CommandException("ERR Unknown node " + id);
    }

    private static void clusterSlaves(Call call) {
        clusterReplicas(call);
    }

    private static void clusterLinks(Call call) {
        RespCluster cluster = cluster(call);
        List<NodeEndpoint> others = cluster.nodeEndpoints().stream()
                .filter(node -> node != call.node() && node.node().isRunning())
                .toList();
        RespWriter out = call.out();
        out.array(others.size());
        for (NodeEndpoint other : others) {
            out.map(6);
            out.bulk("direction");
            out.bulk("to");
            out.bulk("node");
            out.bulk(Text.idOf(other.id().value()));
            out.bulk("create-time");
            out.integer(0);
            out.bulk("events");
            out.bulk("r");
            out.bulk("send-buffer-allocated");
            out.integer(0);
            out.bulk("send-buffer-used");
            out.integer(0);
        }
    }

    private static void clusterInfo(Call call) {
        RespCluster cluster = cluster(call);
        ClusterTopology topology = cluster.topology();
        int assigned = HashSlot.COUNT - topology.uncovered().size();
        int failed = 0;
        int nodes = 0;
        int size = 0;
        long epoch = 0;
        for (Shard shard : topology.shards()) {
            nodes += shard.nodes().size();
            size += shard.slots().isEmpty() ? 0 : 1;
            failed += cluster.isHeldDown(shard.primary()) ? shard.slots().size() : 0;
            epoch = Math.max(epoch, Epoch.roundOf(shard.epoch()));
        }
        boolean ok = assigned == HashSlot.COUNT && failed == 0;
        String[] lines = {
            "cluster_state:" + (ok ? "ok" : "fail"),
            "cluster_slots_assigned:" + assigned,
            "cluster_slots_ok:" + (assigned - failed),
            "cluster_slots_pfail:0",
            "cluster_slots_fail:" + failed,
            "cluster_known_nodes:" + nodes,
            "cluster_size:" + size,
            "cluster_current_epoch:" + epoch,
            "cluster_my_epoch:" + Epoch.roundOf(cluster.shardOf(call.node()).epoch()),
            "cluster_stats_messages_sent:0",
            "cluster_stats_messages_received:0",
            "total_cluster_links_buffer_limit_exceeded:0"
        };
        call.out().verbatim(String.join("\r\n", lines) + "\r\n");
    }

    // ---- changes

    private static void clusterFailover(Call call) {
        RespCluster cluster = cluster(call);
        if (call.size() > 3) {
            throw CommandException.subcommand(call);
        }
        if (call.size() == 3 && !call.is(2, "FORCE") && !call.is(2, "TAKEOVER")) {
            throw CommandException.syntax();
        }
        if (call.node().isPrimary()) {
            throw new CommandException("ERR You should send CLUSTER FAILOVER to a replica");
        }
        NodeId primary = call.node().primary();
        if (call.size() == 2 && cluster.isHeldDown(primary)) {
            throw new CommandException("ERR Master is down or failed, please use CLUSTER FAILOVER FORCE");
        }
        Operation order = new Operation.FailOver(
                cluster.shardOf(call.node()).id(), call.node().id());
        CompletionStage<ShardPrimary> ordered = order(cluster, order);
        if (call.size() > 2) {
            var unused = ordered.whenComplete((done, failure) -> {
                // forced, it does without a master that turned out to be silent, and that the sentinels replace by now
                if (failure instanceof OperationFailedException failed
                        && failed.reason() == AbortReason.PRIMARY_SILENT) {
                    SentinelDriver driver = driver(cluster);
                    if (driver != null) {
                        driver.perform(order);
                    }
                }
            });
        }
        call.out().ok();
    }

    /** Has a sentinel that runs carry an order out; how that ends, its events tell as well. */
    static CompletionStage<ShardPrimary> order(RespCluster cluster, Operation order) {
        SentinelDriver driver = driver(cluster);
        if (driver == null) {
            throw new CommandException("ERR no sentinel of the cluster runs");
        }
        return driver.perform(order);
    }

    private static @Nullable SentinelDriver driver(RespCluster cluster) {
        for (LocalSentinel sentinel : cluster.cluster().sentinels()) {
            if (sentinel.isRunning() && cluster.isReachable(sentinel.id())) {
                return sentinel.driver();
            }
        }
        return null;
    }

    private static void clusterSetslot(Call call) {
        cluster(call);
        if (!call.node().isPrimary()) {
            throw new CommandException("ERR You can use SETSLOT only with masters.");
        }
        int slot = slot(call, BAD_SLOT, BAD_SLOT);
        boolean own = owns(call, slot);
        if (call.is(3, "STABLE") && call.size() == 4) {
            call.out().ok(); // as every slot is
        } else if (call.is(3, "MIGRATING") && call.size() == 5) {
            if (!own) {
                throw new CommandException("ERR I'm not the owner of hash slot " + slot);
            }
            requirePrimary(call, "ERR I don't know about node ");
            throw new CommandException(NOT_MOVED);
        } else if (call.is(3, "IMPORTING") && call.size() == 5) {
            if (own) {
                throw new CommandException("ERR I'm already the owner of hash slot " + slot);
            }
            requirePrimary(call, "ERR I don't know about node ");
            throw new CommandException(NOT_MOVED);
        } else if (call.is(3, "NODE") && call.size() == 5) {
            Shard shard = requirePrimary(call, "ERR Unknown node ");
            if (!shard.slots().contains(slot)) {
                throw new CommandException(NOT_MOVED);
            }
            call.out().ok();
        } else {
            throw new CommandException("ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP");
        }
    }

    /** {@return the shard whose primary the fifth word of a call names} */
    private static Shard requirePrimary(Call call, String unknown) {
        String id = call.text(4);
        for (Shard shard : call.node().cluster().topology().shards()) {
            if (Text.idOf(shard.primary().value()).equals(id)) {
                return shard;
            }
            if (shard.replicas().stream()
                    .anyMatch(node -> Text.idOf(node.value()).equals(id))) {
                throw new CommandException("ERR Target node is not a master");
            }
        }
        throw new CommandException(unknown + id);
    }

    private static void clusterHelp(Call call) {
        Help.answer(
                call,
                "COUNTKEYSINSLOT <slot>",
                "FAILOVER [FORCE|TAKEOVER]",
                "GETKEYSINSLOT <slot> <count>",
                "INFO",
                "KEYSLOT <key>",
                "LINKS",
                "MYID",
                "NODES",
                "REPLICAS <node-id>",
                "SHARDS",
                "SLOTS");
    }
}
