package io.kvorum.redis.worlds;

import io.kvorum.redis.worlds.Scenario.Place;
import io.kvorum.redis.worlds.Scenario.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Plays a scenario in a world. The steps are
 *
 * <ul>
 *   <li>{@code at PARTY: COMMAND; COMMAND}: sends commands over one connection. At a node: {@code set}, {@code get},
 *       {@code wait}, {@code dbsize}, {@code shutdown}, {@code role}, {@code link} (of a replica to its primary),
 *       {@code slaves} (how many are connected), {@code write COUNT} (of 64 KB each), {@code hand over to NODE}; at one
 *       of a cluster {@code readonly}, {@code primary} (whom it holds for that of the first shard), {@code down},
 *       {@code failover [force or takeover]}, {@code take KEY from NODE} (with its slot, in which it is alone); at a
 *       sentinel {@code primary}, {@code group}, {@code slaves}, {@code sentinels}, {@code ckquorum}, {@code down},
 *       {@code followers} (the replicas that it knows to follow), {@code failover}, {@code reset}. {@code anonymous} in
 *       front of a command of a node: without the password
 *   <li>{@code at each node: COMMAND} (in a cluster, of the first shard) and {@code at each sentinel: COMMAND}: one
 *       answer if all give the same
 *   <li>{@code crash}, {@code return}, {@code return NODE elsewhere}, {@code fill the disk of} and {@code free the disk
 *       of}, {@code pause} and {@code resume} with a party; {@code cut PARTIES from PARTIES}, {@code heal},
 *       {@code crash the next leader}
 *   <li>{@code await failover}: until most sentinels, or most nodes of a cluster, name another primary, and that leads;
 *       the outcome is its letter, or {@code none} if that does not happen. {@code within MILLIS ms} behind it shortens
 *       the waiting, but in real time only where {@code none} is expected: a busy machine may take longer for what does
 *       happen
 *   <li>{@code await NODE in sync}, {@code await all in sync}: until replicas have all that the primary has
 *   <li>{@code events of PARTY}: what a sentinel has told, without what depends on chance; {@code of the leader} for
 *       the sentinel that has failed the group over, {@code of the observers} for the others, {@code of anybody} for
 *       all; {@code among NAMES} for only some events
 *   <li>{@code texts of NAMES}: what such events have told last
 *   <li>{@code full syncs since}: how many there were since {@code count full syncs}
 *   <li>{@code until} in front of one: again and again until the outcome is the expected one
 * </ul>
 *
 * <p>A node is called by its letter, or {@code primary}, {@code former} for the primary before that, {@code replica}
 * for the first one of its shard that is neither, by what the last {@code await failover} has brought.
 */
final class Player {
    /** Whether each step is printed when it is done: {@code -Dworlds.trace}. */
    private static final boolean TRACE = System.getProperty("worlds.trace") != null;

    private static final Pattern MENTION = Pattern.compile("<(\\w+)>");
    private static final Pattern WITHIN = Pattern.compile("await failover within (\\d+) ms");

    /** The events that a failover always has, in the order that the protocol gives. */
    private static final Set<String> MILESTONES = Set.of(
            "+sdown master",
            "+odown",
            "+try-failover",
            "+elected-leader",
            "+failover-state-select-slave",
            "+selected-slave",
            "+failover-state-send-slaveof-noone",
            "+failover-state-wait-promotion",
            "+promoted-slave",
            "+failover-state-reconf-slaves",
            "+failover-end",
            "+switch-master",
            "+config-update-from");

    private final Scenario scenario;
    private final Place place;
    private final World world;
    private final List<String> shard; // the nodes of the first one, or all
    private final Set<String> away = new LinkedHashSet<>(); // crashed or paused
    private String primary = Setup.node(0);
    private @Nullable String former;
    private long fullSyncs;

    private Player(Scenario scenario, Place place, World world) {
        this.scenario = scenario;
        this.place = place;
        this.world = world;
        shard = world.nodes().subList(0, scenario.setup().nodes());
    }

    /** Plays a scenario in a world of its own, and returns what differs from what is expected. */
    static List<String> play(Scenario scenario, Place place, World world) {
        try (world) {
            return new Player(scenario, place, world).play();
        }
    }

