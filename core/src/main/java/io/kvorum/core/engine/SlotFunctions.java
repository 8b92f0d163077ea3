package io.kvorum.core.engine;

/** Knows which threads run a caller's function with the lock of a slot held, and so must not wait for another lock. */
public final class SlotFunctions {
    private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

    private SlotFunctions() {}

    /** Throws if this thread runs a function on the keys of a slot. */
    static void requireOutside() {
        if (INSIDE.get()) {
            throw new IllegalStateException("a slot function must not call a store");
        }
    }

    /** Marks this thread, which holds a lock while it runs a caller's function. */
    public static void enter() {
        INSIDE.set(true);
    }

    /** Ends what {@link #enter} began. */
    public static void leave() {
        INSIDE.set(false);
    }
}
