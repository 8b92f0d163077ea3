package io.kvorum.resp;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code CLIENT}: the commands about connections, one's own and those of others. */
final class ClientCommands {
    private static final String NO_ID = "ERR client-id should be greater than 0";
    private static final Set<String> TRACKING_OPTIONS = Set.of("BCAST", "OPTIN", "OPTOUT", "NOLOOP");

    private ClientCommands() {}

    static void addTo(CommandTable table) {
        table.container(
                "client",
                "connection",
                "",
                "Tells about connections and governs them",
                "2.4.0",
                Command.of(
                        "caching",
                        3,
                        "noscript loading stale @connection",
                        "",
                        "Would choose whether the next read is tracked",
                        "6.0.0",
                        ClientCommands::caching),
                Command.of(
                        "getname",
                        2,
                        "noscript loading stale @connection",
                        "",
                        "Returns the name of the connection",
                        "2.6.9",
                        ClientCommands::getname),
                Command.of(
                        "getredir",
                        2,
                        "noscript loading stale @connection",
                        "",
                        "Tells where news of tracked keys go",
                        "6.0.0",
                        ClientCommands::getredir),
                Command.of(
                        "help",
                        2,
                        "loading stale @connection",
                        "",
                        "Lists the subcommands",
                        "5.0.0",
                        ClientCommands::help),
                Command.of(
                        "id",
                        2,
                        "noscript loading stale @connection",
                        "",
                        "Returns the number of the connection",
                        "5.0.0",
                        ClientCommands::id),
                Command.of(
                        "info",
                        2,
                        "noscript loading stale @connection ~nondeterministic_output",
                        "",
                        "Tells about the connection",
                        "6.2.0",
                        ClientCommands::info),
                Command.of(
                        "kill",
                        -3,
                        "admin noscript loading stale @connection",
                        "",
                        "Closes connections",
                        "2.4.0",
                        ClientCommands::kill),
                Command.of(
                        "list",
                        -2,
                        "admin noscript loading stale @connection ~nondeterministic_output",
                        "",
                        "Lists the connections",
                        "2.4.0",
                        ClientCommands::list),
                Command.of(
                        "no-evict",
                        3,
                        "admin noscript loading stale @connection",
                        "",
                        "Keeps the connection from being evicted",
                        "7.0.0",
                        ClientCommands::noEvict),
                Command.of(
                        "pause",
                        -3,
                        "admin noscript loading stale @connection",
                        "",
                        "Holds commands back for a while",
                        "2.9.50",
                        ClientCommands::pause),
                Command.of(
                        "reply",
                        3,
                        "noscript loading stale @connection",
                        "",
                        "Turns answers off and on",
                        "3.2.0",
                        ClientCommands::reply),
                Command.of(
                        "setname",
                        3,
                        "noscript loading stale @connection",
                        "",
                        "Names the connection",
                        "2.6.9",
                        ClientCommands::setname),
                Command.of(
                        "tracking",
                        -3,
                        "noscript loading stale @connection",
                        "",
                        "Would have the server track what is read",
                        "6.0.0",
                        ClientCommands::tracking),
                Command.of(
                        "trackinginfo",
                        2,
                        "noscript loading stale @connection",
                        "",
                        "Tells what is tracked",
                        "6.2.0",
                        ClientCommands::trackinginfo),
                Command.of(
                        "unblock",
                        -3,
                        "admin noscript loading stale @connection",
                        "",
                        "Ends the wait of another connection",
                        "5.0.0",
                        ClientCommands::unblock),
                Command.of(
                        "unpause",
                        2,
                        "admin noscript loading stale @connection",
                        "",
                        "Ends the pause",
                        "6.2.0",
                        ClientCommands::unpause));
    }

    private static void id(Call call) {
        call.out().integer(call.connection().id());
    }

    private static void getname(Call call) {
        String name = call.session().name;
        if (name.isEmpty()) {
            call.out().nil();
        } else {
            call.out().bulk(Text.bytes(name));
        }
    }

    private static void setname(Call call) {
        call.session().name = ConnectionCommands.checkedName(call.text(2));
        call.out().ok();
    }

    private static void info(Call call) {
        call.out().verbatim(call.connection().describe() + "\n");
    }

    private static void list(Call call) {
        List<Connection> connections = call.endpoint().connections();
        if (call.size() == 4 && call.is(2, "TYPE")) {
            String type = type(call, 3);
            connections =
                    connections.stream().filter(it -> typeOf(it).equals(type)).toList();
        } else if (call.size() > 3 && call.is(2, "ID")) {
            List<Connection> wanted = new ArrayList<>(); // in the order that was asked for
            for (int i = 3; i < call.size(); i++) {
                Connection found = connection(connections, call.integer(i, "ERR Invalid client ID"));
                if (found != null) {
                    wanted.add(found);
                }
            }
            connections = wanted;
        } else if (call.size() != 2) {
            throw CommandException.syntax();
        }
        call.out()
                .verbatim(connections.stream()
                        .map(connection -> connection.describe() + "\n")
                        .collect(Collectors.joining()));
    }

