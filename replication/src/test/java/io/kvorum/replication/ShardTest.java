package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static java.util.Objects.requireNonNull;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;

/** A shard of three in virtual time, whose primary is a, for the tests of {@link ShardNode}. */
abstract class ShardTest {
    static final long FOREVER = TimeUnit.DAYS.toNanos(1);

    private long requests = 1_000_000;
    TestShard shard = TestShard.started();

    TestShard.Node a = shard.node(A);
    TestShard.Node b = shard.node(B);
    TestShard.Node c = shard.node(C);

    @AfterEach
    void nothingLeaks() {
        shard.close();
    }

    /** Replaces the shard by another one, which is begun and at rest. */
    final void use(TestShard other) {
        useUnbegun(other);
        shard.begin();
        shard.settle();
        shard.events.clear();
    }

    final void useUnbegun(TestShard other) {
        shard.close();
        shard = other;
        a = shard.node(A);
        b = shard.nodes.getOrDefault(B, a);
        c = shard.nodes.getOrDefault(C, a);
    }

    final long request(TestShard.Node node, Acknowledgement level) {
        long number = ++requests;
        node.node.await(number, node.end(), level, shard.now + FOREVER);
        shard.collect(node);
        return number;
    }

    final String outcome(long request) {
        Ready.Completion completion = shard.completions.get(request);
        return completion == null ? "WAITING" : completion.outcome().name();
    }

    final int acknowledged(long request) {
        return requireNonNull(shard.completions.get(request), "no outcome").acknowledged();
    }
}
