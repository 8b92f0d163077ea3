package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One run of real nodes under a random schedule: messages and commands come late, twice, or never; candidates forget;
 * nodes restart, lose their data, or their data and their promise. No epoch may have two primaries, and no primary may
 * lack a write that a majority acknowledged in an earlier epoch. In the end, when all is well again, all nodes are
 * equal.
 */
final class RandomSchedule {
    private static final int STEPS = 600;

    /** A candidate that asks, fences and promotes by the rules. */
    private static final class Candidate {
        final NodeId id;
        final int number;
        long nonce;
        long epoch;
        boolean fencing;
        Map<NodeId, NodeStatus> answers = new TreeMap<>();

        Candidate(int number) {
            this.number = number;
            this.id = new NodeId("S" + number);
        }
    }

    private final long seed;
    private final SplittableRandom random;
    private final TestShard shard;
    private final List<TestShard.Node> nodes;
    private final List<Candidate> candidates;
    private final List<Runnable> pool = new ArrayList<>();
    private final Map<Long, NodeId> primaries = new HashMap<>();
    private final Map<Long, String> keys = new HashMap<>();

    /** The acknowledged writes, with the epoch in which they were acknowledged. */
    private final Map<String, Long> acknowledged = new LinkedHashMap<>();

    private long requests;
    private int promotions;

