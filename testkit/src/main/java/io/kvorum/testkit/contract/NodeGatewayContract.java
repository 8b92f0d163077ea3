package io.kvorum.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeCommand.Describe;
import io.kvorum.failover.NodeCommand.Fence;
import io.kvorum.failover.NodeCommand.Promote;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/**
 * What every {@link NodeGateway} does, with the nodes behind it: commands are answered with what became of them, a
 * promise is kept, what is refused changes nothing, and nobody is held up.
 */
public abstract class NodeGatewayContract {
    private static final NodeId ALICE = new NodeId("sentinel-1:1");
    private static final NodeId BOB = new NodeId("sentinel-2:2");

    /** For use by subclasses. */
    protected NodeGatewayContract() {}

    /** {@return the gateway; the same during one test} */
    protected abstract NodeGateway gateway();

    /** {@return a node that can be reached, and has promised nothing and leads nothing when the test begins} */
    protected abstract NodeId node();

    /** {@return the shard of the node} */
    protected abstract ShardId shard();

    /** {@return a node that the gateway knows or not, but cannot reach} */
    protected abstract NodeId unreachable();

    /** {@return how long to wait at most for what must happen} A wait ends as soon as it has. */
    protected Duration limit() {
        return Duration.ofSeconds(30);
    }

    /**
     * Waits until a condition holds. By default by looking at it again and again; a gateway in virtual time lets that
     * pass.
     *
     * @param condition the condition
     * @param limit how long to wait at most
     * @return whether it came to hold
     */
    protected boolean await(BooleanSupplier condition, Duration limit) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > limit.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        return true;
    }

    /** {@return an epoch above all that the node knows when the test begins} */
    protected long epoch() {
        return Epoch.next(report().epoch(), 1);
    }

    /** Sends a command until it is answered: an answer may be lost. */
    private NodeAnswer ask(NodeCommand command) {
        List<NodeAnswer> answers = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 30; i++) {
            gateway().send(node(), command, answers::add);
            if (await(() -> !answers.isEmpty(), limit().dividedBy(30))) {
                NodeAnswer answer = answers.get(0);
                assertEquals(command, answer.command());
                return answer;
            }
        }
        throw new AssertionError("no answer to " + command + " within " + limit());
    }

    private NodeReport report() {
        NodeAnswer answer = ask(new Describe(shard(), 0));
        assertEquals(Outcome.DONE, answer.outcome());
        return answer.report();
    }

    @Test
    protected void aNodeDescribesItself() {
        NodeAnswer answer = ask(new Describe(shard(), 4_711));

        assertEquals(Outcome.DONE, answer.outcome());
        assertEquals(node(), answer.report().node());
        assertEquals(shard(), answer.report().shard());
        assertFalse(answer.report().primary());
        assertEquals(answer.report().incarnation(), report().incarnation());
    }

    @Test
    protected void aPromiseIsKept() {
        long epoch = epoch();
        long later = Epoch.next(epoch, 2);

        NodeAnswer fenced = ask(new Fence(shard(), epoch, ALICE));
        assertEquals(Outcome.DONE, fenced.outcome());
        assertEquals(epoch, fenced.report().epoch());
        assertEquals(Outcome.DONE, ask(new Fence(shard(), epoch, ALICE)).outcome());
        assertEquals(Outcome.OTHER_HOLDER, ask(new Fence(shard(), epoch, BOB)).outcome());
        assertEquals(Outcome.DONE, ask(new Fence(shard(), later, BOB)).outcome());
        assertEquals(Outcome.STALE_EPOCH, ask(new Fence(shard(), epoch, ALICE)).outcome());
        assertEquals(later, report().epoch());
    }

    @Test
    protected void aNodeLeadsNoEpochThatItHasNotPromised() {
        long epoch = epoch();
        NodeReport before = report();

        Outcome refused = ask(promote(epoch, ALICE, before)).outcome();
        assertTrue(refused == Outcome.NOT_FENCED || refused == Outcome.NOT_COMPLETE, refused::toString);
        assertEquals(before.epoch(), report().epoch());
        assertFalse(report().primary());
    }

    @Test
    protected void aNodeLeadsForNobodyButTheHolderOfItsPromise() {
        long epoch = epoch();
        NodeReport fenced = ask(new Fence(shard(), epoch, ALICE)).report();

        assertFalse(ask(promote(epoch, BOB, fenced)).done());
        assertFalse(report().primary());
    }

    private Promote promote(long epoch, NodeId holder, NodeReport report) {
        return new Promote(shard(), epoch, holder, report.incarnation(), report.position(), -1);
    }

    @Test
    protected void aCommandForAnotherShardChangesNothing() {
        ShardId other = new ShardId("of-nobody");
        long epoch = epoch();
        NodeReport before = report();

        assertEquals(Outcome.WRONG_SHARD, ask(new Describe(other, 1)).outcome());
        assertEquals(Outcome.WRONG_SHARD, ask(new Fence(other, epoch, ALICE)).outcome());
        assertEquals(before.epoch(), report().epoch());
    }

    @Test
    protected void aNodeThatCannotBeReachedDoesNotAnswerAndHoldsNobodyUp() {
        List<NodeAnswer> answers = new CopyOnWriteArrayList<>();
        assertTimeoutPreemptively(limit(), () -> {
            for (int i = 0; i < 1_000; i++) {
                gateway().send(unreachable(), new Describe(shard(), i), answers::add);
            }
        });
        report();
        assertEquals(List.of(), answers);
    }

    @Test
    protected void aFailureOfWhoeverTakesAnAnswerIsItsOwn() {
        List<String> called = new CopyOnWriteArrayList<>();
        gateway().send(node(), new Describe(shard(), 1), answer -> {
            called.add("called");
            throw new IllegalStateException("of a test");
        });
        await(() -> !called.isEmpty(), limit());

        assertEquals(node(), report().node());
    }

    @Test
    protected void eachCommandHasItsOwnAnswer() {
        List<NodeAnswer> answers = new CopyOnWriteArrayList<>();
        for (int i = 1; i <= 20; i++) {
            int nonce = i;
            gateway().send(node(), new Describe(shard(), nonce), answer -> {
                assertEquals(new Describe(shard(), nonce), answer.command());
                answers.add(answer);
            });
        }
        assertTrue(await(() -> !answers.isEmpty(), limit()), "something must be answered");
        answers.forEach(answer -> assertEquals(node(), answer.report().node()));
    }
}
