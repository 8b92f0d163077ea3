package io.kvorum.redis.worlds;

import io.kvorum.redis.worlds.Scenario.Place;
import io.kvorum.redis.worlds.Scenario.Step;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Writes the page that lists the scenarios and the differences that they show. */
final class SameAsRedis {
    private static final String SCRIPTS = "redis/src/test/resources/io/kvorum/redis/worlds";

    private static final String HEAD = """
            # Same as Redis

            The same scenarios are played in three worlds: on Kvorum in virtual time, by its Java interfaces; on Kvorum in real time,
            by the commands of Redis, through the ports of `kvorum-resp`; and on real Redis servers, with Redis Sentinel or as a Redis
            Cluster. The answers, the refusals and the events of the sentinels are compared. The tests of `redis/` play them, and fail
            where an outcome is not the one that the script lists, so each difference below has been seen. This page is written from
            the scripts, by `-Dtraces.rewrite`.

            | in a script | Kvorum in virtual time | Kvorum behind ports | Redis |
            |---|---|---|---|
            | a cluster | shards that sentinels watch | the same, in the mode `CLUSTER` | a Redis Cluster, without sentinels; the second and third shard are a primary alone unless the script needs more |
            | a node | of a `LocalCluster`, with its store in memory | the same, behind a port | a `redis-server` that saves nothing but its configuration |
            | a sentinel | of Kvorum | of Kvorum, behind a port | a `redis-server --sentinel` |
            | down after | 1 s | 1 s | 2 s, in a cluster 1 s, unless the script says otherwise |
            | crash | the object is dropped; a node keeps its promise, a sentinel its state | the same, and the port is closed | `kill -9`; the configuration file stays |
            | pause | its timers and its mail pile up | the same, and its connections hang | `SIGSTOP`, `SIGCONT` |
            | cut | messages between the two sides are dropped | the same | a relay between the processes holds back what one side sends to the other; connections stay open, and what was sent arrives when the cut ends |
            | a client | reaches everybody, across all cuts | the same | the same: it dials past the relay |
            | majority | writes at level `MAJORITY` | the same | `WAIT 1 1500` after each `SET` |
            | events | by the names that `SentinelFact` gives them | as published | as published |

            `A`, `B` and so on are nodes, and `A` is the first primary. `primary` is the node that leads by now, `former` the one
            before it, `replica` the first of the rest. In a cluster the nodes of the shards are named from `A`, from `D` and from `G`
            on, and `primary`, `former` and `replica` are of the first shard, which has the slot of `key-02`. `until` waits for the
            outcome.

            The sentinels of Redis send `INFO` and hellos every 0.5 s instead of every 10 and 2 s (`SENTINEL DEBUG`, from 7.0 on), so
            that less time is spent waiting. What a server keeps for a replica is limited to 1 MB instead of 256, so that less has to be
            written. Errors are compared by their first word. `within` says for how long a failover is waited
            for; in real time, on a machine that may be busy, only where none is expected.

            """;

    private static final String NOT_SHOWN = """

            ## What no script shows

            Some known weaknesses of Redis depend on chance or on a defect that is gone, so that a script could not expect them:

            | weakness of Redis | why there is no script | in Kvorum |
            |---|---|---|
            | the sentinels count epochs for all groups together, so that an election may overtake another of a different group | both must fall into the same milliseconds; 24 groups that failed at once did not show it | each shard has epochs of its own |
            | in a cluster a primary votes once in an epoch, so that replicas of two shards may take the votes from each other | as above; each of them tries again and wins later. That the voters are the primaries shows when two of three crash | the sentinels vote, once for each shard and epoch |
            | two nodes may give themselves the same epoch, by a takeover and by taking over a slot | which of them then wins depends on their random ids. The scripts have an order that leaves no choice | an epoch is given by a majority |
            | a hand-over by `FAILOVER` that is aborted half-way may leave two primaries, or none | needs a crash between two of its messages | the old primary is fenced first, and resumed if there is no other |
            | a configuration file that a server has written, and does not read any more | defects of certain versions | a node keeps its promise in a file with a checksum, of which the last complete one counts |
            | an address that a node of another group has got | a test would have to mix two groups by hand | nodes and shards go by ids |
            | a replica that copies everything again and again, as more is written meanwhile than is kept for it | takes a steady load and minutes; a script shows one such copy | retained for the slowest replica, up to the capacity of the log |
            | the fixed delays of an election | durations are not compared | [redis.md](redis.md) has durations of failovers |
            """;

    private SameAsRedis() {}

    /** {@return the page} */
    static String page(List<Scenario> scenarios) {
        StringBuilder page = new StringBuilder(HEAD);
        long same = scenarios.stream()
                .filter(scenario -> scenario.steps().stream().noneMatch(SameAsRedis::differsFromRedis))
                .count();
        page.append("## Differences from Redis\n\nOf ")
                .append(scenarios.size())
                .append(" scenarios ")
                .append(same);
        page.append(" have the same outcomes on Kvorum and on Redis. The others differ here:\n\n");
        page.append("| scenario | step | Kvorum | Redis | because |\n|---|---|---|---|---|\n");
        for (Scenario scenario : scenarios) {
            for (Step step : scenario.steps()) {
                if (differsFromRedis(step)) {
                    append(page, scenario, step, Place.RESP, Place.REDIS);
                }
            }
        }
        page.append("\n## Differences between the Java interfaces and the commands\n\n");
        page.append("| scenario | step | in Java | by a command | because |\n|---|---|---|---|---|\n");
        for (Scenario scenario : scenarios) {
            for (Step step : scenario.steps()) {
                if (!step.expectedIn(Place.VIRTUAL).equals(step.expectedIn(Place.RESP))) {
                    append(page, scenario, step, Place.VIRTUAL, Place.RESP);
                }
            }
        }
        page.append(NOT_SHOWN);
        appendScenarios(page, scenarios);
        return page.toString();
    }

    private static boolean differsFromRedis(Step step) {
        return !step.expectedIn(Place.RESP).equals(step.expectedIn(Place.REDIS));
    }

    private static void append(StringBuilder page, Scenario scenario, Step step, Place here, Place there) {
        String cells = String.join(
                " | ",
                scenario.title(),
                code(step.words()),
                code(step.expectedIn(here)),
                code(step.expectedIn(there)),
                step.because());
        page.append("| ").append(cells).append(" |\n");
    }

    private static String code(String text) {
        return "`" + text.replace(" or ", "` or `") + "`";
    }

    private static void appendScenarios(StringBuilder page, List<Scenario> scenarios) {
        page.append("\n## The scenarios\n");
        Set<String> subjects = new LinkedHashSet<>();
        scenarios.forEach(scenario -> subjects.add(scenario.about()));
        for (String subject : subjects) {
            page.append("\n### ").append(subject).append("\n\n");
            for (Scenario scenario : scenarios) {
                if (scenario.about().equals(subject)) {
                    page.append("- [%s](../%s/%s.txt)".formatted(scenario.title(), SCRIPTS, scenario.name()))
                            .append(scenario.text().isEmpty() ? "" : ". " + scenario.text())
                            .append('\n');
                }
            }
        }
    }
}
