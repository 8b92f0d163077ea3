package io.kvorum.cluster;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * The counters of a client, of which {@link ClientStats} is a snapshot. Each number only grows.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ClientCounters {
    private final LongAdder succeeded = new LongAdder();
    private final Map<RefusedException.Kind, LongAdder> refused = adders(RefusedException.Kind.class);
    private final Map<OutcomeUnknownException.Reason, LongAdder> unknown = adders(OutcomeUnknownException.Reason.class);
    private final LongAdder failed = new LongAdder();
    private final Map<RefusedException.Kind, LongAdder> retries = adders(RefusedException.Kind.class);
    private final LongAdder repeatedReads = new LongAdder();

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> type) {
        Map<E, LongAdder> adders = new EnumMap<>(type);
        for (E constant : type.getEnumConstants()) {
            adders.put(constant, new LongAdder());
        }
        return adders;
    }

    private static <E extends Enum<E>> LongAdder of(Map<E, LongAdder> adders, E constant) {
        return requireNonNull(adders.get(constant), "an adder for each constant");
    }

    private static <E extends Enum<E>> Map<E, Long> sums(Class<E> type, Map<E, LongAdder> adders) {
        Map<E, Long> sums = new EnumMap<>(type);
        adders.forEach((constant, adder) -> sums.put(constant, adder.sum()));
        return sums;
    }

    /** Starts at zero. */
    public ClientCounters() {}

    /** Counts an operation that succeeded. */
    public void succeeded() {
        succeeded.increment();
    }

    /**
     * Counts an operation that failed.
     *
     * @param failure the exception that its caller gets
     */
    public void failed(Throwable failure) {
        if (failure instanceof RefusedException refusal) {
            of(refused, refusal.kind()).increment();
        } else if (failure instanceof OutcomeUnknownException outcome) {
            of(unknown, outcome.reason()).increment();
        } else {
            failed.increment();
        }
    }

    /**
     * Counts a retry.
     *
     * @param before what the previous try failed with
     */
    public void triedAgain(RuntimeException before) {
        if (before instanceof RefusedException refusal) {
            of(retries, refusal.kind()).increment();
        } else {
            repeatedReads.increment();
        }
    }

    /** {@return a snapshot of the counters} */
    public ClientStats stats() {
        return new ClientStats(
                succeeded.sum(),
                sums(RefusedException.Kind.class, refused),
                sums(OutcomeUnknownException.Reason.class, unknown),
                failed.sum(),
                sums(RefusedException.Kind.class, retries),
                repeatedReads.sum());
    }
}