    private static @Nullable Connection connection(List<Connection> connections, long id) {
        return connections.stream().filter(it -> it.id() == id).findAny().orElse(null);
    }

    private static String type(Call call, int index) {
        String type = call.text(index).toLowerCase(Locale.ROOT);
        if (!List.of("normal", "pubsub", "master", "replica", "slave").contains(type)) {
            throw new CommandException("ERR Unknown client type '" + call.shown(index) + "'");
        }
        return type;
    }

    private static String typeOf(Connection connection) {
        return connection.session().subscribed() ? "pubsub" : "normal";
    }

    private static void kill(Call call) {
        if (call.size() == 3) {
            if (end(call, new Victims(call.text(2), null, null, null, false)) == 0) {
                throw new CommandException("ERR No such client");
            }
            call.out().ok();
            return;
        }
        String address = null;
        String local = null;
        Long id = null;
        String type = null;
        boolean skipMe = true;
        for (int i = 2; i < call.size(); i += 2) {
            if (i + 1 == call.size()) {
                throw CommandException.syntax();
            }
            switch (call.text(i).toUpperCase(Locale.ROOT)) {
                case "ADDR" -> address = call.text(i + 1);
                case "LADDR" -> local = call.text(i + 1);
                case "ID" -> {
                    id = call.integer(i + 1, NO_ID);
                    if (id < 1) {
                        throw new CommandException(NO_ID);
                    }
                }
                case "TYPE" -> type = type(call, i + 1);
                case "USER" -> {
                    if (!call.text(i + 1).equals("default")) {
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
        call.out().integer(end(call, new Victims(address, local, id, type, skipMe)));
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

    private static int end(Call call, Victims victims) {
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

    private static void reply(Call call) {
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

    private static void noEvict(Call call) {
        if (!call.is(2, "ON") && !call.is(2, "OFF")) {
            throw CommandException.syntax();
        }
        call.out().ok();
    }

    private static void pause(Call call) {
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
            node.holdCommands(millis, writes);
        }
        call.out().ok();
    }

    private static void unpause(Call call) {
        if (call.endpoint() instanceof NodeEndpoint node) {
            node.releaseCommands();
        }
        call.out().ok();
    }

    private static void unblock(Call call) {
        if (call.size() > 4) {
            throw CommandException.subcommand(call);
        }
        boolean failed = call.size() == 4 && call.is(3, "ERROR");
        if (call.size() == 4 && !failed && !call.is(3, "TIMEOUT")) {
            throw new CommandException("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        }
        Connection blocked = connection(call.endpoint().connections(), call.integer(2));
        boolean ended = blocked != null && blocked.session().unblock(failed ? Session.Wait.FAILED : Session.Wait.OVER);
        call.out().integer(ended ? 1 : 0);
    }

    // ---- the tracking of what is read, which is always off

    private static void tracking(Call call) {
        for (int i = 3; i < call.size(); i++) {
            boolean takesWord = call.is(i, "REDIRECT") || call.is(i, "PREFIX");
            boolean known = TRACKING_OPTIONS.contains(call.text(i).toUpperCase(Locale.ROOT));
            if (!known && !(takesWord && i + 1 < call.size())) {
                throw CommandException.syntax();
            }
            i += takesWord ? 1 : 0;
        }
        if (call.is(2, "ON")) {
            throw new CommandException("ERR this server does not track what clients read");
        }
        if (!call.is(2, "OFF")) {
            throw CommandException.syntax();
        }
        call.out().ok();
    }

    private static void trackinginfo(Call call) {
        RespWriter out = call.out();
        out.map(3);
        out.bulk("flags");
        out.set(1);
        out.bulk("off");
        out.bulk("redirect");
        out.integer(-1);
        out.bulk("prefixes");
        out.array(0);
    }

    private static void getredir(Call call) {
        call.out().integer(-1);
    }

    private static void caching(Call call) {
        throw new CommandException("ERR CLIENT CACHING can be called only when the client is in tracking mode with "
                + "OPTIN or OPTOUT mode enabled");
    }

    private static void help(Call call) {
        Help.answer(
                call,
                "CACHING (YES|NO)",
                "GETNAME",
                "GETREDIR",
                "ID",
                "INFO",
                "KILL <option>",
                "LIST [options ...]",
                "NO-EVICT (ON|OFF)",
                "PAUSE <timeout> [WRITE|ALL]",
                "REPLY (ON|OFF|SKIP)",
                "SETNAME <name>",
                "TRACKING (ON|OFF) [option ...]",
                "TRACKINGINFO",
                "UNBLOCK <clientid> [TIMEOUT|ERROR]",
                "UNPAUSE");
    }
}
