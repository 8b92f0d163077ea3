package io.kvorum.redis.worlds;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.HashSlot;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Nodes and sentinels as a client sees them through their ports: how the commands of a script are said to them, and
 * what their answers mean. It also listens to the sentinels.
 */
final class Ports implements AutoCloseable {
    static final String GROUP = "redis-cluster";

    /** A value of 64 KB, for scenarios that write much. */
    static final String FILLER = "x".repeat(1 << 16);

    /** The line of {@code CLUSTER NODES} about the primary of the first shard. */
    private static final Pattern FIRST_SHARD =
            Pattern.compile("(?m)^\\S+ ([\\d.]+):(\\d+)@\\S+ \\S*master\\S* .* 0-\\d+");

    /** The lines of {@code CLUSTER NODES} about nodes that are down, as a majority agrees. */
    private static final Pattern FAILED = Pattern.compile("(?m)^\\S+ ([\\d.]+):(\\d+)@\\S+ \\S*,fail[ ,]");

    private static final Pattern ADDRESS = Pattern.compile("(\\d+\\.\\d+\\.\\d+\\.\\d+)[: ](\\d+)");
    private static final int TIMEOUT_MILLIS = 10_000;
    private static final long PAUSE_NANOS = 50_000_000;

    private final Map<String, InetSocketAddress> addresses = new LinkedHashMap<>(); // where a client dials
    private final Map<String, String> names = new ConcurrentHashMap<>(); // of the addresses that are announced
    private final Map<String, String> announced = new LinkedHashMap<>(); // the latest one of each party
    private final String password;
    private final boolean confirming;
    private final List<World.Told> told = new ArrayList<>();
    private final Map<String, PlainClient> listening = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /**
     * Knows nobody yet.
     *
     * @param confirming whether each {@code set} is followed by a {@code WAIT} for one replica
     */
    Ports(String password, boolean confirming) {
        this.password = password;
        this.confirming = confirming;
    }

    /** Adds a party with the address that a client dials, and that under which the others know it. */
    void add(String party, InetSocketAddress address, String known) {
        addresses.put(party, address);
        names.put(known, party);
        announced.put(party, known);
    }

    /** Sends commands; who is thrown off, as all clients are when a node changes its role, dials once more. */
    List<String> ask(String party, List<String> commands) {
        List<String> answers = askOnce(party, commands);
        boolean thrownOff = answers.equals(List.of(World.CLOSED)) && !commands.contains("shutdown");
        return thrownOff ? askOnce(party, commands) : answers;
    }

