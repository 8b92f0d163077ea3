package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Every answer is the one that was recorded in {@code answers.txt}, where no real server is at hand to compare with.
 * {@code -Danswers.rewrite=true} records them anew, after {@link RealServerTest} has found them to be the server's.
 */
final class AnswersTest {
    private static final Path RECORDED = Path.of("src/test/resources/answers.txt");

    @Test
    void answersAreThoseThatWereRecorded() throws IOException {
        try (LocalCluster cluster =
                LocalCluster.start(LocalClusterSettings.defaults().withShards(1).withReplicas(0))) {
            cluster.awaitReady(Duration.ofSeconds(20));
            try (RespCluster resp =
                    RespCluster.builder(cluster).mode(RespMode.SINGLE).start()) {
                List<String> answers = new ArrayList<>();
                for (int protocol = 2; protocol <= 3; protocol++) {
                    for (List<String> script : Scripts.all()) {
                        answers.addAll(
                                Scripts.run(resp.port(cluster.nodes().get(0).id()), protocol, script));
                    }
                }
                if (Boolean.getBoolean("answers.rewrite")) {
                    Files.write(RECORDED, answers);
                }
                assertEquals(String.join("\n", Files.readAllLines(RECORDED)), String.join("\n", answers));
            }
        }
    }
}
