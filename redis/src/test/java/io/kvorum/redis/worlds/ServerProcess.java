package io.kvorum.redis.worlds;

import io.kvorum.redis.RealServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A server or a sentinel in a process, with an address and a configuration file of its own. Confined to one thread. */
final class ServerProcess implements AutoCloseable {
    /** How far behind its port the port of a node of a cluster is by which it talks to others. */
    static final int BUS_OFFSET = 10_000;

    private static final int MAX_PORT = 65_535 - BUS_OFFSET;

    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly)));
    }

    private final Path executable;
    private final Path directory;
    private final InetSocketAddress address;
    private final boolean sentinel;
    private @Nullable Process process;

    /** Does not start it. Its directory is its own, exists, and is deleted by whoever made it. */
    ServerProcess(Path executable, Path directory, String host, boolean sentinel) throws IOException {
        this.executable = executable;
        this.directory = directory;
        this.sentinel = sentinel;
        address = new InetSocketAddress(host, freePort(InetAddress.getByName(host)));
    }

    private static int freePort(InetAddress host) throws IOException {
        while (true) {
            try (ServerSocket free = new ServerSocket(0, 1, host)) {
                if (free.getLocalPort() <= MAX_PORT) {
                    return free.getLocalPort();
                }
            }
        }
    }

    /** {@return where it listens, and from where it sends} */
    InetSocketAddress address() {
        return address;
    }

    /** Writes its configuration. A sentinel, and a server that is told whom to follow, changes it. */
    void configure(List<String> lines) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "port " + address.getPort(),
                "bind " + address.getHostString(),
                "dir " + directory,
                "protected-mode no"));
        all.addAll(lines);
        Files.write(file(), all);
    }

    private Path file() {
        return directory.resolve("conf");
    }

    private Path logFile() {
        return directory.resolve("log");
    }

    /** Has its configuration be written no more, as if the disk were full, or again. */
    void setDiskFull(boolean full) throws IOException {
        Path kept = directory.resolve("kept");
        if (full) {
            Files.move(file(), kept);
            Files.createDirectories(file().resolve("in the way"));
        } else {
            Files.delete(file().resolve("in the way"));
            Files.delete(file());
            Files.move(kept, file());
        }
    }

    /** Starts it, without data, and with what is in its configuration; does not wait until it answers. */
    void start() {
        List<String> command = new ArrayList<>(List.of(executable.toString(), file().toString()));
        if (sentinel) {
            command.add("--sentinel");
        }
        try {
            Files.deleteIfExists(directory.resolve("dump.rdb")); // what a replica has copied
            Process started = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(logFile().toFile())
                    .start();
            RUNNING.add(started);
            process = started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return what it has logged since it was started last} */
    String log() {
        try {
            return Files.readString(logFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Ends the process at once. */
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

    /** Stops the process without ending it, or lets it go on. */
    void signal(String signal) {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException("not started");
        }
        RealServer.signal(running, signal);
    }

    @Override
    public void close() {
        kill();
    }
}
