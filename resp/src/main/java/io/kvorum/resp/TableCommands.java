package io.kvorum.resp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** {@code COMMAND}, by which clients learn which commands there are. */
final class TableCommands {
    private static final String NO_KEYS = "ERR The command has no key arguments";

    private TableCommands() {}

    static void addTo(CommandTable table) {
        table.container(
                Command.of(
                        "command",
                        -1,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Lists the commands",
                        "2.8.13",
                        TableCommands::command),
                "server",
                Command.of(
                        "count",
                        2,
                        "loading stale @connection",
                        "",
                        "Counts the commands",
                        "2.8.13",
                        TableCommands::commandCount),
                Command.of(
                        "docs",
                        -2,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Describes commands",
                        "7.0.0",
                        TableCommands::commandDocs),
                Command.of(
                        "getkeys",
                        -4,
                        "loading stale @connection",
                        "",
                        "Finds the keys of a command",
                        "2.8.13",
                        TableCommands::commandGetkeys),
                Command.of(
                        "help",
                        2,
                        "loading stale @connection",
                        "",
                        "Lists the subcommands",
                        "5.0.0",
                        TableCommands::commandHelp),
                Command.of(
                        "info",
                        -2,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Tells arity, flags and keys of commands",
                        "2.8.13",
                        TableCommands::commandInfo),
                Command.of(
                        "list",
                        -2,
                        "loading stale @connection ~nondeterministic_output_order",
                        "",
                        "Lists the names of the commands",
                        "7.0.0",
                        TableCommands::commandList));
    }

    private static void command(Call call) {
        List<Command> commands = List.copyOf(call.endpoint().table().commands());
        call.out().array(commands.size());
        commands.forEach(command -> CommandTable.describe(command, call.out()));
    }

    private static void commandCount(Call call) {
        call.out().integer(call.endpoint().table().commands().size());
    }

    private static void commandInfo(Call call) {
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

    private static void commandDocs(Call call) {
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

    private static void commandList(Call call) {
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
        call.out().bulks(names);
    }

    private static void commandGetkeys(Call call) {
        byte[][] args = Arrays.copyOfRange(call.args(), 2, call.size());
        Command command = call.endpoint().table().named(args);
        if (command == null) {
            throw new CommandException("ERR Invalid command specified");
        }
        if (command.firstKey() == 0 || command.has("pubsub")) {
            throw new CommandException(NO_KEYS);
        }
        if (!command.takes(args.length)) {
            throw new CommandException("ERR Invalid number of arguments specified for command");
        }
        List<byte[]> keys = command.keysOf(args);
        call.out().array(keys.size());
        keys.forEach(call.out()::bulk);
    }

    private static void commandHelp(Call call) {
        Help.answer(
                call,
                "COUNT",
                "DOCS [<command-name> ...]",
                "GETKEYS <full-command>",
                "INFO [<command-name> ...]",
                "LIST");
    }
}
