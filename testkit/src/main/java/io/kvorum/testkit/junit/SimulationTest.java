package io.kvorum.testkit.junit;

import io.kvorum.testkit.FaultKind;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that runs once for each of many seeds, on a {@link io.kvorum.testkit.LocalCluster} in virtual time to which
 * faults happen meanwhile.
 *
 * <pre>{@code
 * @SimulationTest(seeds = 100)
 * void noOrderIsLost(LocalCluster cluster, KeyValueStore store) {
 *     Shop shop = new Shop(store);
 *     cluster.actor("customer", () -> shop.order(...));
 *     cluster.advance(Duration.ofMinutes(3)); // faults for two minutes, then a whole cluster
 *     shop.checkOrders();
 * }
 * }</pre>
 *
 * <p>Faults of a {@link io.kvorum.testkit.FaultSchedule} happen from the begin of the test's method, while virtual time
 * goes by, until {@link #virtual} has passed. If the method returns before, its actors run on until then. At the end
 * everything is healed, and a cluster that is not whole again within {@link #recovery} fails the test. A parameter of
 * the type {@link io.kvorum.testkit.FaultSchedule} lets the method end the faults itself.
 *
 * <p>The shape of the cluster is that of a {@link KvorumCluster} at the method or its class, if there is one; its
 * parameters may be the same.
 *
 * <p>By configuration parameters, which system properties are too: {@code kvorum.seed=17} runs that seed alone, as the
 * report of a failure says it; {@code kvorum.seeds=1000} runs so many. A long run tells every ten seconds how far it
 * is.
 */
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
@TestTemplate
@ExtendWith(SimulationExtension.class)
public @interface SimulationTest {
    /** {@return how many seeds; at least 1} */
    int seeds() default 20;

    /** {@return the first seed} */
    long first() default 1;

    /** {@return for how long faults happen, in virtual time} */
    String virtual() default "2m";

    /** {@return how long the cluster may take, in virtual time, to be whole again afterwards} */
    String recovery() default "1m";

    /** {@return the kinds of faults that are drawn; none for all} */
    FaultKind[] faults() default {};
}
