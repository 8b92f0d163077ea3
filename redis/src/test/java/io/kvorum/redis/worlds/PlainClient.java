package io.kvorum.redis.worlds;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A client of a few lines that hides nothing. Confined to one thread. */
final class PlainClient implements AutoCloseable {
    private final Socket socket = new Socket();
    private final InputStream in;

    PlainClient(InetSocketAddress address, int timeoutMillis) throws IOException {
        try {
            socket.connect(address, timeoutMillis);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(timeoutMillis);
            in = new BufferedInputStream(socket.getInputStream());
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    void waitAsLongAsItTakes() throws IOException {
        socket.setSoTimeout(0);
    }

    /**
     * Sends words, separated by spaces, and returns the answer: a list of what is in it, or one word; see
     * {@link #read}.
     */
    List<String> call(String command) throws IOException {
        String[] words = command.split(" ", -1);
        StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        socket.getOutputStream().write(text.toString().getBytes(UTF_8));
        return read();
    }

    /** {@return the next answer, flat; an error begins with a minus, an absent value is {@code (nil)}} */
    List<String> read() throws IOException {
        List<String> parts = new ArrayList<>();
        readInto(parts);
        return parts;
    }

    private void readInto(List<String> parts) throws IOException {
        String line = line();
        String rest = line.substring(1);
        switch (line.charAt(0)) {
            case '-' -> parts.add(line);
            case '$' -> parts.add(rest.equals("-1") ? "(nil)" : bulk(Integer.parseInt(rest)));
            case '*' -> {
                if (rest.equals("-1")) {
                    parts.add("(nil)");
                }
                for (int left = Integer.parseInt(rest); left > 0; left--) {
                    readInto(parts);
                }
            }
            default -> parts.add(rest);
        }
    }

    private String bulk(int length) throws IOException {
        byte[] bytes = in.readNBytes(length + 2);
        if (bytes.length < length + 2) {
            throw new EOFException();
        }
        return new String(bytes, 0, length, UTF_8);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException();
            }
            line.append((char) b);
        }
        return line.substring(0, line.length() - 1);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