    private List<String> play() {
        List<String> wrong = new ArrayList<>();
        for (Step step : scenario.steps()) {
            long begin = System.nanoTime();
            String outcome = outcome(step);
            if (TRACE) {
                long millis = (System.nanoTime() - begin) / 1_000_000;
                System.err.printf("%s %s %d ms: %s -> %s%n", place, scenario.name(), millis, step.words(), outcome);
            }
            if (!step.accepts(place, outcome)) {
                wrong.add(step.words() + " -> " + outcome + ", not " + step.expectedIn(place));
            }
        }
        if (TRACE && !wrong.isEmpty()) {
            System.err.println(place + " " + scenario.name() + " failed; told was:");
            world.told().forEach(System.err::println);
        }
        return wrong;
    }

    private String outcome(Step step) {
        String words = step.words();
        if (words.startsWith("await failover")) {
            return awaitFailover(step);
        } else if (!words.startsWith("until ")) {
            return perform(words);
        }
        String query = words.substring(6);
        String[] last = {""};
        world.await(
                () -> {
                    last[0] = perform(query);
                    return step.accepts(place, last[0]);
                },
                world.limit());
        return last[0];
    }

    private String perform(String words) {
        if (words.startsWith("at ")) {
            int colon = words.indexOf(": ");
            return ask(words.substring(3, colon), words.substring(colon + 2));
        } else if (words.equals("await all in sync")) {
            return awaitSync(shard.stream()
                    .filter(node -> !node.equals(primary) && !away.contains(node))
                    .toList());
        } else if (words.startsWith("await ") && words.endsWith(" in sync")) {
            return awaitSync(List.of(party(words.substring(6, words.length() - 8))));
        } else if (words.startsWith("events of ")) {
            return events(words.substring(10));
        } else if (words.startsWith("texts of ")) {
            return texts(words.substring(9));
        } else if (words.equals("full syncs since")) {
            return String.valueOf(world.fullSyncs() - fullSyncs);
        }
        change(words);
        return "done";
    }

    private void change(String words) {
        String[] parts = words.split(" ", 2);
        if (words.equals("heal")) {
            world.heal();
        } else if (words.equals("count full syncs")) {
            fullSyncs = world.fullSyncs();
        } else if (words.equals("crash the next leader")) {
            world.crashNextLeader();
        } else if (words.startsWith("fill the disk of ")) {
            parties(words.substring(17), Set.of()).forEach(world::fillDisk);
        } else if (words.startsWith("free the disk of ")) {
            parties(words.substring(17), Set.of()).forEach(world::freeDisk);
        } else if (parts[0].equals("return") && parts[1].endsWith(" elsewhere")) {
            String node = party(parts[1].substring(0, parts[1].length() - 10));
            world.restartElsewhere(node);
            away.remove(node);
        } else if (parts[0].equals("cut")) {
            String[] sides = parts[1].split(" from ", -1);
            Set<String> some = parties(sides[0], Set.of());
            world.cut(some, parties(sides[1], some));
        } else if (parts.length == 2) {
            parties(parts[1], Set.of()).forEach(party -> changeOne(parts[0], party));
        } else {
            throw new IllegalArgumentException("no such step: " + words);
        }
    }

    private void changeOne(String verb, String party) {
        switch (verb) {
            case "crash" -> world.crash(party);
            case "return" -> world.restart(party);
            case "pause" -> world.pause(party);
            case "resume" -> world.resume(party);
            default -> throw new IllegalArgumentException("no such step: " + verb);
        }
        if (verb.equals("crash") || verb.equals("pause")) {
            away.add(party);
        } else {
            away.remove(party);
        }
    }

