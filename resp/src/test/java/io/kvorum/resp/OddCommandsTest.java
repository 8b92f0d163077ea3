package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What clients send by mistake is answered as a real server answers it, byte for byte, and the key space tells as much
 * of it. Needs redis-server 7.0 on the PATH.
 */
final class OddCommandsTest {
    private static final int SEEDS = Integer.getInteger("odd.seeds", 40);
    private static final int COMMANDS = 60;

    /** The number of a connection, in the answer to HELLO. */
    private static final Pattern ID = Pattern.compile("(\r\nid\r\n:)[0-9]+");

    private static BothServers servers;

    @TempDir
    static Path directory;

    @BeforeAll
    static void start() throws Exception {
        servers = new BothServers(directory);
    }

    @AfterAll
    static void stop() throws Exception {
        if (servers != null) {
            servers.close();
        }
    }

    @Test
    void answersAreThoseOfTheServer() throws IOException {
        for (long seed = 0; seed < SEEDS; seed++) {
            List<String> real = run(servers.realPort, seed);
            List<String> ours = run(servers.port, seed);

            for (int i = 0; i < real.size(); i++) {
                assertEquals(real.get(i), ours.get(i), "seed " + seed + ", line " + i);
            }
        }
    }

    /** Runs the commands of a seed over two connections, and returns them with their answers and what a third hears. */
    private static List<String> run(int port, long seed) throws IOException {
        List<String> answers = new ArrayList<>();
        OddCommands commands = new OddCommands(seed);
        try (TinyClient one = new TinyClient(port);
                TinyClient other = new TinyClient(port);
                TinyClient listener = new TinyClient(port)) {
            one.call("FLUSHALL");
            one.call("CONFIG SET timeout 0 maxmemory 0 notify-keyspace-events KEAmn");
            one.call("HELLO " + (2 + seed % 2));
            listener.call("PSUBSCRIBE __key*__:*");
            for (int i = 0; i < COMMANDS; i++) {
                String[] words = commands.next();
                TinyClient client = i % 4 == 3 ? other : one;
                client.send(words);
                client.read();
                answers.add(String.join(" ", words) + " -> "
                        + ID.matcher(client.raw()).replaceAll("$1"));
            }
            answers.add(heard(listener));
        }
        return answers;
    }

    private static String heard(TinyClient listener) throws IOException {
        StringBuilder heard = new StringBuilder();
        listener.send("PING");
        String answer = listener.read();
        while (!answer.equals("[pong, ]")) {
            heard.append(answer);
            answer = listener.read();
        }
        return heard.toString();
    }
}
