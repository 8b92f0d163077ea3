package io.kvorum.testkit;

/** Something was to be started in a cluster that was closed. */
final class ClosedCluster extends IllegalStateException {
    private static final long serialVersionUID = 1;

    ClosedCluster(LocalCluster cluster) {
        super("cluster must be open: " + cluster);
    }
}
