package io.kvorum.redis.worlds;

import io.kvorum.redis.worlds.Scenario.Place;
import io.kvorum.redis.worlds.Scenario.Step;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Writes the page that lists the scenarios and the differences that they show. */
final class SameAsRedis {
    private static final String HEAD = """
            # Same as Redis

            The same scenarios are played in three worlds: on Kvorum in virtual time, by its Java interfaces; on Kvorum in real time,
            by the commands of Redis, through the ports of `kvorum-resp`; and on real servers with real Sentinels. The answers, the
            refusals and the events of the sentinels are compared. The tests of `redis/` play them, and fail where an outcome is not
            the one that is listed here, so each line below has been seen, the differences too. The scripts are in
            `redis/src/test/resources/io/kvorum/redis/worlds`; this page is written from them, by `-Dtraces.rewrite`.

            | in a script | Kvorum in virtual time | Kvorum behind ports | Redis |
            |---|---|---|---|
            | a node | of a `LocalCluster`, with its store in memory | the same, behind a port | a `redis-server` without files, but with its configuration |
            | a sentinel | of Kvorum | of Kvorum, behind a port | a `redis-server --sentinel` |
            | down after | 1 s | 1 s | 2 s |
            | crash | the object is dropped; a node keeps its promise, a sentinel its state | the same, and the port is closed | `kill -9`; what it has written into its configuration stays |
            | pause | its timers and its mail pile up | the same, and its connections hang | `SIGSTOP`, `SIGCONT` |
            | cut | messages between the two sides are dropped | the same | a relay stands between all processes and holds back what one side sends to the other: connections stay open and are silent, and what was sent arrives when the cut ends |
            | a client | reaches everybody, across all cuts | the same | the same: it dials past the relay |
            | majority | writes at level `MAJORITY` | the same | `WAIT 1 500` after each `SET` |
            | events | by the names that `SentinelFact` gives them | as published | as published |

            The sentinels of Redis look and talk every 0.5 s instead of every 10 and 2 s (`SENTINEL DEBUG`, from 7.0 on), so that less
            time is spent waiting. Errors are compared by their first word. How long something takes is compared only where a
            script says so.

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
        Set<String> subjects = new LinkedHashSet<>();
        scenarios.forEach(scenario -> subjects.add(scenario.about()));
        for (String subject : subjects) {
            page.append("\n## ").append(subject).append('\n');
            for (Scenario scenario : scenarios) {
                if (scenario.about().equals(subject)) {
                    page.append("\n### ").append(scenario.title()).append("\n\n");
                    if (!scenario.text().isEmpty()) {
                        page.append(scenario.text()).append("\n\n");
                    }
                    page.append("```\n")
                            .append(String.join("\n", scenario.script()))
                            .append("\n```\n");
                }
            }
        }
    }
}
