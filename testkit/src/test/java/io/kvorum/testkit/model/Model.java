package io.kvorum.testkit.model;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One random schedule of one shard: its nodes, its sentinels and the messages between them, all drawn from a seed.
 *
 * <p>There is no time: whatever may be late is late for as long as chance wants. Confined to one thread.
 */
final class Model {
    private static final int MOST_MESSAGES = 150;

    private final RandomGenerator random;
    private final Shape shape;
    private final Auditor auditor = new Auditor();
    private final List<Message> messages = new ArrayList<>();
    private final ModelNode[] nodes;
    private final ModelCandidate[] candidates;
    private final Coverage coverage;
    private final @Nullable List<String> timeline;
    private int incarnations;
    private long drawn;

    private Model(long seed, Shape.Focus focus, Rules rules, Coverage coverage, @Nullable List<String> timeline) {
        random = new SplittableRandom(seed);
        this.coverage = coverage;
        this.timeline = timeline;
        shape = Shape.draw(focus, random, rules);
        nodes = new ModelNode[shape.nodes().members() + shape.nodes().spares()];
        for (int id = 0; id < nodes.length; id++) {
            nodes[id] =
                    new ModelNode(id, nodes.length, ++incarnations, random.nextInt(8) > 0, rules, auditor, messages);
        }
        candidates = new ModelCandidate[shape.sentinels().count()];
        for (int id = 0; id < candidates.length; id++) {
            int number = shape.sentinels().sameNumber() ? 1 : id + 1;
            int sentinel = shape.sentinels().sameIdentity() ? 0 : id;
            candidates[id] = new ModelCandidate(
                    id,
                    sentinel,
                    number,
                    nodes.length,
                    shape.nodes().members(),
                    rules,
                    () -> ++drawn,
                    random,
                    messages);
        }
    }

    /**
     * Runs a schedule.
     *
     * @return what went wrong, {@code null} if nothing did
     */
    static @Nullable String run(long seed, Shape.Focus focus, Rules rules, Coverage coverage) {
        return run(seed, focus, rules, coverage, null);
    }

    /**
     * Runs a schedule, and tells what happens in it.
     *
     * @param timeline where lines are added to
     * @return what went wrong, {@code null} if nothing did
     */
    static @Nullable String replay(long seed, Shape.Focus focus, Rules rules, List<String> timeline) {
        return run(seed, focus, rules, new Coverage(), timeline);
    }

    private static @Nullable String run(
            long seed, Shape.Focus focus, Rules rules, Coverage coverage, @Nullable List<String> timeline) {
        Model model = new Model(seed, focus, rules, coverage, timeline);
        try {
            model.run();
            return null;
        } catch (Violation e) {
            return "seed " + seed + ", " + model.shape + ": " + e.getMessage();
        } finally {
            coverage.ran(model.auditor);
        }
    }

    private void run() {
        if (shape.begun()) {
            beginQuietly();
        }
        for (int step = 0; step < shape.steps(); step++) {
            step();
        }
    }

    /** Begins the shard by one candidate and makes every node complete, with nothing late or lost. */
    private void beginQuietly() {
        candidates[0].start(ModelCandidate.Kind.BOOTSTRAP);
        deliverAll();
        for (int round = 0; round < 3; round++) { // a heartbeat, and a full sync of up to two parts
            for (ModelNode node : nodes) {
                for (int to = 0; to < nodes.length; to++) {
                    node.feed(to, 0, random);
                }
            }
            deliverAll();
        }
    }

    private void deliverAll() {
        while (!messages.isEmpty()) {
            deliver(messages.remove(0));
        }
    }

