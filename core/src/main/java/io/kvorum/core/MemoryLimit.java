package io.kvorum.core;

import java.util.Objects;

/**
 * How much a store may hold, and what becomes of a write that goes beyond.
 *
 * <p>Bytes are counted by a formula, not by the memory in use: the lengths of key and value, and for what the store
 * keeps beside them {@value #EVICTING_OVERHEAD} bytes an entry in a store that evicts, {@value #OVERHEAD} in any other.
 * That is about what an entry takes on the average. What keys that have expired take counts until they are deleted.
 *
 * <p>A store that evicts may hold more than the limit for as long as a write takes that has brought it beyond: at most
 * what the writes that are going on at that moment add. One that refuses never holds more, with one exception in either
 * case: what a store applies as a replica is neither refused nor makes room by itself. If it becomes the primary, the
 * next write does that.
 *
 * <p>Immutable.
 *
 * @param unit what is counted
 * @param most how many of them the store may hold; at least 1
 * @param whenFull what becomes of a write that goes beyond
 */
public record MemoryLimit(Unit unit, long most, WhenFull whenFull) {
    /** What an entry counts beside the bytes of key and value, in a store that does not evict. */
    public static final int OVERHEAD = 48;

    /** What an entry counts beside the bytes of key and value, in a store that evicts. */
    public static final int EVICTING_OVERHEAD = 200;

    private static final MemoryLimit NONE = new MemoryLimit(Unit.BYTES, Long.MAX_VALUE, WhenFull.REFUSE);

    /** What is counted. */
    public enum Unit {
        /** Entries, whatever their size. */
        ENTRIES,
        /** Bytes, by the formula given above. */
        BYTES
    }

    /** What becomes of a write that goes beyond the limit. */
    public enum WhenFull {
        /**
         * Others make room: those that are read and written rarely, or were a long time ago, as the policy of Caffeine
         * has it, within the stripe that is next in turn. Their deletion is shown to the sink like any other. Only a
         * write that alone is larger than the limit is refused, as by {@link #REFUSE}. If the sink refuses a deletion,
         * the store stays above its limit until the next write.
         */
        EVICT,
        /**
         * It is refused with {@link io.kvorum.slots.topology.RefusedException.Kind#OUT_OF_MEMORY} and changes nothing.
         * Deletions and writes that make the store no larger go on.
         */
        REFUSE
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if {@code most} is below 1
     */
    public MemoryLimit {
        Objects.requireNonNull(unit, "unit");
        Objects.requireNonNull(whenFull, "whenFull");
        if (most < 1) {
            throw new IllegalArgumentException("a memory limit must be at least 1: " + most);
        }
    }

    /** {@return no limit but the memory of the JVM} */
    public static MemoryLimit none() {
        return NONE;
    }

    /**
     * {@return a limit of entries}
     *
     * @param most how many the store may hold; at least 1
     * @param whenFull what becomes of a write that goes beyond
     */
    public static MemoryLimit entries(long most, WhenFull whenFull) {
        return new MemoryLimit(Unit.ENTRIES, most, whenFull);
    }

    /**
     * {@return a limit of bytes}
     *
     * @param most how many the store may hold, by the formula given above; at least 1
     * @param whenFull what becomes of a write that goes beyond
     */
    public static MemoryLimit bytes(long most, WhenFull whenFull) {
        return new MemoryLimit(Unit.BYTES, most, whenFull);
    }
}
