package io.kvorum.testkit.kills;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.topology.NodeId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private int kills;
    private int lost;

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
            run.process(Member.NAMES.get(0)).ask("bootstrap");
            int checked = 0;
            for (int i = 0; i < kills; i++) {
                checked += run.round(i);
            }
            return new Counts(run.kills, run.acknowledged.size(), checked, run.lost);
        }
    }

    /** Kills the primary once, and returns how many keys it has looked for then. */
    private int round(int number) throws IOException, InterruptedException {
        await(() -> processes.values().stream().allMatch(each -> each.is("complete")), "all are complete");
        NodeId primary = primary(null);
        Running process = process(primary);
        process.tell("write " + number + "-");
        int writes = random.nextInt(FEWEST_WRITES, MOST_WRITES);
        await(() -> process.acknowledged.size() >= writes, "writes are acknowledged");
        int code = process.kill();
        if (code != SIGKILLED) {
            throw new AssertionError(primary + " ended with " + code);
        }
        kills++;
        processes.remove(primary);
        Running next = process(primary(primary));
        List<String> keys = toCheck(process.acknowledged);
        acknowledged.addAll(process.acknowledged);
        for (String key : keys) {
            String answer = next.ask("has " + key);
            if (answer.equals("false")) {
                lost++;
            } else if (!answer.equals("true")) {
                throw new AssertionError(key + " could not be read: " + answer);
            }
        }
        start(primary);
        return keys.size();
    }

    private List<String> toCheck(BlockingQueue<String> latest) {
        List<String> all = List.copyOf(latest);
        List<String> keys = new ArrayList<>(all.subList(all.size() - CHECKED_WRITES, all.size()));
        for (int i = 0; i < CHECKED_WRITES && !acknowledged.isEmpty(); i++) {
            keys.add(acknowledged.get(random.nextInt(acknowledged.size())));
        }
        return keys;
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
        private final Process process;
        private final PrintStream orders;
        private final Thread reader;

        Running(NodeId name) throws IOException {
            this.name = name;
            Path own = directory.resolve(name.value());
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-ea",
                            "-Xmx64m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-classpath",
                            System.getProperty("java.class.path"),
                            Member.class.getName(),
                            name.value(),
                            own.toString())
                    .redirectError(own.resolve("log-" + kills).toFile())
                    .start();
            orders = new PrintStream(process.getOutputStream(), true, UTF_8);
            reader = new Thread(this::read, "reader of " + name);
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    String[] words = line.split(" ", 3);
                    switch (words[0]) {
                        case "to" -> carry(new NodeId(words[1]), words[2]);
                        case "acknowledged" -> acknowledged.add(words[1]);
                        default -> answers.add(line.substring("answer ".length()));
                    }
                }
            } catch (IOException e) {
                answers.add("failed: " + e); // it was killed
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
            try {
                String answer = answers.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
                if (answer == null) {
                    throw new AssertionError(name + " did not answer: " + order);
                }
                return answer;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        /** Kills it, waits for its end and for what it has said before, and returns its exit code. */
        int kill() throws InterruptedException {
            end();
            reader.join();
            return process.exitValue();
        }

        void end() {
            process.destroyForcibly().onExit().join();
        }
    }
}
