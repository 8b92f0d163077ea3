package io.kvorum.resp;

import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The commands about the connection itself and about others. */
final class ConnectionCommands {
    private static final String WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
    private static final String BAD_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";

    private ConnectionCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "connection",
                Command.of(
                        "auth",
                        -2,
                        "noscript loading stale fast no_auth allow_busy @connection",
                        "",
                        "Authenticates the connection",
                        "1.0.0",
                        ConnectionCommands::auth));
        table.container(
                "client",
                "connection",
                "",
                "Tells about connections and governs them",
                "2.4.0",
                Command.of(
                        "getname",
                        2,
                        "noscript loading stale @connection",
                        "",
                        "Returns the name of the connection",
                        "2.6.9",
                        ConnectionCommands::clientGetname),
                Command.of(
                        "help",
                        2,
                        "loading stale @connection",
                        "",
                        "Lists the subcommands",
                        "5.0.0",
                        ConnectionCommands::clientHelp),
                Command.of(
                        "id",
                        2,
                        "noscript loading stale @connection",
                        "",
                        "Returns the number of the connection",
                        "5.0.0",
                        ConnectionCommands::clientId),
                Command.of(
                        "info",
                        2,
                        "noscript loading stale @connection ~nondeterministic_output",
                        "",
                        "Tells about the connection",
                        "6.2.0",
                        ConnectionCommands::clientInfo),
                Command.of(
                        "kill",
                        -3,
                        "admin noscript loading stale @connection",
                        "",
                        "Closes connections",
                        "2.4.0",
                        ConnectionCommands::clientKill),
                Command.of(
                        "list",
                        -2,
                        "admin noscript loading stale @connection ~nondeterministic_output",
                        "",
                        "Lists the connections",
                        "2.4.0",
                        ConnectionCommands::clientList),
                Command.of(
                        "no-evict",
                        3,
                        "admin noscript loading stale @connection",
                        "",
                        "Keeps the connection from being evicted",
                        "7.0.0",
                        ConnectionCommands::clientNoEvict),
                Command.of(
                        "pause",
                        -3,
                        "admin noscript loading stale @connection",
                        "",
                        "Holds commands back for a while",
                        "2.9.50",
                        ConnectionCommands::clientPause),
                Command.of(
                        "reply",
                        3,
                        "noscript loading stale @connection",
                        "",
                        "Turns answers off and on",
                        "3.2.0",
                        ConnectionCommands::clientReply),
                Command.of(
                        "setname",
                        3,
                        "noscript loading stale @connection",
                        "",
                        "Names the connection",
                        "2.6.9",
                        ConnectionCommands::clientSetname),
                Command.of(
                        "unpause",
                        2,
                        "admin noscript loading stale @connection",
                        "",
                        "Ends the pause",
                        "6.2.0",
                        ConnectionCommands::clientUnpause));
        table.add(
                "connection",
                Command.of(
                        "echo",
                        2,
                        "loading stale fast @connection",
                        "",
                        "Returns its argument",
                        "1.0.0",
                        ConnectionCommands::echo));
        table.add(
                "connection",
                Command.of(
                        "hello",
                        -1,
                        "noscript loading stale fast no_auth allow_busy @connection",
                        "",
                        "Greets the server and chooses the protocol",
                        "6.0.0",
                        ConnectionCommands::hello));
        table.add(
                "connection",
                Command.of(
                        "ping",
                        -1,
                        "fast @connection ~request_policy:all_shards ~response_policy:all_succeeded",
                        "",
                        "Returns a sign of life",
                        "1.0.0",
                        ConnectionCommands::ping));
        table.add(
                "connection",
                Command.of(
                        "quit",
                        -1,
                        "noscript loading stale fast no_auth allow_busy @connection",
                        "",
                        "Closes the connection",
                        "1.0.0",
                        ConnectionCommands::quit));
        table.add(
                "connection",
                Command.of(
                        "reset",
                        1,
                        "noscript loading stale fast no_auth allow_busy @connection",
                        "",
                        "Gives the connection back its first state",
                        "6.2.0",
                        ConnectionCommands::reset));
        table.add(
                "connection",
                Command.of(
                        "select",
                        2,
                        "loading stale fast @connection",
                        "",
                        "Chooses a database",
                        "1.0.0",
                        ConnectionCommands::select));
    }

    // ---- who it is

    static void hello(Call call) {
        int protocol = call.session().protocol;
        int next = 1;
        if (call.size() > 1) {
            long wanted = call.integer(1, "ERR Protocol version is not an integer or out of range");
            if (wanted < 2 || wanted > 3) {
                throw new CommandException("NOPROTO unsupported protocol version");
            }
            protocol = (int) wanted;
            next = 2;
        }
        while (next < call.size()) {
            if (call.is(next, "AUTH") && next + 2 < call.size()) {
                authenticate(call, call.text(next + 1), call.arg(next + 2));
                next += 3;
            } else if (call.is(next, "SETNAME") && next + 1 < call.size()) {
                call.session().name = checkedName(call.text(next + 1));
                next += 2;
            } else {
                throw new CommandException("ERR Syntax error in HELLO option '" + call.shown(next) + "'");
            }
        }
        if (!call.session().authenticated) {
            throw new CommandException("NOAUTH HELLO must be called with the client already authenticated, otherwise "
                    + "the HELLO AUTH <user> <pass> option can be used to authenticate the client and select "
                    + "the RESP protocol version at the same time");
        }
        call.connection().setProtocol(protocol);
        boolean sentinel = call.endpoint() instanceof SentinelEndpoint;
        RespWriter out = call.out();
        out.map(sentinel ? 6 : 7);
        out.bulk("server");
        out.bulk("redis");
        out.bulk("version");
        out.bulk(Info.VERSION);
        out.bulk("proto");
        out.integer(protocol);
        out.bulk("id");
        out.integer(call.connection().id());
        out.bulk("mode");
        out.bulk(Info.modeOf(call.endpoint()));
        if (!sentinel) {
            out.bulk("role");
            out.bulk(call.node().isPrimary() ? "master" : "replica");
        }
        out.bulk("modules");
        out.array(0);
    }

    static void auth(Call call) {
        if (call.size() > 3) {
            throw CommandException.syntax();
        }
        if (call.size() == 2 && !call.endpoint().needsPassword()) {
            throw new CommandException("ERR AUTH <password> called without any password configured for the default "
                    + "user. Are you sure your configuration is correct?");
        }
        authenticate(call, call.size() == 2 ? "default" : call.text(1), call.arg(call.size() - 1));
        call.out().ok();
    }

    private static void authenticate(Call call, String user, byte[] password) {
        boolean open = !call.endpoint().needsPassword();
        byte[] right = Text.bytes(call.endpoint().settings().text("requirepass"));
        if (!user.equals("default") || (!open && !MessageDigest.isEqual(right, password))) {
            throw new CommandException(WRONG_PASSWORD);
        }
        call.connection().setAuthenticated();
    }

    static void ping(Call call) {
        if (call.size() > 2) {
            throw new CommandException("ERR wrong number of arguments for 'ping' command");
        }
        RespWriter out = call.out();
        if (call.session().protocol == 2 && call.session().subscribed()) {
            out.array(2);
            out.bulk("pong");
            out.bulk(call.size() == 2 ? call.arg(1) : new byte[0]);
        } else if (call.size() == 2) {
            out.bulk(call.arg(1));
        } else {
            out.simple("PONG");
        }
    }

    static void echo(Call call) {
        call.out().bulk(call.arg(1));
    }

    static void quit(Call call) {
        call.out().ok();
        call.connection().closeAfterAnswer();
    }

    static void reset(Call call) {
        call.endpoint().pubSub().forget(call.connection());
        call.endpoint().forgotten(call.connection());
        call.connection().reset();
        call.out().simple("RESET");
    }

    static void select(Call call) {
        int database = call.smallInteger(1);
        if (call.node().cluster().mode() == RespMode.CLUSTER && database != 0) {
            throw new CommandException("ERR SELECT is not allowed in cluster mode");
        }
        if (database != 0) {
            throw new CommandException("ERR DB index is out of range");
        }
        call.out().ok();
    }

    // ---- CLIENT

    static void clientId(Call call) {
        call.out().integer(call.connection().id());
    }

    static void clientGetname(Call call) {
        String name = call.session().name;
        if (name.isEmpty()) {
            call.out().nil();
        } else {
            call.out().bulk(Text.bytes(name));
        }
    }

    static void clientSetname(Call call) {
        call.session().name = checkedName(call.text(2));
        call.out().ok();
    }

    private static String checkedName(String name) {
        if (name.chars().anyMatch(c -> c < '!' || c > '~')) {
            throw new CommandException(BAD_NAME);
        }
        return name;
    }

    static void clientInfo(Call call) {
        call.out().verbatim(call.connection().describe() + "\n");
    }

    static void clientList(Call call) {
        List<Connection> connections = call.endpoint().connections();
        if (call.size() == 4 && call.is(2, "TYPE")) {
            String type = type(call.text(3));
            connections =
                    connections.stream().filter(it -> typeOf(it).equals(type)).toList();
        } else if (call.size() > 3 && call.is(2, "ID")) {
            List<Long> ids = new java.util.ArrayList<>();
            for (int i = 3; i < call.size(); i++) {
                ids.add(call.integer(i, "ERR Invalid client ID"));
            }
            connections =
                    connections.stream().filter(it -> ids.contains(it.id())).toList();
        } else if (call.size() != 2) {
            throw CommandException.syntax();
        }
        call.out()
                .verbatim(connections.stream()
                        .map(connection -> connection.describe() + "\n")
                        .collect(Collectors.joining()));
    }

    private static String type(String word) {
        String type = word.toLowerCase(Locale.ROOT);
        if (!List.of("normal", "pubsub", "master", "replica", "slave").contains(type)) {
            throw new CommandException("ERR Unknown client type '" + Text.shown(word) + "'");
        }
        return type;
    }

    private static String typeOf(Connection connection) {
        return connection.session().subscribed() ? "pubsub" : "normal";
    }

    static void clientKill(Call call) {
        if (call.size() == 3) {
            if (kill(call, new Victims(call.text(2), null, null, null, false)) == 0) {
                throw new CommandException("ERR No such client");
            }
            call.out().ok();
            return;
        }
        if (call.size() % 2 != 0) {
            throw CommandException.syntax();
        }
        String address = null;
        String local = null;
        Long id = null;
        String type = null;
        boolean skipMe = true;
        for (int i = 2; i < call.size(); i += 2) {
            switch (call.text(i).toUpperCase(Locale.ROOT)) {
                case "ADDR" -> address = call.text(i + 1);
                case "LADDR" -> local = call.text(i + 1);
                case "ID" -> {
                    id = call.integer(i + 1, "ERR client-id should be greater than 0");
                    if (id < 1) {
                        throw new CommandException("ERR client-id should be greater than 0");
                    }
                }
                case "TYPE" -> type = type(call.text(i + 1));
                case "USER" -> {
                    if (!call.is(i + 1, "default")) {
                        throw new CommandException("ERR No such user '" + call.shown(i + 1) + "'");
                    }
                }
                case "SKIPME" -> {
                    if (!call.is(i + 1, "yes") && !call.is(i + 1, "no")) {
                        throw CommandException.syntax();
                    }
                    skipMe = call.is(i + 1, "yes");
                }
                default -> throw CommandException.syntax();
            }
        }
        call.out().integer(kill(call, new Victims(address, local, id, type, skipMe)));
    }

    /** Which connections CLIENT KILL ends. */
    private record Victims(
            @Nullable String address,
            @Nullable String local,
            @Nullable Long id,
            @Nullable String type,
            boolean skipMe) {
        boolean has(Connection connection) {
            return (address == null || address.equals(connection.remoteAddress()))
                    && (local == null || local.equals(connection.localAddress()))
                    && (id == null || id == connection.id())
                    && (type == null || type.equals(typeOf(connection)));
        }
    }

    private static int kill(Call call, Victims victims) {
        int killed = 0;
        for (Connection connection : call.endpoint().connections()) {
            boolean self = connection == call.connection();
            if (victims.has(connection) && !(self && victims.skipMe())) {
                killed++;
                if (self) {
                    connection.closeAfterAnswer();
                } else {
                    connection.close();
                }
            }
        }
        return killed;
    }

    static void clientReply(Call call) {
        if (call.is(2, "ON")) {
            call.session().reply = Session.Reply.ON;
            call.out().ok();
        } else if (call.is(2, "OFF")) {
            call.session().reply = Session.Reply.OFF;
        } else if (call.is(2, "SKIP")) {
            if (call.session().reply != Session.Reply.OFF) {
                call.session().reply = Session.Reply.SKIP_NEXT;
            }
        } else {
            throw CommandException.syntax();
        }
    }

    static void clientNoEvict(Call call) {
        if (!call.is(2, "ON") && !call.is(2, "OFF")) {
            throw CommandException.syntax();
        }
        call.out().ok();
    }

    static void clientPause(Call call) {
        if (call.size() > 4) {
            throw CommandException.subcommand(call);
        }
        boolean writes = call.size() == 4 && call.is(3, "WRITE");
        if (call.size() == 4 && !writes && !call.is(3, "ALL")) {
            throw new CommandException("ERR CLIENT PAUSE mode must be WRITE or ALL");
        }
        long millis = call.integer(2, "ERR timeout is not an integer or out of range");
        if (millis < 0) {
            throw new CommandException("ERR timeout is negative");
        }
        if (call.endpoint() instanceof NodeEndpoint node) {
            node.holdCommands(Duration.ofMillis(millis), writes);
        }
        call.out().ok();
    }

    static void clientUnpause(Call call) {
        if (call.endpoint() instanceof NodeEndpoint node) {
            node.releaseCommands();
        }
        call.out().ok();
    }

    static void clientHelp(Call call) {
        Help.answer(
                call,
                "GETNAME",
                "ID",
                "INFO",
                "KILL <option>",
                "LIST [options ...]",
                "NO-EVICT (ON|OFF)",
                "PAUSE <timeout> [WRITE|ALL]",
                "REPLY (ON|OFF|SKIP)",
                "SETNAME <name>",
                "UNPAUSE");
    }
}
