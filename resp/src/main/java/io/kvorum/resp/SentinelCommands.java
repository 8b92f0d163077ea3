package io.kvorum.resp;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The commands of a sentinel. */
final class SentinelCommands {
    private static final String NO_SUCH_MASTER = "ERR No such master with that name";
    private static final String NO_GOOD_SLAVE = "NOGOODSLAVE No suitable replica to promote";

    /** For how long SENTINEL FAILOVER waits for a refusal before it says that the failover has begun. */
    private static final long REFUSAL_MILLIS = 20;

    private static final Set<AbortReason> IN_PROGRESS =
            Set.of(AbortReason.FAILOVER_IN_PROGRESS, AbortReason.OPERATION_IN_PROGRESS);

    private SentinelCommands() {}

    static void addTo(CommandTable table) {
        CommandTable nodes = new CommandTable();
        ConnectionCommands.addTo(nodes);
        PubSubCommands.addTo(nodes);
        ServerCommands.addTo(nodes);
        TableCommands.addTo(nodes);
        table.copy(nodes, "acl", "auth", "client", "command", "hello", "ping", "shutdown");
        table.copy(nodes, "subscribe", "unsubscribe", "psubscribe", "punsubscribe");
        KvorumCommands.addTo(table);
        String info = "loading stale @dangerous ~nondeterministic_output ~request_policy:all_shards "
                + "~response_policy:special";
        table.add("server", of("info", -1, info, "Tells about the sentinel", SentinelCommands::info));
        String role = "noscript loading stale fast @admin @dangerous";
        table.add("server", of("role", 1, role, "Tells the role", SentinelCommands::role));
        table.add("pubsub", of("publish", 3, "pubsub loading stale fast", "Takes a hello", SentinelCommands::publish));
        table.container(
                "sentinel",
                "sentinel",
                "admin",
                "Tells about the watched groups",
                "2.8.4",
                of("ckquorum", 3, "", "Tells whether a failover is possible", SentinelCommands::ckquorum),
                of("config", -3, "", "Reads or changes settings", SentinelOptions::config),
                of("failover", 3, "", "Gives a group another master", SentinelCommands::failover),
                of("flushconfig", 2, "", "Saves the state", SentinelCommands::flushconfig),
                of("get-master-addr-by-name", 3, "", "Tells where a master is", SentinelCommands::address),
                of("help", 2, "loading stale", "Lists the subcommands", SentinelCommands::help),
                of("info-cache", -3, "", "Returns what nodes tell", SentinelCommands::infoCache),
                of("is-master-down-by-addr", 6, "", "Tells whether a master is down", SentinelCommands::isDown),
                of("master", 3, "", "Describes a master", SentinelCommands::master),
                of("masters", 2, "", "Describes all masters", SentinelCommands::masters),
                of("monitor", 6, "", "Would watch a master", SentinelCommands::monitor),
                of("myid", 2, "", "Returns the id of the sentinel", SentinelCommands::myid),
                of("pending-scripts", 2, "", "Lists the scripts that wait", SentinelCommands::pendingScripts),
                of("remove", 3, "", "Would end the watch of a master", SentinelCommands::remove),
                of("replicas", 3, "", "Describes the slaves of a master", SentinelCommands::slaves),
                of("reset", 3, "", "Forgets what is not there", SentinelCommands::reset),
                of("sentinels", 3, "", "Describes the other sentinels", SentinelCommands::sentinels),
                of("set", -5, "", "Changes settings of a master", SentinelOptions::set),
                of("slaves", 3, "", "Describes the slaves of a master", SentinelCommands::slaves));
    }

    private static Command of(String name, int arity, String words, String summary, Command.Handler handler) {
        String all = words.isEmpty() ? "admin" : words;
        return Command.of(name, arity, all, "", summary, "2.8.4", handler);
    }

    static Shard shard(Call call, int index) {
        Shard shard = call.sentinel().shard(call.text(index));
        if (shard == null) {
            throw new CommandException(NO_SUCH_MASTER);
        }
        return shard;
    }

