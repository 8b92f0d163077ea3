package io.kvorum.resp;

import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicaStatus;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** The commands about the server and about the table of commands. */
final class ServerCommands {
    private static final Duration FOREVER = Duration.ofDays(36_525);
    private static final Set<String> SHUTDOWN_OPTIONS = Set.of("SAVE", "NOSAVE", "NOW", "FORCE");
    private static final String NO_PERSISTENCE = "ERR the data of this node is in memory alone";

    private ServerCommands() {}

    static void addTo(CommandTable table) {
        table.container(
                "acl",
                "server",
                "",
                "Tells about users",
                "6.0.0",
                Command.of(
                        "whoami",
                        2,
                        "noscript loading stale",
                        "",
                        "Tells the user of the connection",
                        "6.0.0",
                        ServerCommands::aclWhoami));
        table.add(
                "server",
                Command.of(
                        "bgsave",
                        -1,
                        "admin noscript no_async_loading",
                        "",
                        "Would save the data in the background",
                        "1.0.0",
                        ServerCommands::bgsave));
        table.add(
                "server",
                Command.of(
                        "bgrewriteaof",
                        1,
                        "admin noscript no_async_loading",
                        "",
                        "Would rewrite the append-only file",
                        "1.0.0",
                        ServerCommands::bgrewriteaof));
        table.container(
                "config",
                "server",
                "",
                "Reads and changes settings",
                "2.0.0",
                Command.of(
                        "get",
                        -3,
                        "admin noscript loading stale",
                        "",
                        "Returns settings",
                        "2.0.0",
                        ServerCommands::configGet),
                Command.of(
                        "help", 2, "loading stale", "", "Lists the subcommands", "5.0.0", ServerCommands::configHelp),
                Command.of(
                        "resetstat",
                        2,
                        "admin noscript loading stale",
                        "",
                        "Sets the counters back",
                        "2.0.0",
                        ServerCommands::configResetstat),
                Command.of(
                        "rewrite",
                        2,
                        "admin noscript loading stale",
                        "",
                        "Would rewrite the configuration file",
                        "2.8.0",
                        ServerCommands::configRewrite),
                Command.of(
                        "set",
                        -4,
                        "admin noscript loading stale ~request_policy:all_nodes ~response_policy:all_succeeded",
                        "",
                        "Changes settings",
                        "2.0.0",
                        ServerCommands::configSet));
        table.add(
                "server",
                Command.of(
                        "info",
                        -1,
                        "loading stale @dangerous ~nondeterministic_output ~request_policy:all_shards ~response_policy:special",
                        "",
                        "Tells about the server",
                        "1.0.0",
                        ServerCommands::info));
        table.add(
                "server",
                Command.of(
                        "lastsave",
                        1,
                        "loading stale fast @admin @dangerous ~nondeterministic_output",
                        "",
                        "Tells when the data was saved",
                        "1.0.0",
                        ServerCommands::lastsave));
        table.add(
                "generic",
                Command.of(
                        "migrate",
                        -6,
                        "write movablekeys @keyspace @dangerous ~nondeterministic_output",
                        "3 3 1 RW access delete; RW access delete incomplete",
                        "Would move keys to another node",
                        "2.6.0",
                        ServerCommands::migrate));
        table.add(
                "server",
                Command.of(
                        "replicaof",
                        3,
                        "admin noscript stale no_async_loading",
                        "",
                        "Would make the node follow another",
                        "5.0.0",
                        ServerCommands::replicaof));
        table.add(
                "server",
                Command.of(
                        "role",
                        1,
                        "noscript loading stale fast @admin @dangerous",
                        "",
                        "Tells the role of the node",
                        "2.8.12",
                        ServerCommands::role));
        table.add(
                "server",
                Command.of(
                        "save",
                        1,
                        "admin noscript no_async_loading no_multi",
                        "",
                        "Would save the data",
                        "1.0.0",
                        ServerCommands::save));
        table.add(
                "server",
                Command.of(
                        "shutdown",
                        -1,
                        "admin noscript loading stale no_multi allow_busy",
                        "",
                        "Ends the node",
                        "1.0.0",
                        ServerCommands::shutdown));
        table.add(
                "server",
                Command.of(
                        "slaveof",
                        3,
                        "admin noscript stale no_async_loading",
                        "",
                        "Would make the node follow another",
                        "1.0.0",
                        ServerCommands::slaveof));
        table.container(
                "slowlog",
                "server",
                "",
                "Tells about slow commands",
                "2.2.12",
                Command.of(
                        "get",
                        -2,
                        "admin loading stale ~request_policy:all_nodes ~nondeterministic_output",
                        "",
                        "Lists slow commands",
                        "2.2.12",
                        ServerCommands::slowlogGet),
                Command.of(
                        "help", 2, "loading stale", "", "Lists the subcommands", "6.2.0", ServerCommands::slowlogHelp),
                Command.of(
                        "len",
                        2,
                        "admin loading stale ~request_policy:all_nodes ~response_policy:agg_sum ~nondeterministic_output",
                        "",
                        "Counts slow commands",
                        "2.2.12",
                        ServerCommands::slowlogLen),
                Command.of(
                        "reset",
                        2,
                        "admin loading stale ~request_policy:all_nodes ~response_policy:all_succeeded",
                        "",
                        "Forgets slow commands",
                        "2.2.12",
                        ServerCommands::slowlogReset));
        table.add(
                "server",
                Command.of(
                        "time",
                        1,
                        "loading stale fast ~nondeterministic_output",
                        "",
                        "Returns the time of the server",
                        "2.6.0",
                        ServerCommands::time));
        table.add(
                "generic",
                Command.of(
                        "wait",
                        3,
                        "noscript @connection ~request_policy:all_shards ~response_policy:agg_min",
                        "",
                        "Waits until replicas have the writes",
                        "3.0.0",
                        ServerCommands::awaitReplicas));
    }

