package io.kvorum.resp;

import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicaStatus;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionException;

/** The commands about the server and about the table of commands. */
final class ServerCommands {
    private static final Duration FOREVER = Duration.ofDays(36_525);
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
                "command",
                "server",
                "loading stale @connection ~nondeterministic_output_order",
                "Lists the commands",
                "2.8.13",
                Command.of(
                        "count",
                        2,
                        "loading stale @connection",
                        "",
                        "Counts the commands",
                        "2.8.13",
                        ServerCommands::commandCount),
                Command.of(
                        "docs",
                        -2,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Describes commands",
                        "7.0.0",
                        ServerCommands::commandDocs),
                Command.of(
                        "getkeys",
                        -4,
                        "loading stale @connection",
                        "",
                        "Finds the keys of a command",
                        "2.8.13",
                        ServerCommands::commandGetkeys),
                Command.of(
                        "help",
                        2,
                        "loading stale @connection",
                        "",
                        "Lists the subcommands",
                        "5.0.0",
                        ServerCommands::commandHelp),
                Command.of(
                        "info",
                        -2,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Tells arity, flags and keys of commands",
                        "2.8.13",
                        ServerCommands::commandInfo),
                Command.of(
                        "list",
                        -2,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Lists the names of the commands",
                        "7.0.0",
                        ServerCommands::commandList));
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

    // ---- COMMAND

    static void command(Call call) {
        List<Command> commands = List.copyOf(call.endpoint().table().commands());
        call.out().array(commands.size());
        commands.forEach(command -> CommandTable.describe(command, call.out()));
    }

    static void commandCount(Call call) {
        call.out().integer(call.endpoint().table().commands().size());
    }

    static void commandInfo(Call call) {
        if (call.size() == 2) {
            command(call);
            return;
        }
        call.out().array(call.size() - 2);
        for (int i = 2; i < call.size(); i++) {
            Command command = call.endpoint().table().byName(Command.nameOf(call.arg(i)));
            if (command == null) {
                call.out().nil();
            } else {
                CommandTable.describe(command, call.out());
            }
        }
    }

    static void commandDocs(Call call) {
        List<Command> wanted = new ArrayList<>(call.endpoint().table().commands());
        if (call.size() > 2) {
            wanted.clear();
            for (int i = 2; i < call.size(); i++) {
                Command command = call.endpoint().table().byName(Command.nameOf(call.arg(i)));
                if (command != null) {
                    wanted.add(command);
                }
            }
        }
        call.out().map(wanted.size());
        wanted.forEach(command -> CommandTable.document(command, call.out()));
    }

    static void commandList(Call call) {
        List<String> names =
                call.endpoint().table().commands().stream().map(Command::name).toList();
        if (call.size() == 5 && call.is(2, "FILTERBY") && call.is(3, "PATTERN")) {
            String pattern = call.text(4).toLowerCase(Locale.ROOT);
            names = names.stream().filter(name -> Glob.matches(pattern, name)).toList();
        } else if (call.size() == 5 && call.is(2, "FILTERBY") && call.is(3, "ACLCAT")) {
            String category = call.text(4).toLowerCase(Locale.ROOT);
            names = call.endpoint().table().commands().stream()
                    .filter(command -> command.categories().contains(category))
                    .map(Command::name)
                    .toList();
        } else if (call.size() == 5 && call.is(2, "FILTERBY") && call.is(3, "MODULE")) {
            names = List.of();
        } else if (call.size() != 2) {
            throw CommandException.syntax();
        }
        call.out().set(names.size());
        names.forEach(call.out()::bulk);
    }

    static void commandGetkeys(Call call) {
        byte[][] args = java.util.Arrays.copyOfRange(call.args(), 2, call.size());
        Command command;
        try {
            command = call.endpoint().table().find(args);
        } catch (CommandException e) {
            throw new CommandException(
                    e.error().startsWith("ERR wrong")
                            ? "ERR Invalid number of arguments specified for command"
                            : "ERR Invalid command specified");
        }
        List<byte[]> keys = command.has("pubsub") ? List.of() : command.keysOf(args);
        if (keys.isEmpty()) {
            throw new CommandException("ERR The command has no key arguments");
        }
        call.out().array(keys.size());
        keys.forEach(call.out()::bulk);
    }

    static void commandHelp(Call call) {
        Help.answer(
                call,
                "COUNT",
                "DOCS [<command-name> ...]",
                "GETKEYS <full-command>",
                "INFO [<command-name> ...]",
                "LIST");
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
        Map<String, String> changes = new LinkedHashMap<>();
        for (int i = 2; i < call.size(); i += 2) {
            changes.put(call.text(i).toLowerCase(Locale.ROOT), call.text(i + 1));
        }
        call.endpoint().settings().set(changes);
        call.out().ok();
    }

    static void configResetstat(Call call) {
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
        long offset = end(store); // the status is that of the last step, which need not have seen the last write
        if (count > acknowledged(store, offset) && !call.connection().isUsingStore()) {
            Duration timeout = millis == 0 ? FOREVER : Duration.ofMillis(millis);
            int wanted = (int) Math.min(count, Integer.MAX_VALUE);
            try {
                store.write(Acknowledgement.replicas(wanted), timeout, keys -> 0)
                        .toCompletableFuture()
                        .join();
                call.out().integer(Math.max(count, acknowledged(store, offset)));
                return;
            } catch (CompletionException e) {
                if (!(e.getCause() instanceof OutcomeUnknownException unknown)) {
                    throw e;
                }
                if (unknown.reason() == OutcomeUnknownException.Reason.DEPOSED) {
                    throw new CommandException("UNBLOCKED force unblock from blocking operation, instance state "
                            + "changed (master -> replica?)");
                }
            }
        }
        call.out().integer(acknowledged(store, offset));
    }

    /** {@return the offset after everything that was written before} */
    private static long end(ReplicatedStore store) {
        try {
            return store.write(Acknowledgement.LOCAL, FOREVER, keys -> 0)
                    .toCompletableFuture()
                    .join()
                    .position()
                    .offset();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RefusedException refused) {
                throw refused;
            }
            throw e;
        }
    }

    private static long acknowledged(ReplicatedStore store, long offset) {
        return store.status().replicas().stream()
                .filter(replica -> replica.connected() && replica.complete() && replica.acknowledged() >= offset)
                .count();
    }

    static void time(Call call) {
        Instant now = Instant.now();
        call.out().array(2);
        call.out().bulk(String.valueOf(now.getEpochSecond()));
        call.out().bulk(String.valueOf(now.getNano() / 1_000));
    }

    static void shutdown(Call call) {
        for (int i = 1; i < call.size(); i++) {
            if (call.is(i, "ABORT")) {
                throw new CommandException("ERR No shutdown in progress.");
            }
            if (!call.is(i, "NOSAVE") && !call.is(i, "SAVE") && !call.is(i, "NOW") && !call.is(i, "FORCE")) {
                throw CommandException.syntax();
            }
        }
        call.connection().closeNow();
        call.endpoint().crash();
    }

    static void aclWhoami(Call call) {
        call.out().bulk("default");
    }

    private static void slowlogGet(Call call) {
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
