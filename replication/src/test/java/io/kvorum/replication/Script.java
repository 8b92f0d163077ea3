package io.kvorum.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Plays one script. A line is an input, a comment that begins with {@code #}, or empty; what the nodes answer, save,
 * say and publish stands indented below the input. Epochs are written as round.candidate and positions as epoch:offset;
 * nodes have the incarnations 1, 2, 3 in the order of their names.
 *
 * <pre>
 * nodes a b c [minReplicas=1] [log=1024]     makes the nodes
 * started a b c                              the same, with the shard begun at the first, unseen
 * fence 2.1 S1 a b                           and the other commands: epoch, sentinel, nodes
 * begin 1.1 S1 a : a [joining b c] [anew]    the node, the members, and who is to join; anew: data is lost
 * promote 2.1 S1 b [at 1.1:90] [as 7]        expected position and incarnation, if not the node's own
 *         [committed 55]                     and up to where its log is known to be committed
 * follow 2.1 b a / pause 2.1 b 500 / resume 2.1 b / replace 2.1 b c d
 * write a key value / await a 1 MAJORITY [1.1:90] / confirm a 1
 * advance 100                                milliseconds pass at all nodes
 * deliver [a b]                              all messages, until there are none; or those from a to b that are there
 * drop [a b]                                 loses messages instead
 * cut a / heal                               loses all messages of a node from now on
 * settle                                     two seconds pass, unseen
 * restart c empty|data|forgotten             with its promise only, with its data, or with nothing
 * failing c true|false                       whether its state fails
 * stray x b [of t]                           a heartbeat of epoch 9.1 from x to b, of another shard
 * stale b a 3.1                              a message that says so
 * spoil a b                                  makes the records under way ones of the unknown kind 9
 * status                                     where all nodes stand
 * </pre>
 */
final class Script implements AutoCloseable {
    private static final Pattern EPOCH_IN_POSITION = Pattern.compile("\\b(\\d{4,}):(\\d+)");
    private static final Pattern EPOCH = Pattern.compile("\\b(epoch|promised)=(\\d+)");

    private final StringBuilder text = new StringBuilder();
    private TestShard shard = new TestShard();
    private boolean loud = true;

    String play(List<String> lines) {
        for (String line : lines) {
            if (line.startsWith("  ")) {
                continue;
            }
            text.append(line).append('\n');
            if (!line.isEmpty() && !line.startsWith("#")) {
                input(line.split(" ", -1));
                observe();
            }
        }
        return text.toString();
    }

    @Override
    public void close() {
        shard.close();
    }

    private void input(String[] words) {
        switch (words[0]) {
            case "nodes" -> make(words);
            case "started" ->
                quietly(() -> {
                    make(words);
                    shard.begin();
                    shard.settle();
                });
            case "settle" -> quietly(shard::settle);
            case "fence" ->
                nodes(words, 3).forEach(node -> answer(node, node.node.fence(epoch(words[1]), id(words[2]))));
            case "begin" -> begin(words);
            case "promote" -> promote(words);
            case "follow" ->
                answer(node(words[2]), node(words[2]).node.follow(epoch(words[1]), id(words[3]), shard.now));
            case "pause" ->
                answer(node(words[2]), node(words[2]).node.pause(epoch(words[1]), shard.now + millis(words[3])));
            case "resume" -> answer(node(words[2]), node(words[2]).node.resume(epoch(words[1]), shard.now));
            case "replace" -> {
                if (!shard.nodes.containsKey(id(words[4]))) {
                    shard.add(id(words[4]));
                }
                answer(node(words[2]), node(words[2]).node.replace(epoch(words[1]), id(words[3]), id(words[4])));
            }
            case "write" -> write(words);
            case "await" -> await(words);
            case "confirm" -> node(words[1]).node.confirm(Long.parseLong(words[2]), shard.now + millis("10000"));
            case "advance" -> {
                shard.now += millis(words[1]);
                shard.nodes.values().forEach(shard::tick);
            }
            case "deliver" -> deliver(words);
            case "drop" -> drop(words);
            case "cut" -> shard.isolate(id(words[1]));
            case "heal" -> shard.heal();
            case "restart" -> restart(words);
            case "failing" -> node(words[1]).state.failing = Boolean.parseBoolean(words[2]);
            case "stray" ->
                receive(
                        words[1],
                        words[2],
                        new ReplicationMessage.Heartbeat(
                                words.length > 3 ? new ShardId(words[4]) : TestShard.SHARD,
                                epoch("9.1"),
                                1,
                                new LogPosition(epoch("9.1"), 99),
                                99));
            case "stale" ->
                receive(words[1], words[2], new ReplicationMessage.StaleEpoch(TestShard.SHARD, epoch(words[3])));
            case "spoil" -> spoil(words);
            case "status" -> shard.nodes.values().forEach(node -> say(status(node.status())));
            default -> throw new IllegalArgumentException("input must be known: " + words[0]);
        }
    }

    // ---- inputs

    private void quietly(Runnable inputs) {
        loud = false;
        inputs.run();
        observe();
        loud = true;
    }

    private void make(String[] words) {
        ReplicationSettings settings = TestShard.SETTINGS;
        int capacity = 1 << 16;
        List<NodeId> ids = new ArrayList<>();
        for (int i = 1; i < words.length; i++) {
            if (words[i].startsWith("minReplicas=")) {
                settings = settings.withMinReplicas(Integer.parseInt(words[i].substring(12)));
            } else if (words[i].startsWith("log=")) {
                capacity = Integer.parseInt(words[i].substring(4));
            } else {
                ids.add(id(words[i]));
            }
        }
        shard.close();
        shard = new TestShard(settings, capacity);
        shard.observer = this::ready;
        ids.forEach(shard::add);
    }

    private void begin(String[] words) {
        List<Member> members = new ArrayList<>();
        List<NodeId> joining = new ArrayList<>();
        boolean anew = words[words.length - 1].equals("anew");
        boolean later = false;
        for (String word : List.of(words).subList(5, words.length - (anew ? 1 : 0))) {
            if (word.equals("joining")) {
                later = true;
            } else if (later) {
                joining.add(id(word));
            } else {
                members.add(node(word).member());
            }
        }
        TestShard.Node node = node(words[3]);
        answer(node, node.node.begin(epoch(words[1]), id(words[2]), new MemberList(members), joining, anew, shard.now));
    }

    private void promote(String[] words) {
        TestShard.Node node = node(words[3]);
        LogPosition expected = node.end();
        long incarnation = node.status().incarnation();
        long committed = -1;
        for (int i = 4; i < words.length; i += 2) {
            if (words[i].equals("at")) {
                expected = position(words[i + 1]);
            } else if (words[i].equals("committed")) {
                committed = Long.parseLong(words[i + 1]);
            } else {
                incarnation = Long.parseLong(words[i + 1]);
            }
        }
        answer(node, node.node.promote(epoch(words[1]), id(words[2]), incarnation, expected, committed, shard.now));
    }

    private void write(String[] words) {
        try {
            node(words[1]).write(words[2], words[3]);
            shard.tick(node(words[1]));
        } catch (RefusedException e) {
            say(words[1] + " refuses: " + e.kind());
        }
    }

    private void await(String[] words) {
        TestShard.Node node = node(words[1]);
        Acknowledgement level = switch (words[3]) {
            case "LOCAL" -> Acknowledgement.LOCAL;
            case "MAJORITY" -> Acknowledgement.MAJORITY;
            default -> Acknowledgement.replicas(Integer.parseInt(words[3]));
        };
        LogPosition position = words.length > 4 ? position(words[4]) : node.end();
        node.node.await(Long.parseLong(words[2]), position, level, shard.now + millis("10000"));
    }

    private void deliver(String[] words) {
        if (words.length == 1) {
            while (!shard.network.isEmpty()) {
                shard.deliver(shard.network.remove());
                observe();
            }
        } else {
            take(words).forEach(sent -> {
                shard.deliver(sent);
                observe();
            });
        }
    }

    private void drop(String[] words) {
        take(words).forEach(sent -> sent.message().release());
    }

    private List<TestShard.Sent> take(String[] words) {
        List<TestShard.Sent> taken = shard.network.stream()
                .filter(sent -> words.length == 1
                        || (sent.from().equals(id(words[1])) && sent.to().equals(id(words[2]))))
                .toList();
        shard.network.removeAll(taken);
        return taken;
    }

    private void restart(String[] words) {
        TestShard.Node node = node(words[1]);
        switch (words[2]) {
            case "empty" -> node.restartEmpty();
            case "data" -> node.restartWithData();
            default -> node.restartWithoutPromise();
        }
    }

    /** Gives the first record of each append that is under way a kind that nobody knows. */
    private void spoil(String[] words) {
        for (TestShard.Sent sent : take(words)) {
            ReplicationMessage message = sent.message();
            if (message instanceof ReplicationMessage.Append append) {
                ByteBuf records = append.records().copy();
                records.setByte(records.readerIndex() + 4, 9);
                message = new ReplicationMessage.Append(
                        append.shard(),
                        append.epoch(),
                        append.sequence(),
                        append.previous(),
                        append.committed(),
                        records);
                append.release();
            }
            shard.network.add(new TestShard.Sent(sent.from(), sent.to(), message));
        }
    }

    private void receive(String from, String to, ReplicationMessage message) {
        node(to).node.receive(id(from), message, shard.now);
    }

    // ---- outputs

    private void say(String line) {
        if (loud) {
            String readable = EPOCH_IN_POSITION
                    .matcher(line)
                    .replaceAll(m -> Epoch.toString(Long.parseLong(m.group(1))) + ":" + m.group(2));
            text.append("  ")
                    .append(EPOCH.matcher(readable).replaceAll(Script::readable))
                    .append('\n');
        }
    }

    private static String readable(MatchResult match) {
        return match.group(1) + "=" + Epoch.toString(Long.parseLong(match.group(2)));
    }

    private void answer(TestShard.Node node, ControlAnswer answer) {
        say(node.id + " answers " + answer.outcome());
        observe();
    }

    private void observe() {
        for (TestShard.Node node : shard.nodes.values()) {
            shard.collect(node);
        }
    }

    private void ready(TestShard.Node node, Ready ready) {
        Promise promise = ready.toSave();
        if (promise != null) {
            say(node.id + " saves incarnation " + promise.incarnation() + " life " + promise.life() + " epoch "
                    + Epoch.toString(promise.epoch()) + (promise.holder() == null ? "" : " for " + promise.holder())
                    + (promise.begun() ? " begun" : ""));
        }
        for (ReplicationEvent event : ready.events()) {
            say(node.id + " tells "
                    + event.toString().replace("node=" + node.id + ", ", "").replaceAll("@[0-9a-f]+", ""));
        }
        for (Ready.Completion completion : ready.completions()) {
            say(node.id + " completes " + completion.request() + ": " + completion.outcome() + ", replicas "
                    + completion.acknowledged());
        }
        for (Ready.Envelope envelope : ready.messages()) {
            say(node.id + " -> " + envelope.to() + " " + message(envelope.message()));
        }
    }

    private static String message(ReplicationMessage message) {
        String head = message.getClass().getSimpleName() + " " + Epoch.toString(message.epoch());
        if (message instanceof ReplicationMessage.Heartbeat m) {
            return head + " #" + m.sequence() + " end " + m.end() + " committed " + m.committed();
        } else if (message instanceof ReplicationMessage.Append m) {
            return head + " #" + m.sequence() + " after " + m.previous() + " committed " + m.committed() + ": "
                    + records(m.records());
        } else if (message instanceof ReplicationMessage.SnapshotPart m) {
            return head + " #" + m.sequence() + " sync " + m.sync() + " part " + m.part() + " for " + m.incarnation()
                    + "/" + m.life() + " from " + m.start() + ": " + records(m.records()) + " | "
                    + m.entries().toString(UTF_8).trim().replace('\n', ' ') + (m.end() == null ? "" : " | " + end(m));
        } else if (message instanceof ReplicationMessage.Ack m) {
            return head + " #" + m.sequence() + " " + m.incarnation() + "/" + m.life() + " at " + m.position()
                    + (m.complete() ? " complete " : " incomplete ") + m.taken()
                    + (m.sync() == 0 ? "" : " sync " + m.sync() + " next part " + m.nextPart());
        }
        return head;
    }

    private static String end(ReplicationMessage.SnapshotPart part) {
        ReplicationMessage.SyncEnd end = requireNonNull(part.end());
        String history = end.history().leaderships().stream()
                .map(l -> Epoch.toString(l.epoch()) + "@" + l.firstOffset())
                .collect(Collectors.joining(" "));
        return "end: history " + history + ", members " + end.members().current()
                + joining(end.members().joining()) + " to " + end.members().at();
    }

    private static String members(Roster roster) {
        return roster.members() + joining(roster.joining());
    }

    private static String joining(List<NodeId> joining) {
        return joining.isEmpty() ? "" : " joining " + joining;
    }

    private static String records(ByteBuf records) {
        StringBuilder text = new StringBuilder();
        for (int i = records.readerIndex(); i < records.writerIndex(); i += Records.size(records, i)) {
            text.append(text.isEmpty() ? "" : " ");
            switch (Records.kind(records, i)) {
                case Records.BEGIN ->
                    text.append("BEGIN(")
                            .append(Epoch.toString(Records.epoch(records, i)))
                            .append(Records.beginsShard(records, i) ? " " + members(Records.roster(records, i)) : "")
                            .append(')');
                case Records.MEMBERS -> text.append("MEMBERS").append(members(Records.roster(records, i)));
                default -> text.append(Records.payload(records, i).toString(UTF_8));
            }
        }
        return text.toString();
    }

    private static String status(NodeStatus status) {
        String replicas = status.replicas().stream()
                .map(r -> " " + r.node() + ":" + r.state() + "@" + r.acknowledged())
                .collect(Collectors.joining());
        return String.format(
                Locale.ROOT,
                "%s#%d/%d %s %s of %s at %s committed %d %s%s%s members %s strays %d%s",
                status.node(),
                status.incarnation(),
                status.life(),
                status.role(),
                Epoch.toString(status.epoch()),
                status.primary(),
                status.position(),
                status.committed(),
                status.complete() ? "complete" : "incomplete",
                status.begun() ? " begun" : "",
                status.writable() ? " writable" : "",
                status.membership(),
                status.strays(),
                replicas);
    }

    // ---- words

    private Stream<TestShard.Node> nodes(String[] words, int from) {
        return Stream.of(words).skip(from).filter(word -> !word.equals("anew")).map(this::node);
    }

    private TestShard.Node node(String word) {
        return shard.node(id(word));
    }

    private static NodeId id(String word) {
        return new NodeId(word);
    }

    private static long epoch(String word) {
        int dot = word.indexOf('.');
        return Epoch.of(Long.parseLong(word.substring(0, dot)), Integer.parseInt(word.substring(dot + 1)));
    }

    private static LogPosition position(String word) {
        int colon = word.indexOf(':');
        return new LogPosition(epoch(word.substring(0, colon)), Long.parseLong(word.substring(colon + 1)));
    }

    private static long millis(String word) {
        return Duration.ofMillis(Long.parseLong(word)).toNanos();
    }
}
