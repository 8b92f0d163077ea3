package io.kvorum.testkit.cart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Users, a job that sweeps, and crashes, all in virtual time: a minute of the application takes some milliseconds. */
@Tag("long")
final class CartServiceTest {
    private static final long SEEDS = 20;
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Duration ABANDONED = Duration.ofSeconds(8);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int USERS = 3;
    private static final int ADDITIONS = 20;

    @Test
    void theApplicationIsRight() {
        for (long seed = 1; seed <= SEEDS / 4; seed++) {
            assertNull(failure(seed, Bug.NONE), "seed " + seed);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void seedsFindEachBugAndReplayIt(Bug bug) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            String found = failure(seed, bug);
            if (found != null) {
                assertEquals(found, failure(seed, bug), "the same seed is the same run");
                return;
            }
        }
        throw new AssertionError(bug + " was not found in " + SEEDS + " seeds");
    }

    /** Runs a seed; returns what was found to be wrong, or null. */
    private static @Nullable String failure(long seed, Bug bug) {
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(2)
                .timeout(PATIENCE)
                .latency(Duration.ofMillis(1), Duration.ofMillis(20))
                .virtualTime(seed)
                .start()) {
            cluster.awaitReady(LIMIT);
            run(cluster, new SplittableRandom(seed), bug);
            return null;
        } catch (AssertionError e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void run(LocalCluster cluster, SplittableRandom random, Bug bug) {
        CartService service = new CartService(cluster.client(), cluster.clock(), bug);
        List<CompletionStage<?>> users = new ArrayList<>();
        for (int i = 0; i < USERS; i++) {
            String user = "user-" + i;
            SplittableRandom own = random.split();
            users.add(cluster.actor(user, () -> shop(cluster, service, user, own)));
            users.add(cluster.actor(user + " on the telephone", () -> look(cluster, service, user, own.split())));
        }
        users.add(cluster.actor("sweeper", () -> {
            for (int i = 0; i < 60; i++) {
                cluster.advance(Duration.ofMillis(500));
                service.sweep(ABANDONED);
            }
        }));
        users.add(cluster.actor("operator", () -> breakThings(cluster, random.split())));
        cluster.runUntil(
                () -> users.stream().allMatch(user -> user.toCompletableFuture().isDone()), Duration.ofMinutes(5));
    }

    /** Adds some things, and looks: they must be there, once, unless the cart was left alone for long. */
    private static void shop(LocalCluster cluster, CartService service, String user, SplittableRandom random) {
        int expected = 0;
        boolean left = false; // for so long that the cart may be swept
        for (int i = 0; i < ADDITIONS; ) {
            int more = random.nextInt(1, 5);
            for (int j = 0; j < more; j++) {
                service.add(user, "item-" + random.nextInt(3), 1, user + "." + i++);
                cluster.advance(Duration.ofMillis(random.nextInt(30)));
            }
            int seen = service.view(user).count();
            expected = left && seen == more ? more : expected + more;
            assertEquals(expected, seen, user + " sees another number of items after addition " + i);
            left = random.nextInt(3) == 0;
            cluster.advance(
                    left ? ABANDONED.plusMillis(random.nextInt(-400, 400)) : Duration.ofMillis(random.nextInt(1_000)));
        }
    }

    /** Looks at the cart again and again, from another thread of the application. */
    private static void look(LocalCluster cluster, CartService service, String user, SplittableRandom random) {
        for (int i = 0; i < 200; i++) {
            service.view(user);
            cluster.advance(Duration.ofMillis(random.nextInt(200)));
        }
    }

    /** Crashes a node, or keeps what a shard's replicas answer from its primary, and mends it. */
    private static void breakThings(LocalCluster cluster, SplittableRandom random) {
        for (int i = 0; i < 5; i++) {
            cluster.advance(Duration.ofMillis(random.nextInt(3_000)));
            List<LocalNode> nodes = cluster.nodes();
            LocalNode node = nodes.get(random.nextInt(nodes.size()));
            if (random.nextBoolean()) {
                node.crash();
                cluster.advance(Duration.ofMillis(random.nextInt(3_000)));
                node.restart();
            } else {
                LocalNode primary = cluster.primaryOf(node.shard());
                List<NodeId> replicas = cluster.nodes(node.shard()).stream()
                        .map(LocalNode::id)
                        .filter(id -> !id.equals(primary.id()))
                        .toList();
                cluster.cut(replicas, List.of(primary.id()));
                cluster.advance(PATIENCE.plusMillis(random.nextInt(1_000)));
                cluster.heal();
            }
            cluster.awaitReady(LIMIT);
        }
    }
}