    RandomSchedule(long seed) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        int size = new int[] {3, 3, 3, 2, 4, 5}[random.nextInt(6)];
        NodeId[] ids = IntStream.range(0, size)
                .mapToObj(i -> new NodeId(String.valueOf((char) ('a' + i))))
                .toArray(NodeId[]::new);
        this.shard = new TestShard(TestShard.SETTINGS.withBatchBytes(64), 1 << 12, ids);
        this.nodes = List.copyOf(shard.nodes.values());
        this.candidates = IntStream.rangeClosed(1, 3).mapToObj(Candidate::new).toList();
        shard.observer = this::observe;
    }

    /** Plays the run, and throws what went wrong. */
    void play() {
        shard.begin();
        shard.settle();
        for (int i = 0; i < STEPS; i++) {
            step();
        }
        recover();
        shard.close();
    }

    private void observe(TestShard.Node node, Ready ready) {
        for (ReplicationEvent event : ready.events()) {
            if (event instanceof ReplicationEvent.Promoted promoted) {
                promotions++;
                NodeId other = primaries.putIfAbsent(promoted.epoch(), node.id);
                assertTrue(other == null, "two primaries of " + Epoch.toString(promoted.epoch()));
                acknowledged.forEach((key, epoch) -> assertTrue(
                        epoch >= promoted.epoch() || node.state.map.containsKey(key),
                        "the primary of " + Epoch.toString(promoted.epoch()) + " lacks " + key + " of "
                                + Epoch.toString(epoch)));
            }
        }
        for (Ready.Completion completion : ready.completions()) {
            String key = keys.remove(completion.request());
            if (key != null && completion.outcome() == Ready.Outcome.ACKNOWLEDGED) {
                acknowledged.put(key, node.status().epoch());
            }
        }
    }

    private void step() {
        int what = random.nextInt(100);
        if (what < 62) {
            deliver();
        } else if (what < 74) {
            shard.now += random.nextLong(80_000_000);
            shard.tick(any());
        } else if (what < 86) {
            write(any());
        } else if (what < 94) {
            Candidate candidate = candidates.get(random.nextInt(candidates.size()));
            if (random.nextInt(4) == 0) {
                ask(candidate);
            } else if (random.nextInt(10) == 0) {
                candidate.nonce++;
                candidate.fencing = false;
            }
        } else if (what < 96) {
            any().restartWithData();
        } else {
            TestShard.Node node = any();
            if (mayLoseData(node)) {
                if (random.nextBoolean()) {
                    node.restartEmpty();
                } else {
                    node.restartWithoutPromise();
                }
            }
        }
    }

    private TestShard.Node any() {
        return nodes.get(random.nextInt(nodes.size()));
    }

    private void write(TestShard.Node node) {
        String key = "w" + ++requests;
        try {
            node.write(key, "v");
            keys.put(requests, key);
            node.node.await(
                    requests,
                    node.end(),
                    Acknowledgement.MAJORITY,
                    shard.now + Duration.ofDays(1).toNanos());
            shard.tick(node);
        } catch (RefusedException e) {
            requests++; // it is not the primary
        }
    }

    private void deliver() {
        while (!shard.network.isEmpty()) {
            TestShard.Sent sent = shard.network.remove();
            pool.add(new Delivery(sent));
        }
        while (pool.size() > 150) {
            drop(random.nextInt(pool.size()));
        }
        if (pool.isEmpty()) {
            return;
        }
        int index = random.nextInt(3) > 0 ? random.nextInt(Math.min(4, pool.size())) : random.nextInt(pool.size());
        int fate = random.nextInt(10);
        if (fate == 0) {
            drop(index);
        } else if (fate == 1 && pool.get(index) instanceof Delivery delivery) {
            shard.deliver(new TestShard.Sent(
                    delivery.sent.from(),
                    delivery.sent.to(),
                    delivery.sent.message().copy()));
        } else {
            pool.remove(index).run();
        }
    }

    private void drop(int index) {
        if (pool.remove(index) instanceof Delivery delivery) {
            delivery.sent.message().release();
        }
    }

    private final class Delivery implements Runnable {
        final TestShard.Sent sent;

        Delivery(TestShard.Sent sent) {
            this.sent = sent;
        }

        @Override
        public void run() {
            shard.deliver(sent);
        }
    }

    // ---- failover by the rules

    private void ask(Candidate candidate) {
        long nonce = ++candidate.nonce;
        candidate.fencing = false;
        candidate.answers.clear();
        for (TestShard.Node node : nodes) {
            pool.add(() -> {
                NodeStatus status = node.status();
                pool.add(() -> asked(candidate, nonce, status));
            });
        }
    }

    private void asked(Candidate candidate, long nonce, NodeStatus status) {
        if (candidate.nonce != nonce || candidate.fencing) {
            return;
        }
        candidate.answers.put(status.node(), status);
        if (!isMajority(candidate.answers)) {
            return;
        }
        long highest = candidate.answers.values().stream()
                .mapToLong(NodeStatus::epoch)
                .max()
                .orElseThrow();
        candidate.epoch = Epoch.next(highest, candidate.number);
        candidate.fencing = true;
        candidate.answers = new TreeMap<>();
        long epoch = candidate.epoch;
        for (TestShard.Node node : nodes) {
            pool.add(() -> {
                ControlAnswer answer = node.node.fence(epoch, candidate.id);
                shard.collect(node);
                if (answer.outcome() == ControlAnswer.Outcome.DONE) {
                    pool.add(() -> fenced(candidate, nonce, answer.status()));
                }
            });
        }
    }

    private void fenced(Candidate candidate, long nonce, NodeStatus status) {
        if (candidate.nonce != nonce || !candidate.fencing) {
            return;
        }
        candidate.answers.put(status.node(), status);
        if (!isMajority(candidate.answers)) {
            return;
        }
        Membership membership = newest(candidate.answers);
        NodeStatus best = null;
        for (NodeStatus answer : candidate.answers.values()) {
            boolean member = membership != null && membership.isMember(member(answer));
            if (answer.complete() && member && (best == null || best.position().compareTo(answer.position()) < 0)) {
                best = answer;
            }
        }
        candidate.nonce++;
        candidate.fencing = false;
        if (best != null) {
            TestShard.Node chosen = shard.node(best.node());
            long epoch = candidate.epoch;
            long incarnation = best.incarnation();
            LogPosition position = best.position();
            long committed = isListCommitted(best, candidate.answers)
                    ? Math.max(best.committed(), best.membersAt().offset())
                    : best.committed();
            pool.add(() -> {
                chosen.node.promote(epoch, candidate.id, incarnation, position, committed, shard.now);
                shard.collect(chosen);
            });
        }
    }

    private static Member member(NodeStatus status) {
        return new Member(status.node(), status.incarnation());
    }

    private static @Nullable Membership newest(Map<NodeId, NodeStatus> answers) {
        NodeStatus best = null;
        for (NodeStatus answer : answers.values()) {
            boolean counts = answer.complete() && answer.membership() != null;
            if (counts && (best == null || best.position().compareTo(answer.position()) < 0)) {
                best = answer;
            }
        }
        Membership membership = best == null ? null : best.membership();
        return best != null && membership != null && isListCommitted(best, answers)
                ? Membership.committed(membership.current())
                : membership;
    }

    private static boolean isListCommitted(NodeStatus of, Map<NodeId, NodeStatus> answers) {
        return answers.values().stream()
                .anyMatch(answer -> answer.complete()
                        && answer.membersAt().equals(of.membersAt())
                        && answer.committed() >= of.membersAt().offset());
    }

    private static boolean isMajority(Map<NodeId, NodeStatus> answers) {
        Membership membership = newest(answers);
        return membership != null
                && membership.isMajority(member -> {
                    NodeStatus answer = answers.get(member.node());
                    return answer != null && member(answer).equals(member) && answer.complete();
                });
    }

    /**
     * Losing more than a minority of the complete members at once is not survivable. Who knows that a list is committed
     * may forget it, so the list before counts here in any case.
     */
    private boolean mayLoseData(TestShard.Node node) {
        LogMembers all = newestLists(null);
        LogMembers rest = newestLists(node);
        if (all == null || !all.equals(rest) || all.current() == null) {
            return false;
        }
        return new Membership(all.current(), all.previous())
                .isMajority(member -> nodes.stream()
                        .anyMatch(other -> other != node
                                && other.member().equals(member)
                                && other.status().complete()));
    }

    private @Nullable LogMembers newestLists(TestShard.@Nullable Node without) {
        return nodes.stream()
                .filter(node -> node != without && node.status().complete())
                .max(Comparator.comparing(TestShard.Node::end))
                .map(node -> ((MachineLog) node.log).members())
                .orElse(null);
    }

    private Map<NodeId, NodeStatus> statuses() {
        Map<NodeId, NodeStatus> statuses = new TreeMap<>();
        nodes.forEach(node -> statuses.put(node.id, node.status()));
        return statuses;
    }

    // ---- the end

    private void recover() {
        pool.forEach(late -> {
            if (late instanceof Delivery delivery) {
                delivery.sent.message().release();
            }
        });
        pool.clear();
        shard.network.forEach(sent -> sent.message().release());
        shard.network.clear();
        for (int tries = 0;
                tries < 3 && !isAtRest();
                tries++) { // a promise that it was not told of may need another one
            ask(candidates.get(0));
            while (!pool.isEmpty()) {
                pool.remove(0).run();
            }
            for (int i = 0; i < 400 && !isAtRest(); i++) {
                shard.advance(Duration.ofMillis(100));
            }
        }
        assertTrue(isAtRest(), "not at rest: " + statuses().values());
        shard.assertEqual();
        TestShard.Node primary = nodes.stream()
                .filter(node -> node.status().role() == NodeRole.PRIMARY)
                .findFirst()
                .orElseThrow();
        acknowledged.keySet().forEach(key -> assertEquals("v", primary.state.map.get(key), key));
        assertTrue(promotions > 0, "seed " + seed);
    }

    private boolean isAtRest() {
        long primariesNow = nodes.stream()
                .filter(node -> node.status().role() == NodeRole.PRIMARY)
                .count();
        TestShard.Node first = nodes.get(0);
        return primariesNow == 1
                && nodes.stream()
                        .allMatch(node -> node.status().complete() && node.end().equals(first.end()));
    }
}
