package io.kvorum.resp;

/** The commands that look into a server, as far as there is something to see. */
final class DiagnosticCommands {
    /** What a key takes beside its bytes and those of its value, about. */
    private static final int OVERHEAD = 72;

    private DiagnosticCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "server",
                Command.of(
                        "debug",
                        -2,
                        "admin noscript loading stale",
                        "",
                        "Would look into the server",
                        "1.0.0",
                        DiagnosticCommands::debug));
        String spread = "admin noscript loading stale ~nondeterministic_output ~request_policy:all_nodes "
                + "~response_policy:special";
        table.container(
                "latency",
                "server",
                "",
                "Tells about delays",
                "2.8.13",
                Command.of(
                        "graph",
                        3,
                        spread,
                        "",
                        "Would draw the delays of an event",
                        "2.8.13",
                        DiagnosticCommands::latencyGraph),
                Command.of(
                        "help",
                        2,
                        "loading stale",
                        "",
                        "Lists the subcommands",
                        "2.8.13",
                        DiagnosticCommands::latencyHelp),
                Command.of(
                        "history",
                        3,
                        spread,
                        "",
                        "Lists the delays of an event",
                        "2.8.13",
                        DiagnosticCommands::latencyHistory),
                Command.of(
                        "latest",
                        2,
                        spread,
                        "",
                        "Lists the last delay of each event",
                        "2.8.13",
                        DiagnosticCommands::latencyLatest),
                Command.of(
                        "reset",
                        -2,
                        "admin noscript loading stale ~request_policy:all_nodes ~response_policy:all_succeeded",
                        "",
                        "Forgets the delays",
                        "2.8.13",
                        DiagnosticCommands::latencyReset));
        table.add(
                "server",
                Command.of(
                        "lolwut",
                        -1,
                        "readonly fast",
                        "",
                        "Tells the version of the server",
                        "5.0.0",
                        DiagnosticCommands::lolwut));
        table.container(
                "memory",
                "server",
                "",
                "Tells about memory",
                "4.0.0",
                Command.of(
                        "help",
                        2,
                        "loading stale",
                        "",
                        "Lists the subcommands",
                        "4.0.0",
                        DiagnosticCommands::memoryHelp),
                Command.of(
                        "usage",
                        -3,
                        "readonly",
                        "2 2 1 RO",
                        "Estimates what a key takes",
                        "4.0.0",
                        DiagnosticCommands::memoryUsage));
    }

    private static void debug(Call call) {
        throw new AssertionError(call); // the table allows it to nobody
    }

    // ---- delays, none of which are recorded

    private static void latencyLatest(Call call) {
        call.out().array(0);
    }

    private static void latencyHistory(Call call) {
        call.out().array(0);
    }

    private static void latencyReset(Call call) {
        call.out().integer(0);
    }

    private static void latencyGraph(Call call) {
        throw new CommandException("ERR No samples available for event '" + call.shown(2) + "'");
    }

    private static void latencyHelp(Call call) {
        Help.answer(call, "GRAPH <event>", "HISTORY <event>", "LATEST", "RESET [<event> ...]");
    }

    private static void lolwut(Call call) {
        if (call.size() > 2 && call.is(1, "VERSION")) {
            call.integer(2); // of all versions the picture is missing
        }
        call.out().verbatim("Redis ver. " + Info.VERSION + "\n");
    }

    private static void memoryUsage(Call call) {
        for (int i = 3; i < call.size(); i += 2) {
            if (!call.is(i, "SAMPLES") || i + 1 == call.size() || call.integer(i + 1) < 0) {
                throw CommandException.syntax();
            }
        }
        byte[] key = call.arg(2);
        long size = call.reading(key, keys -> keys.exists(key) ? (long) keys.length(key) : -1);
        if (size < 0) {
            call.out().nil();
        } else {
            call.out().integer(OVERHEAD + key.length + size);
        }
    }

    private static void memoryHelp(Call call) {
        Help.answer(call, "USAGE <key> [SAMPLES <count>]");
    }
}
