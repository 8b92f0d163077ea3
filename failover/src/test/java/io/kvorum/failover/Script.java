package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.failover.SentinelFact.ShardFact;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Runs a golden script: a text of inputs, one a line, each followed by what came of it, indented. Outputs are the
 * messages, commands, answers and events between one input and the next, with the time in milliseconds since
 * {@code trace}; pings and opinions that say nothing new are left out. With {@code -Dtraces.rewrite} the outputs are
 * written anew.
 */
final class Script {
    private static final ShardId SHARD = new ShardId("shard1");
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults().withPingPeriod(Duration.ofMillis(100));

    private static final Pattern ATTEMPT = Pattern.compile("attempt=(-?[0-9]+)");

    private final StringBuilder out = new StringBuilder();
    private final Map<Long, String> attempts = new LinkedHashMap<>();
    private final Map<NodeId, Object> said = new LinkedHashMap<>();
    private final Map<String, Long> delays = new LinkedHashMap<>();
    private FakeCluster cluster = new FakeCluster(SETTINGS, 1, 3, 3, true, 1);
    private long start = -1;

    static void check(Path file) throws IOException {
        String expected = Files.readString(file);
        Script script = new Script();
        for (String line : expected.lines().toList()) {
            if (!line.startsWith("  ")) {
                script.out.append(line).append('\n');
                script.input(line);
            }
        }
        String actual = script.out.toString();
        if (System.getProperty("traces.rewrite") != null) {
            Files.writeString(file, actual);
        } else {
            assertEquals(expected, actual, file.toString());
        }
    }

    private void input(String line) {
        if (line.isBlank() || line.startsWith("#")) {
            return;
        }
        List<String> words = List.of(line.split(" "));
        String argument = words.size() > 1 ? words.get(1) : "";
        String second = words.size() > 2 ? words.get(2) : "";
        switch (words.get(0)) {
            case "cluster" -> cluster(words.subList(1, words.size()));
            case "trace" -> start = cluster.elapsed();
            case "quiet" -> start = -1;
            case "run" -> cluster.run(Duration.ofMillis(Long.parseLong(argument)));
            case "crash" -> crash(argument);
            case "restart" -> restart(argument, second);
            case "pause" -> cluster.sentinel(argument).paused = true;
            case "resume" -> cluster.sentinel(argument).resume();
            case "isolate" -> cluster.isolate(new NodeId(argument));
            case "cut" ->
                words.subList(2, words.size()).forEach(other -> {
                    cluster.cut(new NodeId(argument), new NodeId(other));
                    cluster.cut(new NodeId(other), new NodeId(argument));
                });
            case "heal" -> cluster.heal();
            case "priority" -> cluster.node(argument).priority = Integer.parseInt(second);
            case "lose" -> delays.put(argument, -1L);
            case "delay" ->
                delays.put(argument + (words.size() > 3 ? " at " + words.get(3) : ""), Long.parseLong(second));
            case "deliver" -> delays.clear();
            case "writes" -> cluster.writes = argument.equals("on");
            case "node" -> cluster.addNode(argument, SHARD);
            case "double" -> cluster.startDouble(argument, second);
            case "failover" ->
                cluster.sentinel(argument)
                        .start(new Operation.FailOver(SHARD, second.isEmpty() ? null : new NodeId(second)));
            case "bootstrap" -> cluster.sentinel(argument).start(new Operation.Bootstrap(SHARD));
            case "begin-anew" -> cluster.sentinel(argument).start(new Operation.BeginAnew(SHARD));
            case "replace" ->
                cluster.sentinel(argument)
                        .start(new Operation.Replace(SHARD, new NodeId(second), new NodeId(words.get(3))));
            case "remove-shard" ->
                cluster.sentinels
                        .values()
                        .forEach(host -> host.input(machine -> machine.merge(
                                machine.topology()
                                        .apply(machine.topology().version(), new TopologyChange.RemoveShard(SHARD)),
                                cluster.now)));
            case "add-shard" ->
                cluster.sentinels
                        .values()
                        .forEach(host -> host.input(machine -> machine.merge(
                                machine.topology()
                                        .apply(
                                                machine.topology().version(),
                                                new TopologyChange.AddShard(
                                                        SHARD,
                                                        Epoch.of(Long.parseLong(argument), 0),
                                                        new NodeId("a"),
                                                        List.of(new NodeId("b"), new NodeId("c")))),
                                cluster.now)));
            case "show" -> cluster.nodes.values().forEach(node -> print(node.toString()));
            default -> throw new IllegalArgumentException(line);
        }
    }

    private void cluster(List<String> options) {
        SentinelSettings settings = SETTINGS;
        int nodes = 3;
        int sentinels = 3;
        boolean begun = true;
        for (String option : options) {
            String value = option.substring(option.indexOf('=') + 1);
            switch (option.substring(0, option.indexOf('='))) {
                case "nodes" -> nodes = Integer.parseInt(value);
                case "sentinels" -> sentinels = Integer.parseInt(value);
                case "begun" -> begun = Boolean.parseBoolean(value);
                case "quorum" -> settings = settings.withQuorum(Integer.parseInt(value));
                case "down-after" -> settings = settings.withDownAfter(Duration.ofMillis(Long.parseLong(value)));
                case "lossy" -> settings = settings.withAllowLossyFailover(Boolean.parseBoolean(value));
                default -> throw new IllegalArgumentException(option);
            }
        }
        cluster = new FakeCluster(settings, 1, nodes, sentinels, begun, 1);
        cluster.onEvent = event -> print(text(event));
        cluster.onSent = this::sent;
        cluster.delay = (from, to, what) ->
                delays.getOrDefault(kind(what) + " at " + to, delays.getOrDefault(kind(what), 1L)) * FakeCluster.MILLI;
    }