    // ---- who is there

    private static void masters(Call call) {
        List<Shard> shards = call.sentinel().shards();
        call.out().array(shards.size());
        shards.forEach(shard -> write(call, SentinelReport.master(call.sentinel(), shard)));
    }

    private static void master(Call call) {
        write(call, SentinelReport.master(call.sentinel(), shard(call, 2)));
    }

    private static void slaves(Call call) {
        Shard shard = shard(call, 2);
        List<NodeId> slaves = shard.replicas();
        call.out().array(slaves.size());
        slaves.forEach(slave -> write(call, SentinelReport.slave(call.sentinel(), shard, slave)));
    }

    private static void sentinels(Call call) {
        shard(call, 2);
        List<NodeId> others = others(call);
        call.out().array(others.size());
        others.forEach(other -> write(call, SentinelReport.sentinel(call.sentinel(), other)));
    }

    private static List<NodeId> others(Call call) {
        List<NodeId> others = new ArrayList<>(call.sentinel().driver().sentinels());
        others.remove(call.sentinel().id());
        return others;
    }

    private static void write(Call call, Map<String, String> fields) {
        call.out().map(fields.size());
        fields.forEach((name, value) -> {
            call.out().bulk(name);
            call.out().bulk(value);
        });
    }

    private static void address(Call call) {
        Shard shard = call.sentinel().shard(call.text(2));
        if (shard == null) {
            call.out().nilArray();
            return;
        }
        RespCluster cluster = call.sentinel().cluster();
        call.out().bulks(List.of(cluster.host(), String.valueOf(cluster.port(shard.primary()))));
    }

    private static void isDown(Call call) {
        long port = call.integer(3);
        call.integer(4);
        boolean down = false;
        for (Shard shard : call.sentinel().shards()) {
            boolean asked = call.sentinel().cluster().port(shard.primary()) == port
                    && call.sentinel().cluster().host().equals(call.text(2));
            down |= asked && call.sentinel().driver().down(shard.id()).contains(shard.primary());
        }
        call.out().array(3);
        call.out().integer(down ? 1 : 0);
        call.out().bulk("*");
        call.out().integer(0);
    }

    private static void myid(Call call) {
        call.out().bulk(Text.idOf(call.sentinel().id().value()));
    }

    private static void infoCache(Call call) {
        List<Shard> shards = new ArrayList<>();
        for (int i = 2; i < call.size(); i++) {
            Shard shard = call.sentinel().shard(call.text(i));
            if (shard != null) {
                shards.add(shard);
            }
        }
        call.out().array(shards.size() * 2);
        RespCluster cluster = call.sentinel().cluster();
        for (Shard shard : shards) {
            call.out().bulk(cluster.group(shard.id()));
            call.out().array(shard.nodes().size());
            for (NodeId node : shard.nodes()) {
                call.out().array(2);
                call.out().integer(0);
                NodeEndpoint endpoint = (NodeEndpoint) cluster.endpoint(node);
                try {
                    call.out().bulk(Info.of(endpoint, List.of()));
                } catch (IllegalStateException e) { // it does not run
                    call.out().nil();
                }
            }
        }
    }

    private static void pendingScripts(Call call) {
        call.out().array(0);
    }

    // ---- orders

    private static void ckquorum(Call call) {
        shard(call, 2);
        QuorumCheck check = call.sentinel().driver().quorumCheck();
        if (check.quorumReachable() && check.votesReachable()) {
            call.out()
                    .simple("OK " + check.usable()
                            + " usable Sentinels. Quorum and failover authorization can be reached");
            return;
        }
        throw new CommandException("NOQUORUM " + check.usable() + " usable Sentinels. "
                + (check.quorumReachable()
                        ? ""
                        : "Not enough available Sentinels to reach the specified quorum for this master")
                + (check.quorumReachable() || check.votesReachable() ? "" : ". ")
                + (check.votesReachable()
                        ? ""
                        : "Not enough available Sentinels to reach the majority and authorize a failover"));
    }

