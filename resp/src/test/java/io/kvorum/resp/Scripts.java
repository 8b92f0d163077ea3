package io.kvorum.resp;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The commands in {@code commands.txt}, and the answers of a server to them. */
final class Scripts {
    private Scripts() {}

    /** The scripts for a server that is no cluster. */
    static List<List<String>> all() throws IOException {
        return all("commands.txt");
    }

    /** The scripts of a file: blocks of lines, each a command. */
    static List<List<String>> all(String file) throws IOException {
        List<List<String>> scripts = new ArrayList<>();
        List<String> script = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("src/test/resources", file))) {
            if (line.isBlank()) {
                scripts.add(script);
                script = new ArrayList<>();
            } else if (!line.startsWith("#")) {
                script.add(line);
            }
        }
        scripts.add(script);
        return scripts;
    }

    private static String answer(TinyClient client) throws IOException {
        try {
            client.read();
            return client.raw().replace("\r\n", "\\r\\n");
        } catch (EOFException e) {
            return "closed";
        }
    }

    /** Runs a script over a connection of its own, and returns each command with its answer. */
    static List<String> run(int port, int protocol, List<String> script) throws IOException {
        List<String> answers = new ArrayList<>();
        try (TinyClient client = new TinyClient(port)) {
            client.call("FLUSHALL");
            client.call("CONFIG SET notify-keyspace-events KEA");
            client.call("HELLO " + protocol);
            for (String line : script) {
                byte[][] words = RespReader.Words.split(line);
                client.send(Stream.of(words).map(Text::latin).toArray(String[]::new));
                answers.add(line + " -> " + answer(client));
            }
        }
        return answers;
    }
}
