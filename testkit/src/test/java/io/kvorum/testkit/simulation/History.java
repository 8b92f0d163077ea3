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
    private long operations;

    History(int keys) {
        lostAt = new long[keys];
        for (int key = 0; key < keys; key++) {
            calls.add(new ArrayList<>());
        }
    }

    void add(int key, RegisterOperation operation, long invoked, long returned) {
        operations++;
        if (invoked >= lostAt[key]) {
            calls.get(key).add(new Call<>(operation, invoked, returned));
        } else if (operation.write()) { // it may yet arrive
            calls.get(key).add(new Call<>(operation, invoked, Call.NEVER));
        }
    }

    /** Forgets what was done with a key: its value is lost. */
    void lose(int key, long now) {
        calls.get(key).removeIf(call -> !call.isOpen());
        lostAt[key] = now;
    }

    /** Forgets what was read of a key, and whether what was written is there: an older value may be back. */
    void giveUp(int key, long now) {
        List<Call<RegisterOperation>> ofKey = calls.get(key);
        ofKey.removeIf(call -> !call.operation().write());
        ofKey.replaceAll(call -> new Call<>(call.operation(), call.invoked(), Call.NEVER));
        lostAt[key] = now;
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
