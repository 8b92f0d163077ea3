package io.kvorum.testkit.simulation;

/** The numbers of the streams of chance in a run. */
final class Stream {
    static final long PLAN = 1;
    static final long FAULTS = 2;
    static final long NETWORK = 3;
    static final long PLACED_FAULTS = 4;
    static final long CLOCKS = 5;
    static final long PRIORITIES = 6;
    static final long CUT_LINKS = 7;
    static final long KINDS = 8;
    static final long STORES = 9;
    static final long SKEWS = 10;
    static final long DRIFTS = 11;
    static final long SHAPE = 12;
    static final long LATENESS = 13;
    static final long OPERATOR = 14;
    static final long SETTINGS = 15;
    static final long INCARNATIONS = 20_000;
    static final long FIRST_CLIENT = 1_000;
    static final long FIRST_SENTINEL = 2_000;
    static final long FIRST_FAULT = 10_000;

    private Stream() {}
}
