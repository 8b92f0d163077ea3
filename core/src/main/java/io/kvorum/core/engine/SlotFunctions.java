package io.kvorum.core.engine;

/** Knows which threads run a caller's function with the lock of a slot held, and so must not wait for another lock. */
public final class SlotFunctions {
    private static final ThreadLocal<Mark> MARK = ThreadLocal.withInitial(Mark::new);

    private SlotFunctions() {}

    /** The mark of one thread. */
    public static final class Mark {
        /**
         * Whether the thread runs a function. A field, so that the mark can be taken away without a call: at the end of
         * a stack that has overflowed a call would fail, and the mark would stay for good.
         */
        public boolean inside;
    }

    /** Throws if this thread runs a function on the keys of a slot. */
    static void requireOutside() {
        if (MARK.get().inside) {
            throw new IllegalStateException("a slot function must not call a store");
        }
    }

    /**
     * Marks this thread, which holds a lock while it runs a caller's function; the caller takes the mark away again.
     */
    public static Mark enter() {
        Mark mark = MARK.get();
        mark.inside = true;
        return mark;
    }
}
