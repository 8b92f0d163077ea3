package io.kvorum.core.snapshot;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Events of snapshots for the JDK Flight Recorder, which knows them by these names. None holds a key or a value. */
final class SnapshotEvents {
    private SnapshotEvents() {}

    /** A call of {@link Snapshots#write}. */
    @Name("io.kvorum.SnapshotWritten")
    @Label("Snapshot Written")
    @Category("Kvorum")
    @StackTrace(false)
    static final class SnapshotWrittenEvent extends SnapshotEvent {}

    /** A call of {@link Snapshots#load} that succeeded. */
    @Name("io.kvorum.SnapshotLoaded")
    @Label("Snapshot Loaded")
    @Category("Kvorum")
    @StackTrace(false)
    static final class SnapshotLoadedEvent extends SnapshotEvent {}

    /** What both say. */
    abstract static class SnapshotEvent extends Event {
        @Label("Slots")
        int slots;

        @Label("Entries")
        long entries;

        @Label("Size")
        @DataAmount
        long bytes;

        final void commit(SnapshotSummary summary) {
            if (shouldCommit()) {
                slots = summary.slots().size();
                entries = summary.entries();
                bytes = summary.bytes();
                commit();
            }
        }
    }
}
