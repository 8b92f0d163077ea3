package io.kvorum.resp;

import java.security.MessageDigest;

/** The commands about the connection itself. */
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
        ClientCommands.addTo(table);
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

    private static void hello(Call call) {
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

    private static void auth(Call call) {
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

    private static void ping(Call call) {
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

    private static void echo(Call call) {
        call.out().bulk(call.arg(1));
    }

    private static void quit(Call call) {
        call.out().ok();
        call.connection().closeAfterAnswer();
    }

    private static void reset(Call call) {
        call.endpoint().pubSub().forget(call.connection());
        call.endpoint().forgotten(call.connection());
        call.connection().reset();
        call.out().simple("RESET");
    }

    private static void select(Call call) {
        int database = call.smallInteger(1);
        if (call.node().cluster().mode() == RespMode.CLUSTER && database != 0) {
            throw new CommandException("ERR SELECT is not allowed in cluster mode");
        }
        if (database != 0) {
            throw new CommandException("ERR DB index is out of range");
        }
        call.out().ok();
    }

    static String checkedName(String name) {
        if (name.chars().anyMatch(c -> c < '!' || c > '~')) {
            throw new CommandException(BAD_NAME);
        }
        return name;
    }
}
