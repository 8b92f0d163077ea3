package io.kvorum.resp.story;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Sends one command to a port and shows the answer, as a shell with a Redis client would. */
final class Shell {
    private static final int TIMEOUT_MILLIS = 10_000;

    private Shell() {}

    /**
     * {@return the answer to the last of several commands, each of words that are separated by spaces; that of a list
     * has its parts separated by spaces, and an error begins with {@code -}}
     *
     * @throws IOException if the connection is refused, or closed without an answer
     */
    static String run(int port, String... commands) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            String answer = "";
            for (String command : commands) {
                socket.getOutputStream().write((command + "\r\n").getBytes(UTF_8)); // an inline command
                answer = read(in);
            }
            return answer;
        }
    }

    private static String read(InputStream in) throws IOException {
        String line = line(in);
        String rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '$' -> bulk(in, Integer.parseInt(rest));
            case '*' -> list(in, Integer.parseInt(rest));
            case '-' -> line;
            default -> rest;
        };
    }

    private static String list(InputStream in, int count) throws IOException {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            parts.add(read(in));
        }
        return String.join(" ", parts);
    }

    private static String bulk(InputStream in, int length) throws IOException {
        if (length < 0) {
            return "(nil)";
        }
        byte[] bytes = in.readNBytes(length + 2);
        if (bytes.length < length + 2) {
            throw new EOFException("the connection was closed");
        }
        return new String(bytes, 0, length, UTF_8);
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        int b;
        while ((b = in.read()) != '\n') {
            if (b < 0) {
                throw new EOFException("the connection was closed");
            }
            line.append((char) b);
        }
        return line.substring(0, line.length() - 1);
    }
}
