package io.kvorum.replication;

import java.util.ArrayList;
import java.util.List;

/** The open cursors of one log, and what they hold together. Guarded by the log's lock. */
final class LogCursors {
    private final List<LogCursor> cursors = new ArrayList<>();
    private long held = Long.MAX_VALUE;

    /** {@return the offset from which on records are held, {@link Long#MAX_VALUE} if none are} */
    long held() {
        return held;
    }

    void add(LogCursor cursor) {
        cursors.add(cursor);
        recompute();
    }

    void hold(LogCursor cursor, long offset) {
        cursor.setHeld(offset);
        recompute();
    }

    void remove(LogCursor cursor) {
        cursor.lose();
        cursors.remove(cursor);
        recompute();
    }

    /** The records are gone: no cursor holds any. */
    void loseAll() {
        cursors.forEach(LogCursor::lose);
        recompute();
    }

    private void recompute() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < cursors.size(); i++) {
            least = Math.min(least, cursors.get(i).held());
        }
        held = least;
    }
}
