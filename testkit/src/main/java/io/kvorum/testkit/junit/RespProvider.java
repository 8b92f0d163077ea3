package io.kvorum.testkit.junit;

import io.kvorum.testkit.LocalCluster;

/**
 * Opens ports for Redis clients in front of the clusters of tests, as {@link KvorumCluster#resp} asks for. Found by
 * {@link java.util.ServiceLoader}; the module {@code kvorum-resp} has the one that tests use.
 *
 * <p>Called by the thread that runs the test.
 */
public interface RespProvider {
    /** {@return the type of what is opened, which a parameter of a test may have} */
    Class<? extends AutoCloseable> type();

    /**
     * Opens the ports.
     *
     * @param cluster a cluster that is ready
     * @param mode what clients are to take it for; not {@link KvorumCluster.Resp#NONE}
     * @return the open ports, of the {@linkplain #type() type} that was told; they are closed before the cluster, by
     *     the same thread
     * @throws IllegalArgumentException if such a cluster cannot be taken for that
     */
    AutoCloseable open(LocalCluster cluster, KvorumCluster.Resp mode);
}
