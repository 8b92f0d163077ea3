package io.kvorum.resp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A command as the table has it: what clients are told of it, and what carries it out.
 *
 * <p>Immutable.
 *
 * @param name its name in lower case, a subcommand's with that of its container in front: {@code client|list}
 * @param group to which group of commands it belongs
 * @param arity how many words it has, its name among them; if negative, at least so many
 * @param flags the flags that clients are told
 * @param categories the categories of access control, without the {@code @}
 * @param tips hints for clients that send commands on to several nodes
 * @param firstKey where its first key is, or 0 if it has none
 * @param lastKey where its last key is; if negative, counted from the end
 * @param keyStep from one key to the next
 * @param keyFlags what it does with its keys: once for all, or for each key position
 * @param summary what it does, in a few words
 * @param since the version of the server that had it first
 * @param handler carries it out
 * @param subcommands its subcommands by their last names; none unless it is a container
 * @param traits what follows from the name and the flags
 */
record Command(
        String name,
        String group,
        int arity,
        List<String> flags,
        List<String> categories,
        List<String> tips,
        int firstKey,
        int lastKey,
        int keyStep,
        List<List<String>> keyFlags,
        String summary,
        String since,
        Handler handler,
        Map<String, Command> subcommands,
        Traits traits) {
    /** The order in which clients are told the categories. */
    private static final List<String> CATEGORIES = List.of(
            "keyspace",
            "read",
            "write",
            "set",
            "sortedset",
            "list",
            "hash",
            "string",
            "bitmap",
            "hyperloglog",
            "geo",
            "stream",
            "pubsub",
            "admin",
            "fast",
            "slow",
            "blocking",
            "dangerous",
            "connection",
            "transaction",
            "scripting");

    /** What is asked for at each call, found out once. */
    record Traits(
            boolean write,
            boolean replicated,
            boolean read,
            boolean exec,
            boolean noAuth,
            boolean whileIncomplete,
            boolean control,
            boolean atOnce,
            boolean forbidden,
            boolean ofSubscribers) {
        static Traits of(String name, List<String> flags) {
            return new Traits(
                    flags.contains("write"),
                    flags.contains("write") || PubSubCommands.SENDING.contains(name),
                    flags.contains("readonly"),
                    name.equals("exec"),
                    flags.contains("no_auth"),
                    flags.contains("loading") || flags.contains("stale"),
                    name.startsWith("kvorum|"),
                    TransactionCommands.AT_ONCE.contains(name),
                    name.equals("debug"),
                    PubSubCommands.OF_SUBSCRIBERS.contains(name));
        }
    }

    /** Carries a command out. */
    @FunctionalInterface
    interface Handler {
        /** Writes the answer of a call, or throws {@link CommandException}. */
        void handle(Call call);
    }

    /**
     * Describes a command in the short form of the tables.
     *
     * @param name its last name
     * @param arity its arity
     * @param words its flags; categories that the flags do not imply, each behind a {@code @}; tips, each behind a
     *     {@code ~}
     * @param keys first, last and step of its keys and what it does with them, or empty
     */
    static Command of(
            String name, int arity, String words, String keys, String summary, String since, Handler handler) {
        List<String> flags = new ArrayList<>();
        List<String> tips = new ArrayList<>();
        TreeSet<String> categories = new TreeSet<>((a, b) -> CATEGORIES.indexOf(a) - CATEGORIES.indexOf(b));
        for (String word : words(words)) {
            if (word.startsWith("@")) {
                categories.add(word.substring(1));
            } else if (word.startsWith("~")) {
                tips.add(word.substring(1));
            } else {
                flags.add(word);
            }
        }
        addImplied(flags, categories);
        List<String> positions = words(keys);
        List<List<String>> keyFlags = new ArrayList<>();
        if (!positions.isEmpty()) {
            String rest = String.join(" ", positions.subList(3, positions.size()));
            for (String part : rest.split(";", -1)) {
                keyFlags.add(words(part));
            }
        }
        boolean keyless = positions.isEmpty();
        return new Command(
                name,
                "",
                arity,
                List.copyOf(flags),
                List.copyOf(categories),
                List.copyOf(tips),
                keyless ? 0 : Integer.parseInt(positions.get(0)),
                keyless ? 0 : Integer.parseInt(positions.get(1)),
                keyless ? 0 : Integer.parseInt(positions.get(2)),
                List.copyOf(keyFlags),
                summary,
                since,
                handler,
                Map.of(),
                Traits.of(name, flags));
    }

    private static void addImplied(List<String> flags, TreeSet<String> categories) {
        categories.add(flags.contains("fast") ? "fast" : "slow");
        if (flags.contains("write")) {
            categories.add("write");
        }
        if (flags.contains("readonly")) {
            categories.add("read");
        }
        if (flags.contains("pubsub")) {
            categories.add("pubsub");
        }
        if (flags.contains("admin")) {
            categories.add("admin");
            categories.add("dangerous");
        }
    }

    private static List<String> words(String text) {
        return text.isBlank() ? List.of() : Arrays.asList(text.trim().split(" +"));
    }

    /** {@return this command in a group and, if it has a container, under the container's name} */
    Command in(String newGroup, @Nullable String container) {
        return new Command(
                container == null ? name : container + "|" + name,
                newGroup,
                arity,
                flags,
                categories,
                tips,
                firstKey,
                lastKey,
                keyStep,
                keyFlags,
                summary,
                since,
                handler,
                subcommands,
                Traits.of(container == null ? name : container + "|" + name, flags));
    }

    /** {@return this command as the container of others} */
    Command with(List<Command> commands) {
        Map<String, Command> byName = new LinkedHashMap<>();
        for (Command command : commands) {
            byName.put(command.name, command.in(group, name));
        }
        return new Command(
                name,
                group,
                arity,
                flags,
                categories,
                tips,
                firstKey,
                lastKey,
                keyStep,
                keyFlags,
                summary,
                since,
                handler,
                byName,
                traits);
    }

    boolean has(String flag) {
        return flags.contains(flag);
    }

    boolean isWrite() {
        return traits.write;
    }

    /** {@return whether the server has its replicas carry it out too} */
    boolean isReplicated() {
        return traits.replicated;
    }

    boolean isExec() {
        return traits.exec;
    }

    /** {@return whether it does anything with the data of the node} */
    boolean usesStore() {
        return traits.write || traits.read || firstKey > 0;
    }

    boolean takes(int words) {
        return arity < 0 ? words >= -arity : words == arity;
    }

    /** {@return the keys of a call, in their order} */
    List<byte[]> keysOf(byte[][] args) {
        if (firstKey == 0 || args.length <= firstKey) {
            return List.of();
        }
        int last = lastKey < 0 ? args.length + lastKey : Math.min(lastKey, args.length - 1);
        if (firstKey == last) {
            return List.of(args[firstKey]);
        }
        List<byte[]> keys = new ArrayList<>();
        for (int i = firstKey; i <= last; i += keyStep) {
            keys.add(args[i]);
        }
        return keys;
    }

    /** {@return a word as the name of a command} */
    static String nameOf(byte[] word) {
        return Text.latin(word).toLowerCase(Locale.ROOT);
    }
}
