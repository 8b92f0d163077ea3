package io.kvorum.testkit.model;

import java.util.EnumMap;
import java.util.Map;

/** Counts what happened in the schedules of a run. */
final class Coverage {
    private final Map<ModelCandidate.Kind, Long> attempts = new EnumMap<>(ModelCandidate.Kind.class);
    private long schedules;
    private long leaderships;
    private long commits;
    private long changes;
    private long dataLosses;
    private long totalLosses;

    void ran(Auditor auditor) {
        schedules++;
        leaderships += auditor.promotions();
        commits += auditor.commits();
    }

    void started(ModelCandidate.Kind kind) {
        attempts.merge(kind, 1L, Long::sum);
    }

    void changed() {
        changes++;
    }

    void lostData() {
        dataLosses++;
    }

    void lostEverything() {
        totalLosses++;
    }

    /** {@return whether every kind of attempt and of loss occurred} */
    boolean isComplete() {
        return attempts.size() == ModelCandidate.Kind.values().length
                && commits > 0
                && changes > 0
                && dataLosses > 0
                && totalLosses > 0;
    }

    @Override
    public String toString() {
        return schedules + " schedules, attempts " + attempts + ", " + leaderships + " leaderships, " + commits
                + " commits, " + changes + " changes of members, data lost " + dataLosses + " times, data and promise "
                + totalLosses + " times";
    }
}
