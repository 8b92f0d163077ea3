package io.kvorum.resp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The keys of a node that connections watch.
 *
 * <p>Safe for use by any number of threads.
 */
final class WatchedKeys {
    private final Map<String, List<Watched>> byKey = new ConcurrentHashMap<>();

    void add(Session session, Watched watched) {
        String key = Text.latin(watched.key);
        session.watched.put(key, watched);
        byKey.compute(key, (name, before) -> with(before, watched));
    }

    private static List<Watched> with(@org.jspecify.annotations.Nullable List<Watched> before, Watched added) {
        List<Watched> after = before == null ? new ArrayList<>() : new ArrayList<>(before);
        after.add(added);
        return after;
    }

    /** Lets a connection watch nothing any more. */
    void forget(Session session) {
        session.watched.forEach((key, watched) -> byKey.computeIfPresent(key, (name, before) -> {
            List<Watched> after = new ArrayList<>(before);
            after.removeIf(other -> other == watched);
            return after.isEmpty() ? null : after;
        }));
        session.watched.clear();
    }

    boolean isEmpty() {
        return byKey.isEmpty();
    }

    void changed(byte[] key) {
        if (!byKey.isEmpty()) {
            byKey.getOrDefault(Text.latin(key), List.of()).forEach(Watched::mark);
        }
    }

    /** Notes that all keys were deleted, which changes those that there were. */
    void allDeleted() {
        byKey.values().forEach(list -> list.forEach(Watched::markIfPresent));
    }
}
