package io.kvorum.testkit.history;

import io.kvorum.testkit.history.Verdict.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Checks a register whose written values are all different, in O(n log n) (Gibbons and Korach, "Testing shared
 * memories", 1997).
 *
 * <p>Since each value is written once, a read names the write that it saw. A write and its reads form a cluster, which
 * an order must keep together. Let {@code end} be the first return in a cluster and {@code start} its last invocation.
 * Of two clusters the first must come wholly before the second if its {@code end} is before the other's {@code start};
 * the history is linearizable iff no two clusters must each precede the other, no read returned before its write was
 * invoked, and each value read was written. Clusters with {@code end < start} are forward zones, during which the
 * register provably held the value throughout; so they may not overlap, and none of the others, the backward zones, may
 * lie within one.
 *
 * <p>Thread-safe, without state.
 */
public final class RegisterZones {
    private RegisterZones() {}

    /**
     * Checks one register's history.
     *
     * @param history the calls, in any order
     * @return the verdict, never {@link Result#UNKNOWN}
     * @throws IllegalArgumentException if a value is written twice, or a call deletes: a read of nothing would not say
     *     which deletion it saw
     */
    public static Verdict check(List<Call<RegisterOperation>> history) {
        Map<Long, Cluster> clusters = new LinkedHashMap<>();
        clusters.put(RegisterOperation.ABSENT, Cluster.initial());
        for (Call<RegisterOperation> call : history) {
            if (call.operation().write()) {
                Cluster earlier = clusters.put(call.operation().value(), new Cluster(call));
                if (earlier != null) {
                    throw new IllegalArgumentException("each value must be written once: " + call.operation());
                }
            }
        }
        for (Call<RegisterOperation> call : history) {
            if (!call.operation().write() && !call.isOpen()) {
                Cluster cluster = clusters.get(call.operation().value());
                if (cluster == null) {
                    return Verdict.refuted(call + " saw a value that nobody wrote");
                }
                if (call.returned() < cluster.written) {
                    return Verdict.refuted(call + " saw a value before it was written, at " + cluster.written);
                }
                cluster.add(call);
            }
        }
        return judge(clusters.values().stream().filter(Cluster::tookEffect).toList());
    }

    private static Verdict judge(List<Cluster> clusters) {
        Cluster[] forward = clusters.stream()
                .filter(Cluster::isForward)
                .sorted(Comparator.comparingLong((Cluster cluster) -> cluster.end))
                .toArray(Cluster[]::new);
        for (int i = 1; i < forward.length; i++) {
            if (forward[i].end < forward[i - 1].start) {
                return conflict(forward[i - 1], forward[i]);
            }
        }
        long[] ends = Arrays.stream(forward).mapToLong(zone -> zone.end).toArray();
        for (Cluster backward : clusters) {
            if (!backward.isForward()) {
                Cluster around = lastEndingBefore(forward, ends, backward.start);
                if (around != null && backward.end < around.start) {
                    return conflict(around, backward);
                }
            }
        }
        return Verdict.LINEARIZABLE;
    }

    private static @Nullable Cluster lastEndingBefore(Cluster[] forward, long[] ends, long limit) {
        int found = Arrays.binarySearch(ends, limit); // the ends of zones that don't overlap are all different
        int before = (found >= 0 ? found : -found - 1) - 1;
        return before >= 0 ? forward[before] : null;
    }

    private static Verdict conflict(Cluster one, Cluster other) {
        return Verdict.refuted("each must precede the other: "
                + Stream.of(one, other).map(Cluster::toString).toList());
    }

    private static final class Cluster {
        final long value;
        final long written;
        final List<Call<RegisterOperation>> calls = new ArrayList<>();
        long end;
        long start;

        private Cluster(long value, long written, long end) {
            this.value = value;
            this.written = written;
            this.end = end;
            this.start = written;
        }

        Cluster(Call<RegisterOperation> write) {
            this(write.operation().value(), write.invoked(), write.returned());
            calls.add(write);
        }

        static Cluster initial() {
            return new Cluster(RegisterOperation.ABSENT, Long.MIN_VALUE, Long.MIN_VALUE);
        }

        void add(Call<RegisterOperation> read) {
            calls.add(read);
            end = Math.min(end, read.returned());
            start = Math.max(start, read.invoked());
        }

        boolean isForward() {
            return end < start;
        }

        /** Whether it need be in an order at all: an open write that nobody saw may be left out. */
        boolean tookEffect() {
            return end != Call.NEVER;
        }

        @Override
        public String toString() {
            Stream<Call<RegisterOperation>> decisive =
                    calls.stream().filter(call -> call.returned() == end || call.invoked() == start);
            return "value " + value + " with " + decisive.toList();
        }
    }
}
