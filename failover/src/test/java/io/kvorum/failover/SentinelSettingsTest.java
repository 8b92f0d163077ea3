package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SentinelSettingsTest {
    static Stream<RecordComponent> components() {
        return Arrays.stream(SentinelSettings.class.getRecordComponents());
    }

    @ParameterizedTest
    @MethodSource("components")
    void eachValueCanBeChangedAlone(RecordComponent component) throws ReflectiveOperationException {
        SentinelSettings before = SentinelSettings.defaults();
        Object value = another(component.getType());
        SentinelSettings after = with(before, component, value);

        for (RecordComponent each : SentinelSettings.class.getRecordComponents()) {
            Object was = each.getAccessor().invoke(before);
            Object is = each.getAccessor().invoke(after);
            if (each.getName().equals(component.getName())) {
                assertEquals(value, is);
                assertNotEquals(was, is);
            } else {
                assertEquals(was, is, each.getName());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tickPeriod",
                "pingPeriod",
                "askPeriod",
                "downAfter",
                "roleLimit",
                "electionTimeout",
                "resendPeriod",
                "attemptTimeout",
                "pauseLimit"
            })
    void aPeriodMustBePositive(String name) {
        assertRefused(name, Duration.ZERO);
    }

    @ParameterizedTest
    @ValueSource(strings = {"electionJitter", "fenceGrace", "repairDelay", "abstention"})
    void aDelayMustNotBeNegative(String name) throws ReflectiveOperationException {
        assertRefused(name, Duration.ofNanos(-1));
        with(SentinelSettings.defaults(), component(name), Duration.ZERO);
    }

    static Stream<RecordComponent> durations() {
        return components().filter(each -> each.getType() == Duration.class);
    }

    @ParameterizedTest
    @MethodSource("durations")
    void aDurationMustBeADayAtTheMost(RecordComponent component) throws ReflectiveOperationException {
        assertRefused(component.getName(), Duration.ofDays(1).plusNanos(1));
        assertRefused(component.getName(), Duration.ofSeconds(Long.MAX_VALUE));
        with(SentinelSettings.defaults(), component, Duration.ofDays(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quorum", "parallelSyncs"})
    void aNumberMustBeAtLeastOne(String name) {
        assertRefused(name, 0);
    }

    private static void assertRefused(String name, Object value) {
        InvocationTargetException thrown = assertThrows(
                InvocationTargetException.class, () -> with(SentinelSettings.defaults(), component(name), value));
        assertInstanceOf(IllegalArgumentException.class, thrown.getCause());
    }

    private static RecordComponent component(String name) {
        return components()
                .filter(each -> each.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static SentinelSettings with(SentinelSettings settings, RecordComponent component, Object value)
            throws ReflectiveOperationException {
        String name = component.getName();
        return (SentinelSettings) SentinelSettings.class
                .getMethod("with" + Character.toUpperCase(name.charAt(0)) + name.substring(1), component.getType())
                .invoke(settings, value);
    }

    private static Object another(Class<?> type) {
        if (type == int.class) {
            return 7;
        } else if (type == boolean.class) {
            return true;
        } else if (type == Duration.class) {
            return Duration.ofMinutes(7);
        }
        return (FailureDetector.Factory) DeadlineDetector::new;
    }
}
