package io.kvorum.core;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A Redis or Valkey server of this machine, started for one test, that keeps nothing; and a connection to it. */
final class RealServer implements AutoCloseable {
    private final Process process;
    private final Socket socket;
    private final DataInputStream replies;
    private final OutputStream commands;

    private RealServer(Process process, int port) throws IOException {
        this.process = process;
        this.socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        this.replies = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        this.commands = new BufferedOutputStream(socket.getOutputStream());
    }

    /** Returns the first server on the PATH. */
    static Optional<Path> installed() {
        for (String name : List.of("valkey-server", "redis-server")) {
            for (String directory : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
                Path file = Path.of(directory, name);
                if (!directory.isEmpty() && Files.isExecutable(file)) {
                    return Optional.of(file);
                }
            }
        }
        return Optional.empty();
    }

    static RealServer start(Path program, Path directory) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        List<String> line = new ArrayList<>(List.of(program.toString(), "--port", Integer.toString(port)));
        line.addAll(List.of("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory.toString()));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        try {
            BufferedReader log = process.inputReader();
            String told = log.readLine();
            while (told != null && !told.contains("Ready to accept connections")) {
                told = log.readLine();
            }
            if (told == null) {
                throw new IOException(program + " has ended by itself");
            }
            return new RealServer(process, port);
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** Sends a command, maybe later. */
    void send(List<byte[]> command) throws IOException {
        commands.write(("*" + command.size() + "\r\n").getBytes(ISO_8859_1));
        for (byte[] part : command) {
            commands.write(("$" + part.length + "\r\n").getBytes(ISO_8859_1));
            commands.write(part);
            commands.write('\r');
            commands.write('\n');
        }
    }

    void flush() throws IOException {
        commands.flush();
    }

    /**
     * Returns the next reply: text behind its sign for what is simple, such as {@code +OK}, {@code -ERR ...} or
     * {@code :1}, and for bytes these behind a {@code $}; null for nil, and a list for several.
     */
    @Nullable
    Object reply() throws IOException {
        String line = line();
        int length = line.charAt(0) == '$' || line.charAt(0) == '*' ? Integer.parseInt(line.substring(1)) : 0;
        if (length < 0) {
            return null;
        }
        return switch (line.charAt(0)) {
            case '$' -> {
                byte[] bytes = new byte[length];
                replies.readFully(bytes);
                replies.readFully(new byte[2]);
                yield "$" + new String(bytes, ISO_8859_1);
            }
            case '*' -> {
                List<@Nullable Object> parts = new ArrayList<>();
                for (int i = 0; i < length; i++) {
                    parts.add(reply());
                }
                yield parts;
            }
            default -> line;
        };
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        int next = replies.read();
        while (next != '\r') {
            if (next < 0) {
                throw new EOFException("the server has closed the connection");
            }
            line.append((char) next);
            next = replies.read();
        }
        replies.readFully(new byte[1]);
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        process.destroy();
    }
}
