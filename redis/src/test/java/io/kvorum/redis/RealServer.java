package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisURI;
import java.io.BufferedInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A server in a process of its own, on a port of loopback and in a directory that go with it. */
public final class RealServer implements AutoCloseable {
    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();
    private static final int CONNECT_MILLIS = 1_000;

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly)));
    }

    private final Path executable;
    private final Path directory;
    private final int port;
    private final List<String> options;
    private @Nullable Process process;

    private RealServer(Path executable, Path directory, int port, List<String> options) {
        this.executable = executable;
        this.directory = directory;
        this.port = port;
        this.options = options;
    }

    /**
     * Returns the servers there are to test with: the one that comes with the tests, if it runs here, and the one on
     * the PATH.
     */
    public static List<Path> executables() {
        return Stream.of(bundled(), onPath("redis-server"), onPath("valkey-server"))
                .flatMap(Optional::stream)
                .toList();
    }

    /** Returns the newest of the servers. */
    public static Path newest() {
        List<Path> all = executables();
        return all.get(all.size() - 1);
    }

    /** Returns whether a server is built with TLS. */
    static boolean hasTls(Path executable) {
        try {
            Process ended = new ProcessBuilder(executable.toString(), "--tls-port", "0", "--port", "-1")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(ended.getInputStream().readAllBytes(), UTF_8);
            return !said.contains("tls-port");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<Path> onPath(String name) {
        String path = String.valueOf(System.getenv("PATH"));
        return Arrays.stream(path.split(File.pathSeparator, -1))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static synchronized Optional<Path> bundled() {
        String name = "redis-server-6.2.6-v5-linux-amd64";
        boolean fits = System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64");
        if (!fits) {
            return Optional.empty();
        }
        Path executable = Path.of("target", "servers", name).toAbsolutePath();
        try (InputStream in = RealServer.class.getClassLoader().getResourceAsStream(name)) {
            if (!Files.exists(executable) && in != null) {
                Files.createDirectories(executable.getParent());
                Path copy = Files.createTempFile(executable.getParent(), name, null);
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
                copy.toFile().setExecutable(true);
                Files.move(copy, executable, StandardCopyOption.ATOMIC_MOVE);
            }
            Process version = new ProcessBuilder(executable.toString(), "--version")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return version.waitFor() == 0 ? Optional.of(executable) : Optional.empty(); // it needs OpenSSL 3
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Starts a server without files, and waits until it answers. */
    public static RealServer start(Path executable, String... options) {
        try {
            Path directory = Files.createTempDirectory("kvorum-redis");
            RealServer server = new RealServer(executable, directory, freePort(), List.of(options));
            server.restart();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a port that is free together with the one 10,000 above it, where the servers of a cluster talk. */
    private static int freePort() throws IOException {
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 50_000);
            if (isFree(port) && isFree(port + 10_000)) {
                return port;
            }
        }
        throw new IOException("no port is free");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false; // somebody has it
        }
    }

    /** Starts the process again, with whatever is left in the directory. */
    void restart() {
        List<String> command = new ArrayList<>(List.of(executable.toString()));
        if (options.contains("--sentinel")) {
            command.add(directory.resolve("sentinel.conf").toString());
        }
        command.addAll(List.of("--port", "" + port, "--bind", "127.0.0.1", "--dir", directory.toString()));
        if (!options.contains("--sentinel")) {
            command.addAll(List.of("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"));
        }
        command.addAll(options);
        try {
            if (options.contains("--sentinel") && !Files.exists(directory.resolve("sentinel.conf"))) {
                Files.createFile(directory.resolve("sentinel.conf"));
            }
            Process started = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
            RUNNING.add(started);
            process = started;
            long begin = System.nanoTime();
            while (!ask("PING").equals("PONG")) {
                if (!started.isAlive() || System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(20)) {
                    throw new IllegalStateException(log());
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return port;
    }

    public RedisURI uri() {
        return RedisURI.create("127.0.0.1", port);
    }

    /** Sends a command in one line and returns the answer, of a list what is in it, with spaces between. */
    public String ask(String line) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write((line + "\r\n").getBytes(UTF_8));
            return answer(new BufferedInputStream(socket.getInputStream()));
        } catch (IOException e) {
            return "no answer: " + e.getMessage();
        }
    }

    private static String answer(InputStream in) throws IOException {
        String first = line(in);
        if (first.startsWith("$") && !first.equals("$-1")) {
            String text = new String(in.readNBytes(Integer.parseInt(first, 1, first.length(), 10)), UTF_8);
            line(in);
            return text;
        } else if (first.startsWith("*") && !first.equals("*-1")) {
            List<String> answers = new ArrayList<>();
            for (int left = Integer.parseInt(first, 1, first.length(), 10); left > 0; left--) {
                answers.add(answer(in));
            }
            return String.join(" ", answers);
        }
        return first.isEmpty() ? "" : first.substring(1);
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    /** Returns what the server has logged. */
    String log() {
        try {
            return Files.readString(directory.resolve("log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the process at once, as a crash does. */
    void kill() {
        Process running = process;
        if (running != null) {
            running.destroyForcibly();
            try {
                running.waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            RUNNING.remove(running);
        }
    }

    /** Returns whether the process was not killed, or was started again. */
    boolean isRunning() {
        Process known = process;
        return known != null && known.isAlive();
    }

    /** Stops the process without ending it, or lets it go on. */
    void signal(String signal) {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException("not started");
        }
        signal(running, signal);
    }

    /** Sends a process a signal, such as {@code STOP}. */
    public static void signal(Process process, String signal) {
        try {
            int status = new ProcessBuilder("kill", "-" + signal, "" + process.pid())
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IllegalStateException("kill failed: " + status);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        kill();
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
