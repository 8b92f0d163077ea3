package io.kvorum.testkit.kills;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.ClassPath;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Three JVMs, each with a node and a sentinel, of which the primary is killed again and again by {@code SIGKILL} while
 * it acknowledges writes. It comes back with its promise and without its data, and is killed no sooner than it is
 * complete.
 */
public final class KilledPrimaries implements AutoCloseable {
    private static final int SIGKILLED = 128 + 9;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int FEWEST_WRITES = 100; // of a round
    private static final int MOST_WRITES = 600;
    private static final int CHECKED_WRITES = 50; // the last ones of a round; of those before, as many by chance

    private final Path directory;
    private final RandomGenerator random;
    private final Map<NodeId, Running> processes = new ConcurrentHashMap<>();
    private final List<String> acknowledged = new ArrayList<>();
    private final Set<String> checked = new HashSet<>();
    private final Set<String> lost = new HashSet<>();
    private int writers;
    private int kills;

    /**
     * What came of it.
     *
     * @param kills how many primaries were killed
     * @param acknowledged how many writes a majority had
     * @param checked how many of these were looked for after a kill
     * @param lost how many of these were not there
     */
    public record Counts(int kills, int acknowledged, int checked, int lost) {}

    private KilledPrimaries(Path directory, RandomGenerator random) {
        this.directory = directory;
        this.random = random;
    }

    /**
     * Kills primaries.
     *
     * @param kills how many
     * @param directory where the processes keep what outlives them; empty
     * @param random draws when a primary is killed
     * @throws IOException if a process cannot be started
     * @throws InterruptedException if the thread is interrupted
     */
    public static Counts run(int kills, Path directory, RandomGenerator random)
            throws IOException, InterruptedException {
        try (KilledPrimaries run = new KilledPrimaries(directory, random)) {
            for (NodeId name : Member.NAMES) {
                Files.createDirectories(directory.resolve(name.value()));
                run.start(name);
            }
            String answer = run.process(Member.NAMES.get(0)).ask("bootstrap");
            if (answer.startsWith("failed")) {
                throw new AssertionError("no first primary: " + answer);
            }
            for (int i = 0; i < kills; i++) {
                run.round();
            }
            return new Counts(run.kills, run.acknowledged.size(), run.checked.size(), run.lost.size());
        }
    }

    /** Kills the primary once while it writes, and looks at the next one for what was acknowledged. */
    private void round() throws IOException, InterruptedException {
        await(() -> processes.values().stream().allMatch(each -> each.is("complete")), "all are complete");
        NodeId primary = writingPrimary();
        Running process = process(primary);
        int code = process.kill();
        if (code != SIGKILLED) {
            throw new AssertionError(primary + " ended with " + code);
        }
        kills++;
        processes.remove(primary);
        for (String key : toCheck(List.copyOf(process.acknowledged))) {
            checked.add(key);
            if (!isFound(key, primary)) {
                lost.add(key);
            }
        }
        acknowledged.addAll(process.acknowledged);
        start(primary);
    }

    /** Has a primary write, and returns it when enough is acknowledged; if another takes over, that one writes. */
    private NodeId writingPrimary() {
        int writes = random.nextInt(FEWEST_WRITES, MOST_WRITES);
        NodeId[] found = new NodeId[1];
        await(
                () -> {
                    found[0] = primary(null);
                    Running process = process(found[0]);
                    process.tell("write " + writers++ + "-");
                    await(() -> process.acknowledged.size() >= writes || process.hasAnswered(), "writes end");
                    if (process.acknowledged.size() >= writes) {
                        return true;
                    }
                    process.answer("write"); // a write failed
                    process.acknowledged.drainTo(acknowledged);
                    return false;
                },
                "writes are acknowledged");
        return found[0];
    }

    private Set<String> toCheck(List<String> latest) {
        Set<String> keys = new LinkedHashSet<>(latest.subList(latest.size() - CHECKED_WRITES, latest.size()));
        for (int i = 0; i < CHECKED_WRITES && !acknowledged.isEmpty(); i++) {
            keys.add(acknowledged.get(random.nextInt(acknowledged.size())));
        }
        return keys;
    }