    private void step() {
        int what = random.nextInt(1000);
        if (what < 720 && !messages.isEmpty()) {
            deliverSome();
        } else if (what < 820) {
            actAsPrimary();
        } else if (what < 820 + shape.attempts().frequency()) {
            ModelCandidate candidate = candidates[random.nextInt(candidates.length)];
            if (candidate.isIdle() || random.nextInt(6) == 0) {
                ModelCandidate.Kind kind = shape.drawKind(random);
                coverage.started(kind);
                candidate.start(kind);
            }
        } else if (what >= 880 && what < 880 + shape.sentinels().forgetfulness()) {
            candidates[random.nextInt(candidates.length)].forget();
        } else if (what >= 880
                && what
                        < 880
                                + shape.sentinels().forgetfulness()
                                + shape.losses().frequency()) {
            lose(nodes[random.nextInt(nodes.length)]);
        } else if (what >= 1000 - shape.changes()) {
            for (ModelNode node : nodes) {
                if (node.changeMembers(random, shape.nodes().spares())) {
                    coverage.changed();
                    tell("members changed");
                }
            }
        }
        while (messages.size() > MOST_MESSAGES) {
            messages.remove(random.nextInt(MOST_MESSAGES / 2));
        }
    }

    private void tell(Object what) {
        if (timeline != null) {
            timeline.add(what.toString());
            for (ModelNode node : nodes) {
                timeline.add("        " + node);
            }
        }
    }

    private void actAsPrimary() {
        int first = random.nextInt(nodes.length);
        int tries = 0;
        while (!nodes[(first + tries) % nodes.length].isPrimary()) {
            if (++tries == nodes.length) {
                return;
            }
        }
        ModelNode node = nodes[(first + tries) % nodes.length];
        if (random.nextInt(3) == 0) {
            node.write();
        }
        for (int to = 0; to < nodes.length; to++) {
            if (random.nextBoolean() && random.nextInt(100) >= shape.network().rare()) {
                node.feed(to, shape.network().parts(), random);
            }
        }
    }

    private void lose(ModelNode node) {
        if (random.nextInt(4) == 0) {
            node.restart();
        } else if (shape.losses().reckless() || isSpare(node)) {
            if (random.nextInt(100) >= shape.losses().withPromise()) {
                coverage.lostData();
                node.loseData();
                tell("data lost");
            } else {
                coverage.lostEverything();
                node.loseEverything(++incarnations);
                tell("data and promise lost");
            }
        }
    }

    /** Says whether the shard can lose the node and still have a complete majority of the newest list. */
    private boolean isSpare(ModelNode lost) {
        Members list = auditor.lastCommitted().members;
        return list == null
                || list.majority((node, incarnation) ->
                        nodes[node] != lost && nodes[node].isComplete() && nodes[node].incarnation() == incarnation);
    }

    /** Says whether a bootstrap, which asks the nodes of the topology, must notice that the shard had begun. */
    private boolean survives(Members list) {
        boolean asked = false;
        for (int node = 0; node < shape.nodes().members(); node++) {
            asked |= list.incarnationOf(node) == nodes[node].incarnation();
        }
        return asked && list.majority((node, incarnation) -> nodes[node].incarnation() == incarnation);
    }

    private void deliverSome() {
        int size = messages.size();
        boolean late = random.nextInt(100) < shape.network().late();
        int index = late ? random.nextInt(size) : size - 1 - random.nextInt(Math.min(size, 2 * nodes.length));
        Message message = messages.get(index);
        if (random.nextInt(100) >= shape.network().repeated()) {
            messages.remove(index);
        }
        if (random.nextInt(100) >= shape.network().lost()) {
            deliver(message);
        }
    }

    private void deliver(Message message) {
        tell(message);
        if (message instanceof Message.Describe describe) {
            nodes[describe.node()].describe(describe);
        } else if (message instanceof Message.Fence fence) {
            nodes[fence.node()].fence(fence);
        } else if (message instanceof Message.Promote promote) {
            nodes[promote.node()].promote(promote);
        } else if (message instanceof Message.Begin begin) {
            nodes[begin.node()].begin(begin, this::survives);
        } else if (message instanceof Message.Described described) {
            candidates[described.candidate()].described(described);
        } else if (message instanceof Message.Fenced fenced) {
            candidates[fenced.candidate()].fenced(fenced);
        } else if (message instanceof Message.Append append) {
            nodes[append.to()].append(append);
        } else if (message instanceof Message.SyncPart part) {
            nodes[part.to()].sync(part);
        } else if (message instanceof Message.Ack ack) {
            nodes[ack.to()].acknowledged(ack);
        } else {
            throw new AssertionError(message);
        }
    }
}
