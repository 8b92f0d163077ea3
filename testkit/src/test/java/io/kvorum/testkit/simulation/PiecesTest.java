package io.kvorum.testkit.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class PiecesTest {
    private static final long SEED = 7;
    private static final int MESSAGES = 1_000;

    private final EventQueue queue = new EventQueue();
    private final Trace trace = new Trace(queue, true);
    private final SimulatedProcess alice = process("alice", 0);
    private final SimulatedProcess bob = process("bob", 1);
    private final List<Object> happened = new ArrayList<>();

    @Test
    void tasksHappenInTheOrderOfTimeThenOfScheduling() {
        Randomness random = Randomness.stream(SEED, 0);
        List<long[]> scheduled = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            long[] task = {random.nextLong(100), i};
            scheduled.add(task);
            queue.schedule(task[0], () -> happened.add(task));
        }
        runAll();

        scheduled.sort(Comparator.comparingLong(task -> task[0]));
        assertEquals(scheduled, happened);
    }

    @Test
    void timeStopsAtTheLimit() {
        queue.schedule(20, () -> happened.add("late"));

        assertFalse(queue.runNext(10));
        assertEquals(10, queue.now());
        assertTrue(queue.runNext(20));
        assertThrows(IllegalArgumentException.class, () -> queue.schedule(19, () -> {}));
    }

    @Test
    void chanceIsSplitMix64() {
        Randomness random = Randomness.stream(0, 0);
        long first = random.nextLong();

        assertEquals(first, Randomness.stream(0, 0).nextLong());
        assertNotEquals(first, Randomness.stream(0, 1).nextLong());
        assertNotEquals(first, Randomness.stream(1, 0).nextLong());
        assertEquals(0xe220a8397b1dcdafL, Randomness.mix(0x9e3779b97f4a7c15L), "the first output of seed 0");
        assertTrue(
                LongStream.generate(() -> random.nextLong(-3, 4)).limit(1_000).allMatch(n -> n >= -3 && n < 4));
        assertTrue(LongStream.generate(() -> random.magnitude(10, 5_000))
                .limit(1_000)
                .allMatch(n -> n >= 10 && n <= 5_000));
    }

    @Test
    void whatHappensInAPauseHappensAtItsEnd() {
        alice.start();
        alice.every(10, () -> happened.add("tick"));
        runUntil(25);
        assertEquals(List.of("tick", "tick"), happened);

        alice.pause();
        alice.execute(() -> happened.add("mail"));
        alice.deliver(() -> happened.add("more mail"));
        long clock = alice.nanoTime();
        runUntil(100);
        assertEquals(2, happened.size());
        assertEquals(clock + 75, alice.nanoTime());

        alice.resume();
        runUntil(105);
        assertEquals(List.of("tick", "tick", "more mail", "mail", "tick"), happened);
    }

    @Test
    void nothingOfAnEarlierLifeHappens() {
        alice.start();
        alice.every(10, () -> happened.add("tick"));
        alice.crash();
        alice.start();
        alice.after(50, () -> happened.add("second life"));
        runAll();

        assertEquals(List.of("second life"), happened);
    }

    @Test
    void whatIsThrownAwayIsReleased() {
        SimulatedNetwork network = network(true);
        bob.start();
        send(network, "to nobody"); // arrives after the crash
        bob.crash();
        runAll();
        assertEquals(List.of("released to nobody"), happened);

        happened.clear();
        bob.start();
        bob.pause();
        send(network, "in a pause");
        runUntil(queue.now() + 1_000);
        bob.crash();
        assertEquals(List.of("released in a pause"), happened);

        happened.clear();
        bob.resume();
        bob.start();
        network.cut(1, 2, 1);
        send(network, "cut");
        network.cut(1, 2, -1);
        send(network, "never delivered");
        queue.discardAll();
        assertEquals(List.of("released cut", "released never delivered"), happened);
    }

    @Test
    void aCutWorksOneWay() {
        SimulatedNetwork network = network(true);
        alice.start();
        bob.start();
        network.cut(1L << alice.index(), 1L << bob.index(), 1);
        network.send(
                bob,
                alice,
                MessageKind.RECORDS,
                0,
                "back",
                new Counted(),
                (from, message) -> happened.add(from + " " + message));
        send(network, "forth");
        runAll();

        assertEquals(List.of("released forth", "bob back"), happened);
    }

    @Test
    void messagesAreLostRepeatedAndReordered() {
        SimulatedNetwork network = network(false);
        bob.start();
        network.changeLoss(100);
        network.changeRepeats(200);
        IntStream.range(0, MESSAGES).forEach(i -> send(network, i));
        runAll();

        long received = happened.stream().filter(Integer.class::isInstance).count();
        assertEquals(MESSAGES - network.lost() + network.repeated(), received);
        assertTrue(network.lost() > 50 && network.lost() < 200, () -> "lost " + network.lost());
        assertTrue(network.repeated() > 100 && network.repeated() < 300, () -> "repeated " + network.repeated());
        assertNotEquals(
                happened.stream().filter(Integer.class::isInstance).sorted().toList(), happened);
    }

    @Test
    void anOrderedNetworkKeepsTheOrder() {
        SimulatedNetwork network = network(true);
        bob.start();
        IntStream.range(0, MESSAGES).forEach(i -> send(network, i));
        runAll();

        assertEquals(IntStream.range(0, MESSAGES).boxed().toList(), happened);
    }

    @Test
    void lateCopiesComeManySecondsLaterOrInALaterLife() {
        SimulatedNetwork network = network(true);
        bob.start();
        network.changeLateCopies(1L << bob.index(), 1_000);
        for (int i = 0; i < MESSAGES; i++) {
            send(network, i);
            runUntil(queue.now() + 20 * Plan.MILLISECOND);
        }
        network.changeLateCopies(1L << bob.index(), -1_000);
        send(network, "no copy");
        runUntil(queue.now() + Plan.SECOND / 2);
        assertEquals(0, network.lateInLaterLife());
        runUntil(90 * Plan.SECOND);
        assertTrue(network.late() > 0);

        happened.clear();
        long late = network.late();
        bob.crash();
        bob.start();
        network.restarted(bob);
        runUntil(91 * Plan.SECOND);

        assertEquals(happened.size(), network.late() - late);
        assertTrue(network.lateInLaterLife() > 0);
        assertEquals(happened.stream().distinct().toList(), happened);
    }

    @Test
    void aLateCopyIsReleasedOrDeliveredAsTheMessageIs() {
        SimulatedNetwork network = network(false);
        bob.start();
        network.changeLateCopies(1L << bob.index(), 1_000);
        network.changeLoss(100);
        for (int i = 0; i < MESSAGES; i++) {
            send(network, i);
            runUntil(queue.now() + 90 * Plan.MILLISECOND);
        }
        queue.discardAll();
        network.discardKept();

        assertEquals(2 * MESSAGES, happened.size());
        assertTrue(network.late() > 0 && network.late() < MESSAGES, () -> "late " + network.late());
    }

    private SimulatedNetwork network(boolean inOrder) {
        return new SimulatedNetwork(queue, trace, SEED, 2, inOrder, 10, 100, 100 * Plan.SECOND);
    }

    private void send(SimulatedNetwork network, Object message) {
        network.send(
                alice, bob, MessageKind.RECORDS, 0, message, new Counted(), (from, received) -> happened.add(received));
    }

    private SimulatedProcess process(String id, int index) {
        return new SimulatedProcess(queue, new NodeId(id), index, 1_000_000, 0, () -> {});
    }

    private void runUntil(long limit) {
        while (queue.runNext(limit)) {}
    }

    private void runAll() {
        runUntil(1_000_000);
    }

    private final class Counted implements SimulatedNetwork.Handling<Object> {
        @Override
        public Object copy(Object message) {
            return message;
        }

        @Override
        public void release(Object message) {
            happened.add("released " + message);
        }
    }
}
