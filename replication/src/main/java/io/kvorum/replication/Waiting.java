package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntToLongFunction;

/** The requests of one leadership that wait until enough replicas have a position. */
final class Waiting {
    /** In {@link #confirmations} if it has a sequence, in {@link #acknowledgements} otherwise. */
    private record Request(long number, LogPosition position, int replicas, long sequence, long deadline) {
        long offset() {
            return position.offset();
        }

        boolean isConfirmation() {
            return sequence != NONE;
        }
    }

    private static final long NONE = -1;

    private static final Comparator<Request> BY_OFFSET =
            Comparator.comparingLong(Request::offset).thenComparingLong(Request::number);

    private static final Comparator<Request> BY_DEADLINE =
            ((Comparator<Request>) (a, b) -> Long.signum(a.deadline - b.deadline)).thenComparingLong(Request::number);

    private final Outbox outbox;
    private final int limit;

    /** By how many replicas they need. */
    private final TreeMap<Integer, TreeSet<Request>> acknowledgements = new TreeMap<>();

    /** In the order of their arrival, which is that of their offsets and sequences too. */
    private final LinkedHashSet<Request> confirmations = new LinkedHashSet<>();

    private final TreeSet<Request> byDeadline = new TreeSet<>(BY_DEADLINE);

    Waiting(Outbox outbox, int limit) {
        this.outbox = outbox;
        this.limit = limit;
    }

    /** Waits until {@code replicas} replicas have the position. */
    void await(long number, LogPosition position, int replicas, long deadline) {
        add(new Request(number, position, replicas, NONE, deadline));
    }

    /** Waits until a majority has answered a message from {@code sequence} on, and has the position. */
    void confirm(long number, LogPosition position, long sequence, long deadline) {
        add(new Request(number, position, 0, sequence, deadline));
    }

    private void add(Request request) {
        if (byDeadline.size() >= limit) {
            outbox.complete(request.number, request.position, OutcomeUnknownException.Reason.OVERLOADED);
            return;
        }
        byDeadline.add(request);
        if (request.isConfirmation()) {
            confirmations.add(request);
        } else {
            acknowledgements
                    .computeIfAbsent(request.replicas, r -> new TreeSet<>(BY_OFFSET))
                    .add(request);
        }
    }

    /** Completes what is acknowledged: {@code acknowledged} tells the offset that a number of replicas have. */
    void acknowledged(IntToLongFunction acknowledged) {
        Iterator<Map.Entry<Integer, TreeSet<Request>>> levels =
                acknowledgements.entrySet().iterator();
        while (levels.hasNext()) {
            Map.Entry<Integer, TreeSet<Request>> level = levels.next();
            TreeSet<Request> requests = level.getValue();
            long offset = acknowledged.applyAsLong(level.getKey());
            while (!requests.isEmpty() && requests.first().offset() <= offset) {
                complete(requests.pollFirst());
            }
            if (requests.isEmpty()) {
                levels.remove();
            }
        }
    }

    /** Completes the confirmations that a majority has answered, and whose position a majority has. */
    void confirmed(long sequence, long offset) {
        Iterator<Request> requests = confirmations.iterator();
        while (requests.hasNext()) {
            Request request = requests.next();
            if (request.sequence > sequence || request.offset() > offset) {
                return;
            }
            requests.remove();
            complete(request);
        }
    }

    private void complete(Request request) {
        byDeadline.remove(request);
        outbox.complete(request.number, request.position, null);
    }

    /** Gives up the requests whose deadline has come. */
    void expire(long now) {
        while (!byDeadline.isEmpty() && now - byDeadline.first().deadline >= 0) {
            Request request = byDeadline.first();
            byDeadline.remove(request);
            if (request.isConfirmation()) {
                confirmations.remove(request);
            } else {
                TreeSet<Request> level = acknowledgements.get(request.replicas);
                if (level != null) {
                    level.remove(request);
                }
            }
            outbox.complete(request.number, request.position, OutcomeUnknownException.Reason.TIMEOUT);
        }
    }

    /** Gives up all requests. */
    void giveUp(OutcomeUnknownException.Reason reason) {
        for (Request request : byDeadline) {
            outbox.complete(request.number, request.position, reason);
        }
        byDeadline.clear();
        acknowledgements.clear();
        confirmations.clear();
    }
}
