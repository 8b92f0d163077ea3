package io.kvorum.testkit.model;

import java.util.Arrays;

/** A member list: for each node its incarnation, or {@link #NONE} if the node is no member. Immutable. */
final class Members {
    static final int NONE = 0;

    /** Says whether a node, in one incarnation, has something. */
    interface Test {
        boolean has(int node, int incarnation);
    }

    private final int[] incarnations;
    private final int size;

    private Members(int[] incarnations) {
        this.incarnations = incarnations;
        int count = 0;
        for (int incarnation : incarnations) {
            count += incarnation == NONE ? 0 : 1;
        }
        size = count;
    }

    static Members of(int... incarnations) {
        return new Members(incarnations.clone());
    }

    Members with(int node, int incarnation) {
        int[] next = incarnations.clone();
        next[node] = incarnation;
        return new Members(next);
    }

    int incarnationOf(int node) {
        return incarnations[node];
    }

    boolean has(int node) {
        return incarnations[node] != NONE;
    }

    int size() {
        return size;
    }

    boolean majority(Test test) {
        int have = 0;
        for (int node = 0; node < incarnations.length; node++) {
            if (incarnations[node] != NONE && test.has(node, incarnations[node])) {
                have++;
            }
        }
        return have > size / 2;
    }

    @Override
    public String toString() {
        return Arrays.toString(incarnations);
    }
}