    /** Looks for a key at the primary, and at the next one if another takes over meanwhile. */
    private boolean isFound(String key, NodeId killed) {
        String[] answer = new String[1];
        await(
                () -> {
                    answer[0] = process(primary(killed)).ask("has " + key);
                    return !answer[0].startsWith("failed");
                },
                key + " is looked for");
        return answer[0].equals("true");
    }

    /** Waits for a primary that is another node than one, and takes writes. */
    private NodeId primary(@Nullable NodeId other) {
        NodeId[] found = new NodeId[1];
        await(
                () -> {
                    Running any = processes.values().iterator().next();
                    NodeId named = new NodeId(any.ask("primary"));
                    Running process = processes.get(named);
                    found[0] = named;
                    return !named.equals(other) && process != null && process.is("serves");
                },
                "a node takes writes");
        return found[0];
    }

    private Running process(NodeId name) {
        return Objects.requireNonNull(processes.get(name), name::value);
    }

    private void start(NodeId name) throws IOException {
        processes.put(name, new Running(name));
    }

    /** Ends all processes. */
    @Override
    public void close() {
        processes.values().forEach(Running::end);
    }

    private static void await(BooleanSupplier condition, String what) {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begun > LIMIT.toNanos()) {
                throw new AssertionError("not within " + LIMIT + ": " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** A {@link Member} in a JVM of its own, whose network this JVM is. */
    private final class Running {
        final BlockingQueue<String> acknowledged = new LinkedBlockingQueue<>();
        private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        private final NodeId name;
        private final Path log;
        private final Process process;
        private final PrintStream orders;
        private final Thread reader;
        private volatile @Nullable IOException failure;

        Running(NodeId name) throws IOException {
            this.name = name;
            Path own = directory.resolve(name.value());
            log = own.resolve("log-" + kills);
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-ea",
                            "-Xmx64m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-classpath",
                            ClassPath.of(Member.class),
                            Member.class.getName(),
                            name.value(),
                            own.toString())
                    .redirectError(log.toFile())
                    .start();
            orders = new PrintStream(process.getOutputStream(), true, UTF_8);
            reader = new Thread(this::read, "reader of " + name);
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (Reader text = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
                StringBuilder line = new StringBuilder();
                for (int next = text.read(); next >= 0; next = text.read()) {
                    if (next == '\n') {
                        take(line.toString());
                        line.setLength(0);
                    } else {
                        line.append((char) next);
                    }
                } // and what has no end was cut short by the kill
            } catch (IOException e) {
                failure = e;
            }
        }

        private void take(String line) {
            String[] words = line.split(" ", 3);
            switch (words[0]) {
                case "to" -> carry(new NodeId(words[1]), words[2]);
                case "acknowledged" -> acknowledged.add(words[1]);
                default -> answers.add(line.substring("answer ".length()));
            }
        }

        private void carry(NodeId to, String frame) {
            Running receiver = processes.get(to);
            if (receiver != null) {
                receiver.tell("from " + name + " " + frame);
            }
        }

        void tell(String line) {
            orders.println(line); // what a process that was killed is told is lost
        }

        boolean is(String what) {
            return ask(what).equals("true");
        }

        String ask(String order) {
            tell(order);
            return answer(order);
        }

        boolean hasAnswered() {
            return !answers.isEmpty();
        }

        /** Waits for the answer to an order that was given. */
        String answer(String order) {
            try {
                String answer = answers.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
                if (answer == null) {
                    throw new AssertionError(name + " did not answer: " + order + "\n" + Files.readString(log));
                }
                return answer;
            } catch (InterruptedException | IOException e) {
                throw new AssertionError(e);
            }
        }

        /** Kills it, waits for its end and for what it has said before, and returns its exit code. */
        int kill() throws InterruptedException {
            end();
            reader.join();
            if (failure != null) {
                throw new AssertionError("what " + name + " said is not known", failure);
            }
            return process.exitValue();
        }

        void end() {
            process.toHandle().destroyForcibly(); // Process itself would drop what nobody has read yet
            process.onExit().join();
        }
    }
}