    // ---- CONFIG

    static void configGet(Call call) {
        List<String> patterns = new ArrayList<>();
        for (int i = 2; i < call.size(); i++) {
            patterns.add(call.text(i));
        }
        List<String> found = call.endpoint().settings().matching(patterns);
        call.out().map(found.size() / 2);
        found.forEach(call.out()::bulk);
    }

    static void configSet(Call call) {
        if (call.size() % 2 != 0) {
            throw CommandException.syntax();
        }
        List<String> namesAndValues = new ArrayList<>();
        for (int i = 2; i < call.size(); i++) {
            namesAndValues.add(call.text(i));
        }
        call.endpoint().settings().set(namesAndValues);
        call.out().ok();
    }

    static void configResetstat(Call call) {
        if (call.endpoint() instanceof NodeEndpoint node) {
            node.syncs().reset();
        }
        call.out().ok();
    }

    private static void configRewrite(Call call) {
        throw new CommandException("ERR The server is running without a config file");
    }

    static void configHelp(Call call) {
        Help.answer(call, "GET <pattern>", "SET <directive> <value>", "RESETSTAT", "REWRITE");
    }

    // ---- the state of the node

    private static void info(Call call) {
        List<String> sections = new ArrayList<>();
        for (int i = 1; i < call.size(); i++) {
            sections.add(call.text(i).toLowerCase(Locale.ROOT));
        }
        call.out().verbatim(Info.of(call.node(), sections));
    }

    private static void role(Call call) {
        NodeEndpoint node = call.node();
        NodeStatus status = node.status();
        RespWriter out = call.out();
        if (node.isPrimary()) {
            List<ReplicaStatus> replicas =
                    status.replicas().stream().filter(ReplicaStatus::connected).toList();
            out.array(3);
            out.bulk("master");
            out.integer(status.position().offset());
            out.array(replicas.size());
            for (ReplicaStatus replica : replicas) {
                out.array(3);
                out.bulk(node.cluster().host());
                out.bulk(String.valueOf(node.cluster().port(replica.node())));
                out.bulk(String.valueOf(Math.max(replica.acknowledged(), 0)));
            }
            return;
        }
        out.array(5);
        out.bulk("slave");
        out.bulk(node.cluster().host());
        out.integer(node.cluster().port(node.primary()));
        out.bulk(status.primary() == null ? "connect" : status.complete() ? "connected" : "sync");
        out.integer(status.complete() ? status.position().offset() : -1);
    }

    private static void awaitReplicas(Call call) {
        NodeEndpoint node = call.node();
        long count = call.integer(1);
        long millis = call.integer(2, "ERR timeout is not an integer or out of range");
        if (millis < 0) {
            throw new CommandException("ERR timeout is negative");
        }
        if (!node.isPrimary()) {
            throw new CommandException("ERR WAIT cannot be used with replica instances. Please also note that since "
                    + "Redis 4.0 if a replica is configured to be writable (which is not the default) writes to "
                    + "replicas are just local and are not propagated.");
        }
        ReplicatedStore store = node.store();
        LogPosition end = end(store); // the status is that of the last step, which need not have seen the last write
        if (call.session().executing || acknowledged(store, end) >= count) {
            call.out().integer(acknowledged(store, end));
        } else {
            call.out().integer(acknowledged(call, store, end, count, millis));
        }
    }

