package io.kvorum.resp;

import io.kvorum.core.KeyReads;
import io.kvorum.core.StoredValue;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A key that a connection watches. Every change that a command makes at this node marks it, so that a value which was
 * changed and changed back, or a key which was created and deleted, counts as changed. What others changed, such as the
 * application beside the cluster, the primary of a replica or the clock, is noticed at EXEC by the value and the
 * deadline: a change of theirs that was undone by then is not.
 */
final class Watched {
    final byte[] key;
    private final @Nullable StoredValue before;
    private volatile boolean marked;

    Watched(byte[] key, @Nullable StoredValue before) {
        this.key = key;
        this.before = before;
    }

    void mark() {
        marked = true;
    }

    void markIfPresent() {
        if (before != null) {
            marked = true;
        }
    }

    /** {@return whether the key was changed since} */
    boolean isChanged(KeyReads keys) {
        if (marked) {
            return true;
        }
        StoredValue now = keys.lookUp(key);
        if (before == null || now == null) {
            return (before == null) != (now == null);
        }
        return before.version() != now.version()
                && (before.deadline() != now.deadline() || !Arrays.equals(before.value(), now.value()));
    }
}
