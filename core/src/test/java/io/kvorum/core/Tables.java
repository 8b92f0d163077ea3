package io.kvorum.core;

/** The tables that a store may be made of, for tests of what must hold of each. */
public enum Tables {
    SLAB,
    CAFFEINE;

    /** Returns the default settings, of a store with this engine and as good as no limit. */
    public StoreSettings settings() {
        MemoryLimit limit =
                this == CAFFEINE ? MemoryLimit.entries(1L << 40, MemoryLimit.WhenFull.EVICT) : MemoryLimit.none();
        return StoreSettings.defaults().withLimit(limit);
    }
}