    /** {@return how many replicas have a position, as soon as enough do, or it is time, or another client says so} */
    private static long acknowledged(Call call, ReplicatedStore store, LogPosition position, long enough, long millis) {
        Session session = call.session();
        long begin = System.nanoTime();
        session.beginWait();
        try {
            long count = acknowledged(store, position);
            while (count < enough
                    && session.waiting() == Session.Wait.BLOCKED
                    && (millis == 0 || System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(millis))) {
                if (!call.connection().waitBriefly()) {
                    throw new CommandException(NodeEndpoint.GONE);
                }
                count = acknowledged(store, position);
            }
            if (session.endWait() == Session.Wait.FAILED) {
                throw new CommandException("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            }
            return count;
        } finally {
            session.endWait();
        }
    }

    /** {@return the position after everything that was written before} */
    private static LogPosition end(ReplicatedStore store) {
        try {
            return store.write(Acknowledgement.LOCAL, FOREVER, keys -> 0)
                    .toCompletableFuture()
                    .join()
                    .position();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RefusedException refused) {
                throw refused;
            }
            if (e.getCause() instanceof OutcomeUnknownException) { // nobody was waited for, so it leads no more
                throw new CommandException(NodeEndpoint.DEPOSED);
            }
            throw e;
        }
    }

    /** {@return how many replicas have a position of the present leadership} */
    private static long acknowledged(ReplicatedStore store, LogPosition position) {
        NodeStatus status = store.status();
        if (status.role() != NodeRole.PRIMARY || status.epoch() != position.epoch()) {
            throw new CommandException(NodeEndpoint.DEPOSED);
        }
        return status.replicas().stream()
                .filter(replica ->
                        replica.connected() && replica.complete() && replica.acknowledged() >= position.offset())
                .count();
    }

    static void time(Call call) {
        Instant now = Instant.now();
        call.out().array(2);
        call.out().bulk(String.valueOf(now.getEpochSecond()));
        call.out().bulk(String.valueOf(now.getNano() / 1_000));
    }

    static void shutdown(Call call) {
        Set<String> words = new HashSet<>();
        for (int i = 1; i < call.size(); i++) {
            words.add(call.text(i).toUpperCase(Locale.ROOT));
        }
        if (words.equals(Set.of("ABORT"))) {
            throw new CommandException("ERR No shutdown in progress.");
        }
        if (!SHUTDOWN_OPTIONS.containsAll(words) || words.containsAll(Set.of("SAVE", "NOSAVE"))) {
            throw CommandException.syntax();
        }
        call.connection().closeNow();
        call.endpoint().crash();
    }

    static void aclWhoami(Call call) {
        call.out().bulk("default");
    }

    private static void slowlogGet(Call call) {
        if (call.size() > 3) {
            throw CommandException.subcommand(call);
        }
        String error = "ERR count should be greater than or equal to -1";
        if (call.size() == 3 && call.integer(2, error) < -1) {
            throw new CommandException(error);
        }
        call.out().array(0);
    }

    private static void slowlogLen(Call call) {
        call.out().integer(0);
    }

    private static void slowlogReset(Call call) {
        call.out().ok();
    }

    private static void slowlogHelp(Call call) {
        Help.answer(call, "GET [<count>]", "LEN", "RESET");
    }

    // ---- what there is no use for here

    private static void lastsave(Call call) {
        call.out().integer(Instant.now().getEpochSecond() - call.endpoint().uptimeSeconds());
    }

    private static void save(Call call) {
        throw new CommandException(NO_PERSISTENCE);
    }

    private static void bgsave(Call call) {
        if (call.size() > 2 || (call.size() == 2 && !call.is(1, "SCHEDULE"))) {
            throw CommandException.syntax();
        }
        throw new CommandException(NO_PERSISTENCE);
    }

    private static void bgrewriteaof(Call call) {
        throw new CommandException(NO_PERSISTENCE);
    }

    private static void replicaof(Call call) {
        throw new CommandException(
                call.node().cluster().mode() == RespMode.CLUSTER
                        ? "ERR REPLICAOF not allowed in cluster mode."
                        : "ERR the sentinels of the cluster tell a node whom to follow");
    }

    private static void slaveof(Call call) {
        replicaof(call);
    }

    private static void migrate(Call call) {
        throw new CommandException("ERR Target instance replied with error: ERR unknown command 'RESTORE-ASKING'");
    }
}