    private void crash(String id) {
        if (cluster.nodes.containsKey(new NodeId(id))) {
            cluster.node(id).up = false;
        } else {
            cluster.sentinel(id).crash();
        }
    }

    private void restart(String id, String how) {
        if (cluster.nodes.containsKey(new NodeId(id))) {
            cluster.restart(id, how.isEmpty(), !how.equals("without-promise"));
        } else {
            FakeCluster.Host host = cluster.sentinel(id);
            host.saved = how.isEmpty() ? host.saved : null;
            host.start();
        }
    }

    private static String kind(Object what) {
        return what instanceof NodeAnswer answer
                ? answer.command().getClass().getSimpleName() + "Answer"
                : what.getClass().getSimpleName();
    }

    private void print(String line) {
        if (start >= 0) {
            long micros = (cluster.elapsed() - start) / 1_000;
            out.append(String.format("  %6d.%d  %s%n", micros / 1_000, micros / 100 % 10, line));
        }
    }

    private void sent(NodeId from, NodeId to, Object what) {
        String text = text(from, what);
        if (!text.isEmpty()) {
            print(from + " -> " + to + "  " + text);
        }
    }

    /** {@return the text of a message; empty for one that says nothing new} */
    private String text(NodeId from, Object what) {
        if (what instanceof NodeCommand.Describe describe) {
            return describe.nonce() == 0 ? "" : "Describe " + attempt(describe.nonce());
        } else if (what instanceof NodeCommand.Fence fence) {
            return "Fence " + Epoch.toString(fence.epoch());
        } else if (what instanceof NodeCommand.Promote promote) {
            return "Promote " + Epoch.toString(promote.epoch()) + " at "
                    + Epoch.toString(promote.expected().epoch()) + ":"
                    + promote.expected().offset()
                    + (promote.committed() < 0 ? "" : " committed " + promote.committed());
        } else if (what instanceof NodeCommand.Begin begin) {
            return "Begin " + Epoch.toString(begin.epoch()) + " with " + begin.members()
                    + (begin.joining().isEmpty() ? "" : " joining " + begin.joining())
                    + (begin.dataLost() ? ", data lost" : "");
        } else if (what instanceof NodeCommand.Follow follow) {
            return "Follow " + follow.primary() + " " + Epoch.toString(follow.epoch());
        } else if (what instanceof NodeCommand.Pause pause) {
            return "Pause " + Epoch.toString(pause.epoch());
        } else if (what instanceof NodeCommand.Resume resume) {
            return "Resume " + Epoch.toString(resume.epoch());
        } else if (what instanceof NodeCommand.Replace replace) {
            return "Replace " + replace.outgoing() + " by " + replace.incoming();
        } else if (what instanceof NodeAnswer answer) {
            return answer.command() instanceof NodeCommand.Describe describe && describe.nonce() == 0
                    ? ""
                    : answer.command().getClass().getSimpleName() + " " + answer.outcome() + ", "
                            + text(answer.report());
        } else if (what instanceof SentinelMessage.Opinions opinions) {
            SentinelMessage.Opinion opinion = opinions.shards().get(0);
            return Objects.equals(said.put(from, opinion), opinion)
                    ? ""
                    : "Opinion: " + opinion.primary().primary() + " "
                            + Epoch.toString(opinion.primary().epoch())
                            + (opinion.subjectivelyDown() ? " is down" : " is up")
                            + (opinion.leadingAttempt() == 0 ? "" : ", leading " + attempt(opinion.leadingAttempt()));
        } else if (what instanceof SentinelMessage.PreVoteRequest request) {
            return "PreVoteRequest " + attempt(request.attempt());
        } else if (what instanceof SentinelMessage.PreVoteAnswer answer) {
            return "PreVoteAnswer " + attempt(answer.attempt()) + " "
                    + (answer.refusal() == null ? "yes" : answer.refusal());
        } else if (what instanceof SentinelMessage.VoteRequest request) {
            return "VoteRequest " + attempt(request.attempt());
        } else if (what instanceof SentinelMessage.VoteAnswer answer) {
            return "VoteAnswer " + attempt(answer.attempt()) + " "
                    + (answer.refusal() == null ? "yes" : answer.refusal());
        }
        return "";
    }

    private static String text(NodeReport report) {
        return (report.primary() ? "primary" : "replica") + " promised " + Epoch.toString(report.epoch()) + " at "
                + Epoch.toString(report.position().epoch()) + ":"
                + report.position().offset()
                + (report.complete() ? "" : " incomplete");
    }

    private String text(SentinelEvent event) {
        String text =
                event.fact().toString().replaceAll("shard=Shard[^,]*, ", "").replaceAll("shard=[^,\\]]*, ", "");
        if (event.fact() instanceof ShardFact fact) {
            text = text.replace("epoch=" + fact.epoch(), Epoch.toString(fact.epoch()));
        }
        text = ATTEMPT.matcher(text).replaceAll(match -> "attempt=" + attempt(Long.parseLong(match.group(1))));
        return event.sentinel() + ": " + text.replace("position=LogPosition", "position=");
    }

    private String attempt(long number) {
        return attempts.computeIfAbsent(number, unknown -> "#" + (attempts.size() + 1));
    }
}
