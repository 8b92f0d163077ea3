package io.kvorum.testkit.junit;

/** Tells, with the failure of a test, what the cluster of the test was and did. */
final class ClusterReport extends RuntimeException {
    private static final long serialVersionUID = 1;

    ClusterReport(String message) {
        super(message, null, false, false);
    }
}
