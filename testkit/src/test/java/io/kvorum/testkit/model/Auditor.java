package io.kvorum.testkit.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sees everything at once, and checks what must always hold.
 *
 * <ul>
 *   <li>There is one leadership in an epoch.
 *   <li>Two logs with a record at the same position are equal up to there.
 *   <li>What is committed in a history is one chain: no two member lists, nor anything else, are committed beside each
 *       other.
 *   <li>What is committed is in the log of every primary of a later epoch of that history.
 *   <li>A replica takes for committed only what is.
 *   <li>A shard that has begun is begun again, in a later epoch, only by a command that says that data is lost.
 * </ul>
 *
 * <p>A history begins when the shard does, and again with each command that gives data up.
 */
final class Auditor {
    private record Position(long epoch, int offset) {}

    private record Commit(long epoch, Entry end) {}

    private final Map<Long, Entry> leaderships = new HashMap<>();
    private final Map<Position, Entry> records = new HashMap<>();
    private final List<Commit> commits = new ArrayList<>();
    private int committed;

    int promotions() {
        return leaderships.size();
    }

    int commits() {
        return committed;
    }

    void appended(Entry entry) {
        Entry other = records.putIfAbsent(new Position(entry.epoch, entry.offset), entry);
        if (other != null) {
            throw new Violation("two records at the same position: " + other + ", " + entry);
        }
    }

    void promoted(int node, Entry begin) {
        Entry other = leaderships.putIfAbsent(begin.epoch, begin);
        if (other != null) {
            throw new Violation("a second leadership of one epoch, at node " + node + ": " + begin);
        }
        for (Commit commit : commits) {
            if (commit.epoch < begin.epoch && commit.end.history == begin.history && !begin.contains(commit.end)) {
                throw new Violation("node " + node + " leads with " + begin + " without " + commit.end
                        + ", committed in " + Epochs.toString(commit.epoch));
            }
        }
    }

    void committed(int node, long epoch, Entry end) {
        for (Map.Entry<Long, Entry> later : leaderships.entrySet()) {
            Entry begin = later.getValue();
            if (later.getKey() > epoch && begin.history == end.history && !begin.contains(end)) {
                throw new Violation("node " + node + " commits " + end + " in " + Epochs.toString(epoch) + " although "
                        + begin + " was promoted without it");
            }
        }
        for (Commit commit : commits) {
            if (commit.end.history == end.history && !commit.end.contains(end) && !end.contains(commit.end)) {
                throw new Violation("node " + node + " commits " + end + " beside " + commit.end);
            }
        }
        commits.removeIf(commit -> commit.epoch == epoch && end.contains(commit.end));
        commits.add(new Commit(epoch, end));
        committed++;
    }

    void learnt(int node, Entry end) {
        for (Commit commit : commits) {
            if (commit.end.contains(end)) {
                return;
            }
        }
        throw new Violation("node " + node + " takes " + end + " for committed");
    }

    /**
     * Checks a bootstrap. A shard that was begun anew meanwhile, in a later epoch, is none of its business.
     *
     * @param survived whether at least half of the members of the last committed list are still in their incarnations
     */
    void bootstrapped(int node, Entry begin, boolean survived) {
        if (survived && commits.stream().anyMatch(commit -> commit.epoch < begin.epoch)) {
            throw new Violation("node " + node + " begins a shard that had begun: " + begin);
        }
    }

    /** The last thing committed, in any history; an empty log if there is none. */
    Entry lastCommitted() {
        Entry last = Entry.EMPTY;
        for (Commit commit : commits) {
            last = commit.end.isAfter(last) ? commit.end : last;
        }
        return last;
    }
}
