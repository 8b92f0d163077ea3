package io.kvorum.redis.worlds;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A script in plain words, and what is expected of each of its steps in each world.
 *
 * <p>It begins with comments, the first of which is its title, a line {@code about:}, and maybe a line {@code with:},
 * see {@link Setup#parse}. Each other line is a step, see {@link Player}. What is expected stands behind an arrow if it
 * is the same in all worlds, else in lines below, {@code kvorum:} and {@code redis:}, or {@code virtual:} and
 * {@code resp:} where the two worlds of Kvorum differ, followed by the reason, {@code because:}. The word {@code or}
 * stands between outcomes of which each is right.
 *
 * @param name the name of its file
 * @param title what it shows, in one sentence
 * @param text the explanation
 * @param about what it belongs to
 * @param setup what it starts with
 * @param steps what is done
 */
record Scenario(String name, String title, String text, String about, Setup setup, List<Step> steps) {
    /** The worlds. */
    enum Place {
        /** Kvorum in virtual time. */
        VIRTUAL,
        /** Kvorum behind ports. */
        RESP,
        /** Redis. */
        REDIS
    }

    /**
     * A step.
     *
     * @param words what is done
     * @param expected what comes of it in each world; empty if it only has to succeed
     * @param because why the worlds differ; empty if they do not
     */
    record Step(String words, Map<Place, String> expected, String because) {
        /** {@return whether an outcome is one of those that are expected} */
        boolean accepts(Place place, String outcome) {
            return List.of(expectedIn(place).split(" or ", -1)).contains(outcome);
        }

        String expectedIn(Place place) {
            String wanted = expected.get(place);
            return wanted == null ? "done" : wanted;
        }
    }

    private static final Path DIRECTORY = Path.of("src", "test", "resources", "io", "kvorum", "redis", "worlds");

    /** {@return all scenarios, by name} */
    static List<Scenario> all() throws IOException {
        List<Scenario> all = new ArrayList<>();
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            for (Path file : new TreeSet<>(files.toList())) {
                all.add(parse(file.getFileName().toString().replace(".txt", ""), Files.readAllLines(file)));
            }
        }
        return all;
    }

    /** {@return those that are to be played: all, or those with {@code -Dworlds.only} in their names} */
    static List<Scenario> chosen() throws IOException {
        String only = System.getProperty("worlds.only", "");
        return all().stream().filter(scenario -> scenario.name().contains(only)).toList();
    }

    /**
     * Reads a script.
     *
     * @throws IllegalArgumentException if it does not keep to the form
     */
    static Scenario parse(String name, List<String> lines) {
        try {
            return new Parser().parse(name, lines);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
    }

    /** Reads one script. */
    private static final class Parser {
        private final List<Step> steps = new ArrayList<>();
        private final Map<Place, String> expected = new EnumMap<>(Place.class);
        private final StringBuilder text = new StringBuilder();
        private String title = "";
        private String about = "";
        private String with = "";
        private @Nullable String words;
        private String because = "";

        Scenario parse(String name, List<String> lines) {
            lines.forEach(this::read);
            end();
            if (title.isEmpty() || about.isEmpty() || steps.isEmpty()) {
                throw new IllegalArgumentException("a script has a title, a line about: and steps");
            }
            return new Scenario(name, title, text.toString().strip(), about, Setup.parse(with), steps);
        }

        private void read(String line) {
            String rest = line.strip();
            if (rest.startsWith("#")) {
                comment(rest.substring(1).strip());
            } else if (rest.startsWith("about: ")) {
                about = rest.substring(7);
            } else if (rest.startsWith("with: ")) {
                with = rest.substring(6);
            } else if (line.startsWith(" ")) {
                expect(rest);
            } else if (!rest.isEmpty()) {
                end();
                begin(rest);
            }
        }

        private void comment(String line) {
            if (title.isEmpty()) {
                title = line;
            } else {
                text.append(line).append(' ');
            }
        }

        private void begin(String line) {
            String[] parts = line.split(" -> ", -1);
            words = parts[0];
            if (parts.length == 2) {
                for (Place place : Place.values()) {
                    expected.put(place, parts[1]);
                }
            }
        }

        private void expect(String line) {
            int colon = line.indexOf(": ");
            String rest = line.substring(colon + 2);
            switch (line.substring(0, Math.max(colon, 0))) {
                case "kvorum" -> {
                    expected.put(Place.VIRTUAL, rest);
                    expected.put(Place.RESP, rest);
                }
                case "virtual" -> expected.put(Place.VIRTUAL, rest);
                case "resp" -> expected.put(Place.RESP, rest);
                case "redis" -> expected.put(Place.REDIS, rest);
                case "because" -> because = rest;
                default -> {
                    if (because.isEmpty()) {
                        throw new IllegalArgumentException("not an expected outcome: " + line);
                    }
                    because += " " + line;
                }
            }
        }

        private void end() {
            if (words == null) {
                return;
            }
            if (!expected.isEmpty()) {
                boolean differ = expected.values().stream().distinct().count() > 1;
                if (expected.size() < Place.values().length) {
                    throw new IllegalArgumentException("each world must have an outcome: " + words);
                } else if (differ == because.isEmpty()) {
                    throw new IllegalArgumentException("a difference, and only that, must have a reason: " + words);
                }
            }
            steps.add(new Step(words, Map.copyOf(expected), because));
            expected.clear();
            because = "";
            words = null;
        }
    }
}
