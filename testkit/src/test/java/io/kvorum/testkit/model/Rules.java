package io.kvorum.testkit.model;

import java.util.EnumSet;
import java.util.Set;

/** The rules that are in force in a run. Immutable. */
final class Rules {
    private final Set<Rule> off;
    private final boolean distinctSentinels;

    private Rules(Set<Rule> off, boolean distinctSentinels) {
        this.off = off;
        this.distinctSentinels = distinctSentinels;
    }

    static Rules all() {
        return new Rules(EnumSet.noneOf(Rule.class), false);
    }

    static Rules without(Set<Rule> off) {
        return new Rules(off.isEmpty() ? EnumSet.noneOf(Rule.class) : EnumSet.copyOf(off), false);
    }

    /** Rules for schedules in which no two sentinels have one number or one identity by mistake. */
    Rules withDistinctSentinels() {
        return new Rules(off, true);
    }

    boolean distinctSentinels() {
        return distinctSentinels;
    }

    boolean on(Rule rule) {
        return !off.contains(rule);
    }

    @Override
    public String toString() {
        return off.isEmpty() ? "all rules" : "without " + off;
    }
}
