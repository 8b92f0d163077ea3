package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntToLongFunction;
import java.util.function.LongToIntFunction;

/** The requests of one leadership that wait for an acknowledgement, a confirmation or a decision. */
final class PendingAcks {
    /**
     * A request in the queue of its kind.
     *
     * @param goal the offset that must be reached
     * @param sequence for a confirmation, the message that must be answered; otherwise 0
     * @param lost whether the answer, then, is that the position is lost
     */
    private record Request(
            long number,
            LogPosition position,
            long goal,
            long sequence,
            boolean lost,
            long deadline,
            NavigableSet<Request> queue) {}

    private static final Comparator<Request> BY_GOAL =
            Comparator.comparingLong(Request::goal).thenComparingLong(Request::number);

    private static final Comparator<Request> BY_SEQUENCE =
            Comparator.comparingLong(Request::sequence).thenComparingLong(Request::number);

    private static final Comparator<Request> BY_DEADLINE =
            ((Comparator<Request>) (a, b) -> Long.signum(a.deadline - b.deadline)).thenComparingLong(Request::number);

    private final Outbox outbox;
    private final int limit;
    private final LongToIntFunction replicasWith;

    /** Those that wait for a number of replicas, by that number. */
    private final TreeMap<Integer, NavigableSet<Request>> byReplicas = new TreeMap<>();

    /** Those that wait for a commit. */
    private final NavigableSet<Request> byCommit = new TreeSet<>(BY_GOAL);

    private final NavigableSet<Request> confirmations = new TreeSet<>(BY_SEQUENCE);
    private final NavigableSet<Request> byDeadline = new TreeSet<>(BY_DEADLINE);

    /**
     * Starts without a request.
     *
     * @param outbox receives the completions
     * @param limit how many requests may wait
     * @param replicasWith tells how many replicas have an offset
     */
    PendingAcks(Outbox outbox, int limit, LongToIntFunction replicasWith) {
        this.outbox = outbox;
        this.limit = limit;
        this.replicasWith = replicasWith;
    }

    boolean isEmpty() {
        return byDeadline.isEmpty();
    }

    /** {@return the earliest deadline, if there is a request} */
    long firstDeadline() {
        return byDeadline.first().deadline;
    }

    /** Waits until {@code replicas} replicas have the position. */
    void awaitReplicas(long number, LogPosition position, int replicas, long deadline) {
        NavigableSet<Request> queue = byReplicas.computeIfAbsent(replicas, r -> new TreeSet<>(BY_GOAL));
        add(new Request(number, position, position.offset(), 0, false, deadline, queue));
    }

    /** Waits until the position is committed. */
    void awaitCommit(long number, LogPosition position, long deadline) {
        add(new Request(number, position, position.offset(), 0, false, deadline, byCommit));
    }

    /** Waits until {@code offset} is committed, and then says that the position is lost. */
    void awaitLoss(long number, LogPosition position, long offset, long deadline) {
        add(new Request(number, position, offset, 0, true, deadline, byCommit));
    }

    /** Waits until a majority has answered a message from {@code sequence} on, and the position is committed. */
    void confirm(long number, LogPosition position, long sequence, long deadline) {
        add(new Request(number, position, position.offset(), sequence, false, deadline, confirmations));
    }

    private void add(Request request) {
        if (byDeadline.size() >= limit) {
            complete(request, Ready.Outcome.OVERLOADED);
            return;
        }
        byDeadline.add(request);
        request.queue.add(request);
    }

    /**
     * Completes what is done.
     *
     * @param committed the committed offset
     * @param reachedBy tells the offset that a number of replicas have
     */
    void acknowledged(long committed, IntToLongFunction reachedBy) {
        finish(byCommit, committed);
        if (byReplicas.isEmpty()) {
            return;
        }
        Iterator<Integer> levels = byReplicas.keySet().iterator();
        while (levels.hasNext()) {
            int replicas = levels.next();
            NavigableSet<Request> queue = byReplicas.get(replicas);
            if (queue != null) {
                finish(queue, reachedBy.applyAsLong(replicas));
            }
            if (queue == null || queue.isEmpty()) {
                levels.remove();
            }
        }
    }

    private void finish(NavigableSet<Request> queue, long offset) {
        while (!queue.isEmpty() && queue.first().goal <= offset) {
            Request request = queue.first();
            remove(request);
            complete(request, request.lost ? Ready.Outcome.LOST : Ready.Outcome.ACKNOWLEDGED);
        }
    }

    boolean hasConfirmations() {
        return !confirmations.isEmpty();
    }

    /** Completes the confirmations that a majority has answered, and whose position is committed. */
    void confirmed(long sequence, long committed) {
        while (!confirmations.isEmpty()) {
            Request request = confirmations.first();
            if (request.sequence > sequence || request.goal > committed) {
                return;
            }
            remove(request);
            complete(request, Ready.Outcome.ACKNOWLEDGED);
        }
    }

    /** Gives up the requests whose deadline has come. */
    void expire(long now) {
        while (!byDeadline.isEmpty() && now - byDeadline.first().deadline >= 0) {
            Request request = byDeadline.first();
            remove(request);
            complete(request, Ready.Outcome.TIMEOUT);
        }
    }

    /** Gives up all requests. */
    void giveUp(Ready.Outcome outcome) {
        while (!byDeadline.isEmpty()) {
            Request request = byDeadline.first();
            remove(request);
            complete(request, outcome);
        }
    }

    private void remove(Request request) {
        byDeadline.remove(request);
        request.queue.remove(request);
    }

    private void complete(Request request, Ready.Outcome outcome) {
        int acknowledged = request.lost ? 0 : replicasWith.applyAsInt(request.position.offset());
        outbox.complete(request.number, request.position, outcome, acknowledged);
    }
}
