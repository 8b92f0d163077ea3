package io.kvorum.testkit.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Checks a register whose written values, deletions apart, are all different, by whichever checker can.
 *
 * <p>Open writes are what a search drowns in, and since values are unique most of them can be closed first: one that
 * nobody read may be left out of any order, and one that was read took effect before the first read of it returned.
 *
 * <p>Thread-safe, without state.
 */
public final class RegisterHistories {
    private RegisterHistories() {}

    /**
     * Checks one register's history.
     *
     * @param history the calls, in any order
     * @param maxSteps the budget of a search, if there has to be one
     * @return the verdict
     */
    public static Verdict check(List<Call<RegisterOperation>> history, int maxSteps) {
        return history.stream().anyMatch(call -> call.operation().equals(RegisterOperation.delete()))
                ? ExhaustiveSearch.check(withOpenWritesClosed(history), RegisterOperation.MODEL, maxSteps)
                : RegisterZones.check(history);
    }

    private static List<Call<RegisterOperation>> withOpenWritesClosed(List<Call<RegisterOperation>> history) {
        Map<Long, Long> firstReads = new HashMap<>();
        for (Call<RegisterOperation> call : history) {
            if (!call.operation().write() && !call.isOpen()) {
                firstReads.merge(call.operation().value(), call.returned(), Math::min);
            }
        }
        List<Call<RegisterOperation>> closed = new ArrayList<>();
        for (Call<RegisterOperation> call : history) {
            RegisterOperation operation = call.operation();
            if (!call.isOpen() || operation.equals(RegisterOperation.delete())) {
                closed.add(call);
            } else if (operation.write() && firstReads.containsKey(operation.value())) {
                long read = Math.max(firstReads.get(operation.value()), call.invoked()); // before: the search will see
                closed.add(new Call<>(operation, call.invoked(), read));
            }
        }
        return closed;
    }
}
