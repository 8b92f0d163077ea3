package io.kvorum.testkit.junit;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.testkit.LocalCluster;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives tests a {@link LocalCluster}, which is ready when a test begins and closed when it ends.
 *
 * <pre>{@code
 * @KvorumCluster(shards = 1)
 * final class CartTest {
 *     @Test
 *     void aCartSurvivesItsPrimary(LocalCluster cluster, KeyValueStore store) {
 *         store.set(KEY, CART);
 *         cluster.primaryFor(KEY).crash();
 *         assertArrayEquals(CART, store.get(KEY));
 *     }
 * }
 * }</pre>
 *
 * <p>On a class it is for each test of the class, also of its nested classes; on a method for that test, with a shape
 * of its own; on a parameter for that parameter alone, so that a test can have two clusters. The nearest one counts.
 *
 * <p>Parameters of tests, of constructors and of methods that run before or after each test may be: the
 * {@link LocalCluster}; the {@link io.kvorum.core.KeyValueStore} of its client; the
 * {@link io.kvorum.cluster.ClusterClient}; a {@code List<LocalNode>} or a {@code List<LocalSentinel>}; and, as an
 * {@link java.time.InstantSource}, its clock.
 *
 * <p>What a listener or an actor of the test has thrown fails the test, at the latest when the cluster is closed. A
 * test that fails has the seed, the topology and the last events with it, as a report entry and as a suppressed
 * exception; the events are also written to a file in {@code target/kvorum}, or to the directory that the configuration
 * parameter {@code kvorum.reports} names. A class whose tests leave a cluster open that they have started themselves
 * fails.
 */
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.PARAMETER, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@ExtendWith(KvorumExtension.class)
public @interface KvorumCluster {
    /** For how long a cluster is used. */
    enum Scope {
        /** Each test has one of its own. */
        PER_TEST,
        /**
         * All tests of the class share one, which its methods that run before or after all tests may have too. Only on
         * a class.
         */
        PER_CLASS
    }

    /** What Redis clients take a cluster for. */
    enum Resp {
        /** Nothing: there are no ports. */
        NONE,
        /** A Redis Cluster. */
        CLUSTER,
        /** Primaries and replicas that Sentinels watch. */
        SENTINEL,
        /** A single server, which is the first node. */
        SINGLE
    }

    /** {@return the number of shards} */
    int shards() default 3;

    /** {@return the number of replicas of each shard} */
    int replicas() default 2;

    /** {@return the number of sentinels, of which a majority is the quorum} */
    int sentinels() default 3;

    /** {@return whether time is virtual; if not, it is real} */
    boolean virtualTime() default true;

    /** {@return the seed, in virtual time; the configuration parameter {@code kvorum.seed} goes before it} */
    long seed() default 1;

    /** {@return how many nodes must have a write: {@code MAJORITY}, {@code LOCAL}, or a number of replicas} */
    String acknowledgement() default "MAJORITY";

    /** {@return how long an operation of the client may take, such as {@code 500ms}, {@code 5s} or {@code 2m}} */
    String timeout() default "5s";

    /**
     * {@return how long a node must be silent before sentinels hold it down} A failover begins that long after a crash;
     * so in real time {@code 50ms} spares a test much waiting, if the machine is not so busy that nodes are silent for
     * want of it.
     */
    String detection() default "1s";

    /** {@return how long the cluster may take to become ready} */
    String ready() default "30s";

    /**
     * {@return what Redis clients take the cluster for} It is then reached by ports too, and in real time, whatever
     * {@link #virtualTime()} says; parameters may be the {@code RespCluster}, which has the addresses. That needs the
     * module {@code kvorum-resp}.
     */
    Resp resp() default Resp.NONE;

    /**
     * {@return the class of the state that each node replicates instead of a key-value store} It has a constructor that
     * takes the {@link io.kvorum.replication.ReplicationLog} of its node, and is made anew whenever the node starts;
     * {@link io.kvorum.testkit.LocalNode#state} returns it. A cluster with a state has no client, so that parameters
     * cannot be a {@code KeyValueStore} or a {@code ClusterClient}, and {@link #resp} must be {@code NONE}.
     * {@code ReplicatedState} itself stands for the store.
     *
     * @see io.kvorum.testkit.LocalClusterBuilder#state
     */
    Class<? extends ReplicatedState> state() default ReplicatedState.class;

    /** {@return for how long a cluster is used} */
    Scope scope() default Scope.PER_TEST;
}
