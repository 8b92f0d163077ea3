package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.LIMIT;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Expired keys are deleted at every node without anybody's help, whoever leads when their time has come. */
final class LocalClusterExpiryTest {
    private static final byte[] KEY = "key".getBytes(US_ASCII);
    private static final byte[] OTHER = "other".getBytes(US_ASCII);
    private static final Duration LIFE = Duration.ofSeconds(20);
    private static final Duration SWEEP = Duration.ofMillis(500);

    private LocalCluster cluster;

    @BeforeEach
    void start() {
        cluster = LocalCluster.builder().shards(1).replicas(2).virtualTime(1).start();
        cluster.awaitReady(LIMIT);
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"stays", "fails over", "crashes", "loses its state", "crashes when they expire"})
    void theKeysAreGoneWhateverThePrimaryDoes(String primary) {
        cluster.client().set(KEY, KEY, LIFE);
        cluster.client().set(OTHER, OTHER);
        LocalNode first = cluster.primaryFor(KEY);
        switch (primary) {
            case "fails over" -> cluster.failOver(first.shard());
            case "crashes" -> first.crash();
            case "loses its state" -> { // its deadlines come back by a full sync, before it leads again
                first.crash();
                awaitAnother(first);
                first.restart();
                cluster.awaitReady(LIMIT);
                LocalNode second = cluster.primaryFor(KEY);
                second.crash();
                awaitAnother(second);
                second.restart();
            }
            default -> {}
        }
        cluster.awaitReady(LIMIT);
        assertEquals(2, cluster.primaryFor(KEY).size());

        if (primary.equals("crashes when they expire")) {
            cluster.advance(LIFE.minus(Duration.ofMillis(1)));
            first.crash();
            awaitAnother(first);
        } else {
            cluster.advance(LIFE);
        }

        assertTrue(
                cluster.await(this::onlyTheOtherIsLeft, SWEEP),
                () -> cluster.nodes().toString());
        assertEquals("other", new String(cluster.client().get(OTHER), US_ASCII));
        cluster.client().set(KEY, KEY, Duration.ofSeconds(1)); // the first deadline again
        cluster.advance(Duration.ofSeconds(1));
        assertTrue(
                cluster.await(this::onlyTheOtherIsLeft, SWEEP),
                () -> cluster.nodes().toString());
    }

    private void awaitAnother(LocalNode former) {
        assertTrue(cluster.await(() -> cluster.primaryFor(KEY) != former, LIMIT));
        cluster.client().get(KEY); // which waits until it serves
        assertNotEquals(former, cluster.primaryFor(KEY));
    }

    private boolean onlyTheOtherIsLeft() {
        return cluster.nodes().stream().filter(LocalNode::isRunning).allMatch(node -> node.size() == 1);
    }
}
