package io.kvorum.core;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link LinearizabilityTest} for the other engine, beside it in another JVM. */
@Tag("lincheck")
@Tag("races")
@Tag("on-request")
@Timeout(600)
final class CaffeineLinearizabilityTest {
    @Test
    void ofTheCaffeineEngine() {
        LinearizabilityTest.check(LinearizabilityTest.OfTheCaffeineEngine.class, LinearizabilityTest.ITERATIONS);
    }
}