    private String ask(String whom, String text) {
        List<String> commands =
                Arrays.stream(text.split(";", -1)).map(String::strip).toList();
        List<String> asked = switch (whom) {
            case "each node" -> shard;
            case "each sentinel" -> world.sentinels();
            default -> List.of(party(whom));
        };
        Map<String, String> answers = new LinkedHashMap<>();
        for (String one : asked) {
            if (asked.size() == 1 || !away.contains(one)) {
                answers.put(
                        one,
                        world.ask(one, commands).stream().map(this::inRoles).collect(Collectors.joining("; ")));
            }
        }
        if (commands.contains("shutdown")) {
            away.addAll(asked);
        }
        if (Set.copyOf(answers.values()).size() == 1) {
            return answers.values().iterator().next();
        }
        return answers.entrySet().stream()
                .map(answer -> nameOf(answer.getKey()) + " " + answer.getValue())
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private String awaitFailover(Step step) {
        Matcher within = WITHIN.matcher(step.words());
        boolean shortened = within.matches() && (place == Place.VIRTUAL || step.accepts(place, "none"));
        Duration limit = shortened ? Duration.ofMillis(Long.parseLong(within.group(1))) : world.limit();
        String[] next = {primary};
        boolean changed = world.await(
                () -> {
                    next[0] = agreed();
                    return !next[0].isEmpty()
                            && !next[0].equals(primary)
                            && !away.contains(next[0])
                            && world.leads(next[0]);
                },
                limit);
        if (!changed) {
            return "none";
        }
        former = primary;
        primary = next[0];
        return primary;
    }

    /** {@return whom most of the observers name, or an empty string} */
    private String agreed() {
        Map<String, Integer> votes = new LinkedHashMap<>();
        for (String observer : world.observers()) {
            String named = away.contains(observer) ? null : world.primaryBy(observer);
            if (named != null) {
                votes.merge(named, 1, Integer::sum);
            }
        }
        for (Map.Entry<String, Integer> vote : votes.entrySet()) {
            if (vote.getValue() > world.observers().size() / 2) {
                return vote.getKey();
            }
        }
        return "";
    }

    private String awaitSync(List<String> nodes) {
        boolean synced = world.await(() -> nodes.stream().allMatch(node -> world.inSync(node, primary)), world.limit());
        return synced
                ? "done"
                : nodes.stream()
                        .map(node -> node + " is " + world.ask(node, List.of("role", "link")))
                        .collect(Collectors.joining(", "));
    }

    // ---- events

    private String events(String text) {
        String[] parts = text.split(" among ", -1);
        Set<String> wanted = parts.length == 1 ? MILESTONES : Set.of(parts[1].split(" and ", -1));
        List<World.Told> told = world.told();
        List<String> tellers = switch (parts[0]) {
            case "anybody" -> world.sentinels();
            case "the leader" -> List.of(leader(told));
            case "the observers" ->
                world.sentinels().stream()
                        .filter(sentinel -> !sentinel.equals(leader(told)))
                        .toList();
            default -> List.of(party(parts[0]));
        };
        Set<String> events = new LinkedHashSet<>();
        for (World.Told event : told) {
            if (tellers.contains(event.sentinel()) && wanted.contains(event.event())) {
                events.remove(event.event()); // an attempt that failed is repeated; the last one counts
                events.add(event.event());
            }
        }
        return events.isEmpty() ? "none" : String.join(", ", events);
    }

    /** {@return the sentinel that promoted a node last or, if none did, tried to} */
    private static String leader(List<World.Told> told) {
        String leader = "";
        for (String mark : List.of("+try-failover", "+promoted-slave")) {
            for (World.Told event : told) {
                leader = event.event().equals(mark) ? event.sentinel() : leader;
            }
        }
        return leader;
    }

    private String texts(String events) {
        List<String> texts = new ArrayList<>();
        for (String event : events.split(" and ", -1)) {
            String text = "";
            for (World.Told told : world.told()) {
                text = told.event().equals(event) ? told.text() : text;
            }
            texts.add(text.isEmpty() ? "none" : inRoles(text));
        }
        return String.join("; ", texts);
    }

    // ---- names

    private Set<String> parties(String text, Set<String> but) {
        Set<String> parties = new LinkedHashSet<>();
        for (String name : text.split(", | and ", -1)) {
            switch (name) {
                case "the sentinels" -> parties.addAll(world.sentinels());
                case "everybody" -> {
                    parties.addAll(world.nodes());
                    parties.addAll(world.sentinels());
                }
                default -> parties.add(party(name));
            }
        }
        parties.removeAll(but);
        return parties;
    }

    private String party(String name) {
        if (name.startsWith("sentinel ")) {
            return "s" + name.substring(9);
        }
        String party = switch (name) {
            case "primary" -> primary;
            case "former" -> former;
            case "replica" -> replica();
            default -> name;
        };
        if (party == null
                || (!world.nodes().contains(party) && !world.sentinels().contains(party))) {
            throw new IllegalArgumentException("no such party: " + name);
        }
        return party;
    }

    private @Nullable String replica() {
        return shard.stream()
                .filter(node -> !node.equals(primary) && !node.equals(former))
                .findFirst()
                .orElse(null);
    }

    private String nameOf(String party) {
        if (party.startsWith("s")) {
            return "sentinel " + party.substring(1);
        } else if (party.equals(primary)) {
            return "primary";
        } else if (party.equals(former)) {
            return "former";
        }
        return party.equals(replica()) ? "replica" : party;
    }

    private String inRoles(String answer) {
        return MENTION.matcher(answer).replaceAll(found -> nameOf(found.group(1)));
    }
}