    private static void failover(Call call) {
        Shard shard = shard(call, 2);
        boolean nobody = call.sentinel().driver().down(shard.id()).containsAll(shard.replicas());
        if (nobody && !call.sentinel().isFailingOver(shard)) {
            throw new CommandException(NO_GOOD_SLAVE);
        }
        AbortReason refused =
                refusal(call.sentinel().driver().failOver(shard.id()).toCompletableFuture());
        if (refused == null) {
            call.out().ok();
        } else if (IN_PROGRESS.contains(refused)) {
            throw new CommandException("INPROG Failover already in progress");
        } else {
            throw new CommandException(NO_GOOD_SLAVE);
        }
    }

    /** {@return why an operation was refused, or null if it is under way or was carried out} */
    private static @Nullable AbortReason refusal(CompletableFuture<ShardPrimary> operation) {
        try {
            operation.get(REFUSAL_MILLIS, TimeUnit.MILLISECONDS);
            return null;
        } catch (TimeoutException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } catch (ExecutionException e) {
            return e.getCause() instanceof OperationFailedException failed ? failed.reason() : AbortReason.CLOSED;
        }
    }

    private static void flushconfig(Call call) {
        call.out().ok(); // it is saved whenever it changes
    }

    private static void reset(Call call) {
        List<Shard> matching = call.sentinel().shards().stream()
                .filter(shard ->
                        Glob.matches(call.text(2), call.sentinel().cluster().group(shard.id())))
                .toList();
        matching.forEach(call.sentinel()::reset);
        call.out().integer(matching.size());
    }

    private static void monitor(Call call) {
        long quorum = call.integer(5, "ERR Invalid quorum");
        call.integer(4, "ERR Invalid port");
        if (quorum < 1) {
            throw new CommandException("ERR Quorum must be 1 or greater.");
        }
        throw new CommandException(
                call.sentinel().shard(call.text(2)) == null
                        ? "ERR the groups are the shards of the cluster"
                        : "ERR Duplicate master name.");
    }

    private static void remove(Call call) {
        shard(call, 2);
        throw new CommandException("ERR the groups are the shards of the cluster");
    }

    // ---- about the sentinel itself

    private static void info(Call call) {
        List<String> sections = new ArrayList<>();
        for (int i = 1; i < call.size(); i++) {
            sections.add(call.text(i).toLowerCase(Locale.ROOT));
        }
        StringBuilder text = new StringBuilder(Info.common(call.sentinel(), sections));
        if (Info.isWanted("sentinel", sections)) {
            text.append(text.isEmpty() ? "" : "\r\n").append(SentinelReport.info(call.sentinel()));
        }
        call.out().bulk(text.toString());
    }

    private static void role(Call call) {
        List<String> groups = call.sentinel().shards().stream()
                .map(shard -> call.sentinel().cluster().group(shard.id()))
                .toList();
        call.out().array(2);
        call.out().bulk("sentinel");
        call.out().bulks(groups);
    }

    private static void publish(Call call) {
        if (!call.text(1).equals("__sentinel__:hello")) {
            throw new CommandException("ERR Only HELLO messages are accepted by Sentinel instances.");
        }
        call.out().integer(1);
    }

    private static void help(Call call) {
        Help.answer(
                call,
                "CKQUORUM <master-name>",
                "CONFIG SET <param> <value>",
                "CONFIG GET <param>",
                "FAILOVER <master-name>",
                "FLUSHCONFIG",
                "GET-MASTER-ADDR-BY-NAME <master-name>",
                "INFO-CACHE <master-name>",
                "IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>",
                "MASTER <master-name>",
                "MASTERS",
                "MYID",
                "PENDING-SCRIPTS",
                "REPLICAS <master-name>",
                "RESET <pattern>",
                "SENTINELS <master-name>",
                "SET <master-name> <option> <value>");
    }
}
