package io.kvorum.testkit.simulation;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts how often each thing happened.
 *
 * <p>Confined to one thread.
 */
final class Coverage {
    private final Map<Sometimes, Long> counts = new EnumMap<>(Sometimes.class);

    void count(Sometimes what) {
        add(what, 1);
    }

    void add(Sometimes what, long times) {
        if (times > 0) {
            counts.merge(what, times, Long::sum);
        }
    }

    void add(Coverage other) {
        other.counts.forEach(this::add);
    }

    /** {@return how often it happened} */
    long of(Sometimes what) {
        return counts.getOrDefault(what, 0L);
    }

    @Override
    public String toString() {
        return counts.toString();
    }
}
