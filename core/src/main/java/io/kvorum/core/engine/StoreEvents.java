package io.kvorum.core.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/** What stores tell a JDK Flight Recorder, which knows it by these names. None holds a key or a value. */
final class StoreEvents {
    private StoreEvents() {}

    /** An operation that took long. */
    @Name("io.kvorum.SlowOperation")
    @Label("Slow Store Operation")
    @Category("Kvorum")
    @Description("An operation of a store, the waiting for locks included")
    @Threshold("10 ms")
    static final class SlowOperationEvent extends Event {
        @Label("Operation")
        String operation = "";

        @Label("Slot")
        @Description("The slot of the keys, or -1 if there are several")
        int slot;

        @Label("Failed")
        boolean failed;
    }

    /** A sweep of an {@link Expirer}. */
    @Name("io.kvorum.ExpirySweep")
    @Label("Expiry Sweep")
    @Category("Kvorum")
    @Description("Keys past their deadline were deleted")
    @Threshold("1 ms")
    @StackTrace(false)
    static final class ExpirySweepEvent extends Event {
        @Label("Deleted Keys")
        int deleted;

        @Label("Behind")
        @Description("Whether it ended with its budget or a refusal, so that more keys may be past their deadline")
        boolean behind;
    }

    /** Deletions that made room. */
    @Name("io.kvorum.Eviction")
    @Label("Eviction")
    @Category("Kvorum")
    @Description("Keys were deleted to keep a store within its memory limit")
    @Threshold("1 ms")
    @StackTrace(false)
    static final class EvictionEvent extends Event {
        @Label("Evicted Keys")
        int evicted;
    }

    /** A restoration that was completed. */
    @Name("io.kvorum.FullSync")
    @Label("Full Sync")
    @Category("Kvorum")
    @Description("What a store held was replaced by what its primary holds, which was received since the start")
    @StackTrace(false)
    static final class FullSyncEvent extends Event {
        @Label("Entries")
        long entries;
    }
}
