package io.kvorum.resp;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The commands that a kind of endpoint has. Each family of commands adds its own, so what is added in one place is
 * dispatched, routed by its keys, and told to clients that ask for the table.
 *
 * <p>Safe for use by any number of threads once it is filled.
 */
final class CommandTable {
    private static final int MAX_SHOWN = 128;
    private static final int RECENT = 251;
    private static final String FORBIDDEN =
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
                    + "\"local\", you can run it from a local connection, otherwise you need to set this option in the "
                    + "configuration file, and then restart the server.";

    private final Map<String, Command> commands = new LinkedHashMap<>();
    private final @Nullable Known[] recent = new Known[RECENT];

    /** Adds a command to a group. */
    void add(String group, Command command) {
        commands.put(command.name(), command.in(group, null));
    }

    /** Adds a command that only has subcommands. */
    void container(String name, String group, String words, String summary, String since, Command... subcommands) {
        Command container = Command.of(name, -2, words, "", summary, since, call -> {
            throw new AssertionError(name); // one of its subcommands is found, or none
        });
        container(container, group, subcommands);
    }

    /** Adds a command that has subcommands and can do without. */
    void container(Command container, String group, Command... subcommands) {
        commands.put(container.name(), container.in(group, null).with(Arrays.asList(subcommands)));
    }

    /** Adds commands that another table has. */
    void copy(CommandTable from, String... names) {
        for (String name : names) {
            Command command = from.byName(name);
            if (command == null) {
                throw new IllegalArgumentException("the table must have the command: " + name);
            }
            commands.put(name, command);
        }
    }

    Collection<Command> commands() {
        return commands.values();
    }

    /** {@return a command by its name, in lower case and perhaps with that of its container in front, or null} */
    @Nullable
    Command byName(String name) {
        int bar = name.indexOf('|');
        Command command = commands.get(bar < 0 ? name : name.substring(0, bar));
        return bar < 0 || command == null ? command : command.subcommands().get(name.substring(bar + 1));
    }

    /**
     * Finds the command of a call.
     *
     * @param args the words of the call
     * @return the command, a subcommand where there is one
     * @throws CommandException with the server's error if there is no such command, or the number of words is wrong
     */
    Command find(byte[][] args) {
        Command command = named(args);
        if (command == null) {
            Command container = named(args[0]);
            throw new CommandException(
                    container == null
                            ? unknown(args)
                            : "ERR unknown subcommand '" + shown(args[1], MAX_SHOWN) + "'. Try "
                                    + container.name().toUpperCase(Locale.ROOT) + " HELP.");
        }
        if (!command.takes(args.length)) {
            throw new CommandException("ERR wrong number of arguments for '" + command.name() + "' command");
        }
        if (command.traits().forbidden()) {
            throw new CommandException(FORBIDDEN);
        }
        return command;
    }

    /** {@return the command that a call names, a subcommand where there is one, or null} */
    @Nullable
    Command named(byte[][] args) {
        Command command = named(args[0]);
        return command == null || command.subcommands().isEmpty() || args.length == 1
                ? command
                : command.subcommands().get(Command.nameOf(args[1]));
    }

    /** Short names, in capitals or small letters, are found without making text of them. */
    private @Nullable Command named(byte[] name) {
        if (name.length == 0 || name.length > Long.BYTES) {
            return commands.get(Command.nameOf(name));
        }
        long code = 0;
        for (byte b : name) {
            code = (code << Byte.SIZE) | (b >= 'A' && b <= 'Z' ? b | 0x20 : b & 0xff);
        }
        int place = (int) Math.floorMod(code, (long) RECENT);
        Known known = recent[place];
        if (known != null && known.code == code) {
            return known.command;
        }
        Command command = commands.get(Command.nameOf(name));
        if (command != null) {
            recent[place] = new Known(code, command);
        }
        return command;
    }

    /** A command under the letters of its name. */
    private record Known(long code, Command command) {}

    private static String unknown(byte[][] args) {
        StringBuilder shown = new StringBuilder();
        for (int i = 1; i < args.length && shown.length() < MAX_SHOWN; i++) {
            String word = shown(args[i], MAX_SHOWN - shown.length());
            shown.append('\'').append(word).append("' ");
        }
        return "ERR unknown command '" + shown(args[0], MAX_SHOWN) + "', with args beginning with: " + shown;
    }

    private static String shown(byte[] word, int most) {
        String text = Text.latin(word);
        return Text.shown(text.substring(0, Math.min(text.length(), most)));
    }

    /** Writes what COMMAND INFO tells of a command. */
    static void describe(Command command, RespWriter out) {
        out.array(10);
        out.bulk(command.name());
        out.integer(command.arity());
        out.simples(command.flags());
        out.integer(command.firstKey());
        out.integer(command.lastKey());
        out.integer(command.keyStep());
        out.simples(command.categories().stream().map(name -> "@" + name).toList());
        out.set(command.tips().size());
        command.tips().forEach(out::bulk);
        describeKeys(command, out);
        if (command.subcommands().isEmpty()) {
            out.set(0);
        } else {
            out.array(command.subcommands().size());
        }
        command.subcommands().values().forEach(subcommand -> describe(subcommand, out));
    }

    private static void describeKeys(Command command, RespWriter out) {
        List<List<String>> flags = command.keyFlags();
        out.set(flags.size());
        for (int i = 0; i < flags.size(); i++) {
            int last = flags.size() > 1 || command.lastKey() > 0
                    ? flags.size() > 1 ? 0 : command.lastKey() - command.firstKey()
                    : command.lastKey();
            out.map(3);
            out.bulk("flags");
            out.simples(flags.get(i));
            out.bulk("begin_search");
            out.map(2);
            out.bulk("type");
            out.bulk("index");
            out.bulk("spec");
            out.map(1);
            out.bulk("index");
            out.integer(command.firstKey() + i);
            out.bulk("find_keys");
            out.map(2);
            out.bulk("type");
            out.bulk("range");
            out.bulk("spec");
            out.map(3);
            out.bulk("lastkey");
            out.integer(last);
            out.bulk("keystep");
            out.integer(command.keyStep());
            out.bulk("limit");
            out.integer(0);
        }
    }

    /** Writes what COMMAND DOCS tells of a command. */
    static void document(Command command, RespWriter out) {
        out.bulk(command.name());
        boolean container = !command.subcommands().isEmpty();
        out.map(container ? 4 : 3);
        out.bulk("summary");
        out.bulk(command.summary());
        out.bulk("since");
        out.bulk(command.since());
        out.bulk("group");
        out.bulk(command.group());
        if (container) {
            out.bulk("subcommands");
            out.map(command.subcommands().size());
            command.subcommands().values().forEach(subcommand -> document(subcommand, out));
        }
    }
}