    private List<String> askOnce(String party, List<String> commands) {
        List<String> answers = new ArrayList<>();
        try (PlainClient client = new PlainClient(address(party), TIMEOUT_MILLIS)) {
            boolean node = !party.startsWith("s");
            for (int i = 0; i < commands.size(); i++) {
                String command = commands.get(i);
                boolean anonymous = command.startsWith("anonymous ");
                if (i == 0 && node && !password.isEmpty() && !anonymous) {
                    client.call("AUTH " + password);
                }
                String plain = anonymous ? command.substring(10) : command;
                answers.add(node ? toNode(party, client, plain) : toSentinel(client, plain));
            }
            return answers;
        } catch (SocketTimeoutException e) {
            return List.of(World.NO_ANSWER);
        } catch (EOFException | SocketException e) {
            boolean refused = e instanceof ConnectException;
            return List.of(refused ? World.NO_CONNECTION : World.CLOSED);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private InetSocketAddress address(String party) {
        InetSocketAddress address = addresses.get(party);
        if (address == null) {
            throw new IllegalArgumentException("no such party: " + party);
        }
        return address;
    }

    private String toNode(String party, PlainClient client, String command) throws IOException {
        String[] words = command.split(" ", -1);
        switch (words[0]) {
            case "role" -> {
                List<String> role = client.call("ROLE");
                return role.get(0).equals("slave") ? "slave of " + mention(role.get(1), role.get(2)) : plain(role);
            }
            case "link" -> {
                return info(client, "master_link_status");
            }
            case "slaves" -> {
                return info(client, "connected_slaves");
            }
            case "primary" -> {
                Matcher first = FIRST_SHARD.matcher(plain(client.call("CLUSTER NODES")));
                return first.find() ? mention(first.group(1), first.group(2)) : "none";
            }
            case "down" -> {
                TreeSet<String> down = new TreeSet<>();
                FAILED.matcher(plain(client.call("CLUSTER NODES")))
                        .results()
                        .forEach(found -> down.add(mention(found.group(1), found.group(2))));
                return down.isEmpty() ? "none" : String.join(" ", down);
            }
            case "failover" -> {
                return plain(client.call("CLUSTER " + command));
            }
            case "hand" -> {
                return plain(client.call("FAILOVER TO " + announced(words[3])));
            }
            case "take" -> {
                return take(party, client, words[1], words[3]);
            }
            case "write" -> {
                return write(client, Integer.parseInt(words[1]));
            }
            case "set" -> {
                String answer = plain(client.call(command));
                return confirming && answer.equals("OK") ? "OK, WAIT " + plain(client.call("WAIT 1 1500")) : answer;
            }
            default -> {
                return plain(client.call(command));
            }
        }
    }

    private String announced(String party) {
        return String.valueOf(announced.get(party)).replace(':', ' ');
    }

    static String fillerKey(int number) {
        return "filler-" + number;
    }

    private String write(PlainClient client, int count) throws IOException {
        String answer = "OK";
        for (int i = 0; i < count && answer.equals("OK"); i++) {
            answer = plain(client.call("SET " + fillerKey(i) + " " + FILLER));
        }
        return answer;
    }

    /** Has a node take the slot of a key, which is the only one in it, from the node that owns it. */
    private String take(String party, PlainClient client, String key, String owner) throws IOException {
        String slot = "CLUSTER SETSLOT " + HashSlot.of(key.getBytes(UTF_8));
        String self = plain(client.call("CLUSTER MYID"));
        String other = askOnce(owner, List.of("CLUSTER MYID")).get(0);
        if (!plain(client.call(slot + " IMPORTING " + other)).equals("OK")) {
            return "not moved";
        }
        List<String> given = askOnce(
                owner, List.of(slot + " MIGRATING " + self, "MIGRATE " + announced(party) + " " + key + " 0 5000"));
        String taken = plain(client.call(slot + " NODE " + self));
        return given.equals(List.of("OK", "OK")) && taken.equals("OK") ? "moved" : given + ", " + taken;
    }

    private String info(PlainClient client, String field) throws IOException {
        String text = plain(client.call("INFO replication"));
        int begin = text.indexOf(field + ":");
        return begin < 0 ? text : text.substring(begin + field.length() + 1, text.indexOf('\r', begin));
    }

    /** An error is its first word, unless that says nothing; an outcome that nobody knows is called so. */
    private String plain(List<String> answer) {
        String first = answer.isEmpty() ? "(none)" : answer.get(0);
        if (!first.startsWith("-")) {
            return first;
        }
        String word = first.substring(1).split(" ", 2)[0];
        if (word.equals("UNBLOCKED") || first.contains("outcome unknown")) {
            return "unknown";
        }
        if (word.equals("MOVED")) {
            String[] target = first.split("[ :]", -1); // MOVED, slot, host, port
            return "MOVED to " + mention(target[2], target[3]);
        } else if (first.startsWith("-ERR unknown command")) {
            return "unknown command";
        }
        return word.equals("ERR") ? first.substring(1) : word;
    }

    private String toSentinel(PlainClient client, String command) throws IOException {
        switch (command) {
            case "primary" -> {
                List<String> address = client.call("SENTINEL get-master-addr-by-name " + GROUP);
                return address.size() == 2 ? mention(address.get(0), address.get(1)) : plain(address);
            }
            case "group" -> {
                Map<String, String> fields =
                        fields(client.call("SENTINEL master " + GROUP)).get(0);
                return fields.get("flags") + ", slaves " + fields.get("num-slaves") + ", other sentinels "
                        + fields.get("num-other-sentinels") + ", quorum " + fields.get("quorum");
            }
            case "slaves" -> {
                return named(fields(client.call("SENTINEL slaves " + GROUP)));
            }
            case "sentinels" -> {
                return named(fields(client.call("SENTINEL sentinels " + GROUP)));
            }
            case "followers" -> {
                List<Map<String, String>> all = fields(client.call("SENTINEL slaves " + GROUP));
                all.removeIf(fields -> fields.getOrDefault("flags", "").contains("s_down")
                        || !"slave".equals(fields.get("role-reported"))
                        || !"ok".equals(fields.get("master-link-status")));
                return named(all);
            }
            case "down" -> {
                List<Map<String, String>> all = fields(client.call("SENTINEL slaves " + GROUP));
                all.addAll(fields(client.call("SENTINEL master " + GROUP)));
                all.removeIf(fields -> !fields.getOrDefault("flags", "").contains("s_down"));
                return named(all);
            }
            case "ckquorum" -> {
                String answer = client.call("SENTINEL ckquorum " + GROUP).get(0).replace("-", "");
                return answer.substring(0, answer.indexOf(" usable")) + " usable";
            }
            case "reset" -> {
                return plain(client.call("SENTINEL reset *"));
            }
            case "failover" -> {
                return plain(client.call("SENTINEL failover " + GROUP));
            }
            default -> {
                return plain(client.call(command));
            }
        }
    }

    private String named(List<Map<String, String>> all) {
        TreeSet<String> mentions = new TreeSet<>();
        all.forEach(
                fields -> mentions.add(mention(String.valueOf(fields.get("ip")), String.valueOf(fields.get("port")))));
        return mentions.isEmpty() ? "none" : String.join(" ", mentions);
    }

    /** {@return the entries of an answer, each of which begins with a field called name} */
    private static List<Map<String, String>> fields(List<String> answer) {
        List<Map<String, String>> all = new ArrayList<>();
        for (int i = 0; i + 1 < answer.size(); i += 2) {
            if (answer.get(i).equals("name")) {
                all.add(new LinkedHashMap<>());
            }
            all.get(all.size() - 1).put(answer.get(i), answer.get(i + 1));
        }
        return all;
    }

    private String mention(String host, String port) {
        String name = names.get(host + ":" + port);
        return name == null ? "an address of nobody" : World.mention(name);
    }

    @Nullable
    String primaryBy(String observer) {
        String answer = ask(observer, List.of("primary")).get(0);
        return answer.startsWith("<") ? answer.substring(1, answer.length() - 1) : null;
    }

    // ---- events

    /** Hears what a sentinel tells from now on, until its end. */
    void listen(String sentinel) {
        PlainClient client;
        try {
            client = new PlainClient(address(sentinel), TIMEOUT_MILLIS);
            client.call("PSUBSCRIBE *");
            client.waitAsLongAsItTakes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        listening.put(sentinel, client);
        Thread thread = new Thread(() -> hear(sentinel, client), "events of " + sentinel);
        thread.setDaemon(true);
        thread.start();
    }

    private void hear(String sentinel, PlainClient client) {
        try {
            while (!closed) {
                List<String> message = client.read(); // pmessage, pattern, channel, text
                String event = message.get(2);
                boolean ofOne = event.endsWith("sdown");
                String name = ofOne ? event + " " + message.get(3).split(" ", 2)[0] : event;
                synchronized (told) {
                    told.add(new World.Told(sentinel, name, named(message.get(3))));
                }
            }
        } catch (IOException e) { // it has ended, or the world has
            listening.remove(sentinel, client);
        }
    }

    private String named(String text) {
        return ADDRESS.matcher(text).replaceAll(found -> mention(found.group(1), found.group(2)));
    }

    List<World.Told> told() {
        synchronized (told) {
            return List.copyOf(told);
        }
    }

    /** As {@link World#await}, in real time. An interrupt ends it. */
    static boolean await(BooleanSupplier condition, Duration limit) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > limit.toNanos()
                    || Thread.currentThread().isInterrupted()) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return true;
    }

    @Override
    public void close() {
        closed = true;
        for (PlainClient client : listening.values()) {
            try {
                client.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
