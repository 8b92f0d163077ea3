package io.kvorum.testkit.simulation;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts how often each thing happened.
 *
 * <p>Confined to one thread.
 */
final class Coverage {
    private static final class Count {
        long times;
    }

    private final Map<Sometimes, Count> counts = new EnumMap<>(Sometimes.class);

    void count(Sometimes what) {
        add(what, 1);
    }

    void add(Sometimes what, long times) {
        if (times > 0) {
            counts.computeIfAbsent(what, any -> new Count()).times += times;
        }
    }

    /** {@return how often it happened} */
    long of(Sometimes what) {
        Count count = counts.get(what);
        return count == null ? 0 : count.times;
    }
}
