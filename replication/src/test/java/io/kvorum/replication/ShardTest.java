package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;

/** A shard of three in virtual time, whose primary is a, for the tests of {@link ShardNode}. */
abstract class ShardTest {
    static final long FOREVER = TimeUnit.DAYS.toNanos(1);

    private long requests = 1_000_000;
    TestShard shard = TestShard.started();

    TestShard.Member a = shard.member(A);
    TestShard.Member b = shard.member(B);
    TestShard.Member c = shard.member(C);

    @AfterEach
    void nothingLeaks() {
        shard.close();
    }

    final void use(TestShard other) {
        shard.close();
        shard = other;
        a = shard.member(A);
        b = shard.members.getOrDefault(B, a);
        c = shard.members.getOrDefault(C, a);
    }

    final long request(TestShard.Member member, Acknowledgement level) {
        long number = ++requests;
        member.node.await(number, member.end(), level, shard.now + FOREVER);
        shard.collect(member);
        return number;
    }

    final String outcome(long request) {
        Ready.Completion completion = shard.completions.get(request);
        if (completion == null) {
            return "waiting";
        }
        return completion.reason() == null
                ? "acknowledged"
                : completion.reason().name();
    }
}
