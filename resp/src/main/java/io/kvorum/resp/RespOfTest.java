package io.kvorum.resp;

import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.junit.KvorumCluster;
import io.kvorum.testkit.junit.RespProvider;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The ports that {@link KvorumCluster#resp} has opened. A test has them as a parameter; what a framework calls without
 * parameters asks here, such as the properties of a Spring test, whose cluster is then one of the class:
 *
 * <pre>{@code
 * @KvorumCluster(resp = Resp.CLUSTER, scope = Scope.PER_CLASS)
 * @SpringJUnitConfig(Shop.class)
 * @DirtiesContext // which must not outlive the ports
 * final class ShopTest {
 *     @DynamicPropertySource
 *     static void redis(DynamicPropertyRegistry registry) {
 *         RespOfTest.get().springProperties().forEach((name, value) -> registry.add(name, () -> value));
 *     }
 * }
 * }</pre>
 *
 * <p>Each thread has its own: the thread of a test that of the test.
 */
public final class RespOfTest implements RespProvider {
    private static final ThreadLocal<Deque<RespCluster>> OPEN = ThreadLocal.withInitial(ArrayDeque::new);

    /** For the {@link java.util.ServiceLoader}. */
    public RespOfTest() {}

    /**
     * {@return the ports that were opened last for the tests of this thread, and are open}
     *
     * @throws IllegalStateException if there are none
     */
    public static RespCluster get() {
        Deque<RespCluster> open = OPEN.get();
        open.removeIf(RespCluster::isClosed);
        RespCluster last = open.peekLast();
        if (last == null) {
            throw new IllegalStateException("no test of this thread has ports: @KvorumCluster(resp = ...) opens them");
        }
        return last;
    }

    @Override
    public Class<RespCluster> type() {
        return RespCluster.class;
    }

    @Override
    public RespCluster open(LocalCluster cluster, KvorumCluster.Resp mode) {
        RespCluster ports = RespCluster.builder(cluster)
                .mode(RespMode.valueOf(mode.name()))
                .acknowledgement(cluster.settings().acknowledgement())
                .start();
        OPEN.get().removeIf(RespCluster::isClosed);
        OPEN.get().addLast(ports);
        return ports;
    }
}
