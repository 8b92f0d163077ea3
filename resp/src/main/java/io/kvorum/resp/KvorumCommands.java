package io.kvorum.resp;

import io.kvorum.failover.Operation;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalCluster;
import java.util.ArrayList;
import java.util.List;

/** The faults that a client in another process can cause, where that was asked for. */
final class KvorumCommands {
    private KvorumCommands() {}

    static void addTo(CommandTable table) {
        table.container(
                "kvorum",
                "server",
                "@dangerous",
                "Causes faults and ends them",
                "7.0.0",
                Command.of("crash", 3, "loading stale", "", "Ends a node", "7.0.0", KvorumCommands::crash),
                Command.of("restart", 3, "loading stale", "", "Starts a node again", "7.0.0", KvorumCommands::restart),
                Command.of("isolate", 3, "loading stale", "", "Cuts a node off", "7.0.0", KvorumCommands::isolate),
                Command.of("pause", 3, "loading stale", "", "Stops a node for a while", "7.0.0", KvorumCommands::pause),
                Command.of("resume", 3, "loading stale", "", "Lets a node go on", "7.0.0", KvorumCommands::resume),
                Command.of("failover", 3, "loading stale", "", "Changes a primary", "7.0.0", KvorumCommands::failover),
                Command.of("heal", 2, "loading stale", "", "Opens all links", "7.0.0", KvorumCommands::heal),
                Command.of("status", 2, "loading stale", "", "Tells of all nodes", "7.0.0", KvorumCommands::status),
                Command.of("help", 2, "loading stale", "", "Lists the subcommands", "7.0.0", KvorumCommands::help));
    }

    private static LocalCluster cluster(Call call) {
        return call.endpoint().cluster().cluster();
    }

    /** {@return the party that a word names: a node, a sentinel, or the primary of a shard} */
    private static NodeId party(Call call) {
        String name = call.text(2);
        boolean known = call.endpoint().cluster().endpoints().stream()
                        .anyMatch(endpoint -> endpoint.id().value().equals(name))
                || cluster(call).sentinels().stream()
                        .anyMatch(sentinel -> sentinel.id().value().equals(name));
        return known ? new NodeId(name) : shard(call, name).primary();
    }

    private static Shard shard(Call call, String name) {
        RespCluster resp = call.endpoint().cluster();
        for (Shard shard : resp.topology().shards()) {
            boolean member =
                    shard.nodes().stream().anyMatch(node -> node.value().equals(name));
            if (shard.id().equals(new ShardId(name)) || resp.group(shard.id()).equals(name) || member) {
                return shard;
            }
        }
        throw new CommandException("ERR no node, sentinel or shard has this name: " + name);
    }

    private static boolean isSentinel(Call call, NodeId party) {
        return cluster(call).sentinels().stream()
                .anyMatch(sentinel -> sentinel.id().equals(party));
    }

    private static void crash(Call call) {
        NodeId party = party(call);
        if (party.equals(call.endpoint().id())) {
            call.connection().closeNow();
        }
        if (isSentinel(call, party)) {
            cluster(call).sentinel(party).crash();
        } else {
            cluster(call).node(party).crash();
        }
        call.out().ok();
    }

    private static void restart(Call call) {
        NodeId party = party(call);
        try {
            if (isSentinel(call, party)) {
                cluster(call).sentinel(party).restart();
            } else {
                cluster(call).node(party).restart();
            }
        } catch (IllegalStateException e) {
            throw new CommandException("ERR " + e.getMessage());
        }
        call.out().ok();
    }

    private static void isolate(Call call) {
        call.endpoint().cluster().faults().isolate(party(call));
        call.out().ok();
    }

    private static void pause(Call call) {
        call.endpoint().cluster().faults().pause(party(call));
        call.out().ok();
    }

    private static void resume(Call call) {
        call.endpoint().cluster().faults().resume(party(call));
        call.out().ok();
    }

    private static void failover(Call call) {
        var unused = ClusterCommands.order(
                call.endpoint().cluster(),
                new Operation.FailOver(shard(call, call.text(2)).id()));
        call.out().ok();
    }

    private static void heal(Call call) {
        call.endpoint().cluster().faults().heal();
        call.out().ok();
    }

    private static void status(Call call) {
        List<String> lines = new ArrayList<>(call.endpoint().cluster().describe());
        call.out().bulks(lines);
    }

    private static void help(Call call) {
        Help.answer(
                call,
                "CRASH <node>",
                "RESTART <node>",
                "ISOLATE <node>",
                "PAUSE <node>",
                "RESUME <node>",
                "FAILOVER <node or shard>",
                "HEAL",
                "STATUS");
    }
}
