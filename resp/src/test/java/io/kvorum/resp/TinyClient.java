package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A client of a few lines, which hides nothing of the answers. Confined to one thread. */
final class TinyClient implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket;
    private final InputStream in;
    private final ByteArrayOutputStream raw = new ByteArrayOutputStream();

    TinyClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
    }

    void timeOutAfter(int millis) throws IOException {
        socket.setSoTimeout(millis);
    }

    /** Sends a command, whose words are separated by spaces, and returns the answer as redis-cli would show it. */
    String call(String command) throws IOException {
        send(command.split(" "));
        return read();
    }

    /** As {@link #call}, for words that contain spaces. */
    String callWords(String... words) throws IOException {
        send(words);
        return read();
    }

    void send(String... words) throws IOException {
        StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        write(text.toString());
    }

    void write(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    void endWriting() throws IOException {
        socket.shutdownOutput();
    }

    /** The bytes of the answer that was read last. */
    String raw() {
        return raw.toString(ISO_8859_1);
    }

    /** Returns whether something has come that was not read. */
    boolean isAnswered() throws IOException {
        return in.available() > 0;
    }

    String read() throws IOException {
        raw.reset();
        return readOne();
    }

    private String readOne() throws IOException {
        String line = line();
        String rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '+', ':', ',', '#', '(' -> rest;
            case '-' -> "(error) " + rest;
            case '_' -> "(nil)";
            case '$', '=', '!' -> bulk(Integer.parseInt(rest));
            case '*', '~', '>' -> list(Integer.parseInt(rest));
            case '%' -> list(2 * Integer.parseInt(rest));
            default -> throw new IOException("no answer begins like this: " + line);
        };
    }

    private String list(int count) throws IOException {
        if (count < 0) {
            return "(nil)";
        }
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            parts.add(readOne());
        }
        return parts.toString();
    }

    private String bulk(int length) throws IOException {
        if (length < 0) {
            return "(nil)";
        }
        byte[] bytes = in.readNBytes(length + 2);
        if (bytes.length < length + 2) {
            throw new EOFException();
        }
        raw.writeBytes(bytes);
        return new String(bytes, 0, length, ISO_8859_1);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException("the connection was closed");
            }
            raw.write(b);
            if (b == '\n') {
                return line.substring(0, line.length() - 1);
            }
            line.append((char) b);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
