package io.kvorum.cluster.sockets;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.topology.NodeId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A {@link Member} in a JVM of its own. It ends when this JVM does, since that closes its standard input. */
final class MemberProcess {
    private static final int LIMIT_SECONDS = 60;

    private final Process process;
    private final PrintStream orders;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final Queue<String> acknowledged = new ConcurrentLinkedQueue<>();
    private final Thread reader;
    private int port;

    private MemberProcess(Process process) {
        this.process = process;
        orders = new PrintStream(process.getOutputStream(), true, UTF_8);
        reader = new Thread(this::read, "reader of " + process.pid());
        reader.setDaemon(true);
        reader.start();
    }

    static MemberProcess start(NodeId name, Path directory) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-ea",
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-classpath",
                System.getProperty("java.class.path"),
                Member.class.getName(),
                name.value(),
                directory.toString());
        return new MemberProcess(new ProcessBuilder(command)
                .redirectError(directory.resolve("log-" + System.nanoTime()).toFile())
                .start());
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("acknowledged ")) {
                    acknowledged.add(line.substring("acknowledged ".length()));
                } else {
                    answers.add(line);
                }
            }
        } catch (IOException e) {
            answers.add("failed: " + e); // it was killed
        }
    }

    /** {@return where it listens, which is the first that it says; to be asked before anything else} */
    int port() {
        if (port == 0) {
            port = Integer.parseInt(answer().split(" ", 2)[1]);
        }
        return port;
    }

    /** {@return the keys that it has said to be acknowledged} */
    Queue<String> acknowledged() {
        return acknowledged;
    }

    /** Gives an order whose answer nobody waits for. */
    void tell(String order) {
        orders.println(order);
    }

    String ask(String order) {
        orders.println(order);
        return answer();
    }

    private String answer() {
        try {
            String answer = answers.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
            if (answer == null) {
                throw new AssertionError("process " + process.pid() + " did not answer; alive: " + process.isAlive());
            }
            return answer;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Kills it at once, waits for its end and for what it has said before, and returns its exit code. */
    int kill() throws InterruptedException {
        process.destroyForcibly();
        int code = process.waitFor();
        reader.join();
        return code;
    }
}
