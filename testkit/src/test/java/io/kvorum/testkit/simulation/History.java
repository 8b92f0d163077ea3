package io.kvorum.testkit.simulation;

import io.kvorum.testkit.history.Call;
import io.kvorum.testkit.history.RegisterHistories;
import io.kvorum.testkit.history.RegisterOperation;
import io.kvorum.testkit.history.Verdict;
import io.kvorum.testkit.history.Verdict.Result;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the clients did and saw, key by key.
 *
 * <p>Confined to one thread.
 */
final class History {
    private static final int MAX_STEPS = 1_000_000;

    private final List<List<Call<RegisterOperation>>> calls = new ArrayList<>();
    private final long[] lostAt;
    /** The value of each key when the rest was given up, whose write is over. */
    private final long[] kept;

    private long operations;

    History(int keys) {
        lostAt = new long[keys];
        kept = new long[keys];
        for (int key = 0; key < keys; key++) {
            calls.add(new ArrayList<>());
        }
    }

    void add(int key, RegisterOperation operation, long invoked, long returned) {
        operations++;
        if (invoked >= lostAt[key]) {
            calls.get(key).add(new Call<>(operation, invoked, returned));
        } else if (operation.write() && !isKept(key, operation)) { // it may yet arrive
            calls.get(key).add(new Call<>(operation, invoked, Call.NEVER));
        }
    }

    /** Forgets what was done with a key: its value is lost. */
    void lose(int key, long now) {
        calls.get(key).removeIf(call -> !call.isOpen());
        lostAt[key] = now;
    }

    /** Forgets what was done with a key: from now on it has the value that one node holds, or none. */
    void giveUp(int key, long value, long now) {
        lose(key, now);
        kept[key] = value;
        calls.get(key).removeIf(call -> isKept(key, call.operation()));
        calls.get(key).add(new Call<>(new RegisterOperation(true, value), now, now));
    }

    /** Whether it wrote the value that was kept; a deletion may yet arrive, since all are alike. */
    private boolean isKept(int key, RegisterOperation operation) {
        return operation.value() != RegisterOperation.ABSENT && operation.value() == kept[key];
    }

    /** {@return how many calls there are} */
    long operations() {
        return operations;
    }

    /** {@return how many writes took effect although their clients never learnt it} */
    long openWritesSeen() {
        long seen = 0;
        for (List<Call<RegisterOperation>> ofKey : calls) {
            Set<Long> read = new HashSet<>();
            ofKey.stream()
                    .map(Call::operation)
                    .filter(operation -> !operation.write())
                    .forEach(operation -> read.add(operation.value()));
            seen += ofKey.stream()
                    .filter(call -> call.isOpen() && call.operation().value() != RegisterOperation.ABSENT)
                    .filter(call -> read.contains(call.operation().value()))
                    .count();
        }
        return seen;
    }

    /**
     * Checks that each key behaved as one register would.
     *
     * @throws Violation if one did not, or if that could not be told
     */
    void check() {
        for (int key = 0; key < calls.size(); key++) {
            List<Call<RegisterOperation>> ofKey = calls.get(key);
            Verdict verdict = RegisterHistories.check(ofKey, MAX_STEPS);
            if (verdict.result() != Result.LINEARIZABLE) {
                String invariant = verdict.result() == Result.UNKNOWN ? "linearizability unknown" : "linearizability";
                throw new Violation(invariant, "key " + key + ": " + verdict.reason());
            }
        }
    }
}
