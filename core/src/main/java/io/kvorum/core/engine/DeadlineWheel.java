package io.kvorum.core.engine;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * The records that have a deadline, in the buckets of a hierarchical timing wheel (Varghese and Lauck, "Hashed and
 * Hierarchical Timing Wheels", 1987): adding, removing and putting off cost the same however many there are.
 *
 * <p>Time is counted in milliseconds. A bucket of level 0 is one of them long, a bucket of each further level as long
 * as the 64 of the level below together, so that eleven levels reach to {@link Long#MAX_VALUE}. A record is filed at
 * the lowest level on which its deadline is less than 64 buckets away. When a bucket comes up, which is when it begins
 * (at level 0, when it is over), its records are looked at one by one: those past their deadline are handed over, the
 * others are filed anew. So it does no harm that a record is found too early, and a deadline that is put off changes
 * nothing here: the record is filed anew when its former bucket comes up.
 *
 * <p>The time is what {@link #sweep} was last told. If the clock is set back, buckets come up once more. If it leaps
 * ahead, or nobody sweeps for long, each level comes round once, in as many steps as it takes.
 *
 * <p>A bucket is a list whose links lie in the records. The first of a list has the complement of the bucket's number
 * as its previous one.
 */
final class DeadlineWheel {
    /** The links of the records, and where their deadlines are. */
    interface Records extends Links {
        long deadline(int reference);
    }

    private static final int NONE = Links.NONE;
    private static final int BITS = 6;
    private static final int BUCKETS = 1 << BITS;
    private static final int LEVELS = 11;

    /** The number of the bucket of what has come up. */
    private static final int DUE = LEVELS * BUCKETS;

    private final Records records;

    // Empty before the first record comes.
    private int[] heads = new int[0];
    private long[] occupied = new long[0]; // by level: the buckets that are not empty
    private long[] upcoming = new long[0]; // by level: the first bucket that has not come up, counted from 1970
    private long time;
    private int size;

    DeadlineWheel(Records records) {
        this.records = records;
    }

    int size() {
        return size;
    }

    /** Allocates what {@link #add} needs. */
    void prepare() {
        if (heads.length == 0) {
            long[] newOccupied = new long[LEVELS];
            long[] newUpcoming = new long[LEVELS];
            heads = new int[DUE + 1];
            occupied = newOccupied;
            upcoming = newUpcoming;
        }
    }

    /** Adds a record that has a deadline, and is not here yet. */
    void add(int reference) {
        prepare();
        file(reference);
        size++;
    }

    void remove(int reference) {
        unlink(reference);
        size--;
    }

    /** Takes note that a record has got another deadline. */
    void changed(int reference, long before) {
        if (records.deadline(reference) < before) {
            unlink(reference);
            file(reference);
        }
    }

    /** Takes note that a record, whose links are as they were, has this reference now. */
    void moved(int reference) {
        int previous = records.previous(reference);
        if (previous < 0) {
            heads[~previous] = reference;
        } else {
            records.setNext(previous, reference);
        }
        int next = records.next(reference);
        if (next != NONE) {
            records.setPrevious(next, reference);
        }
    }

    /**
     * Hands over records whose deadline is before now, each to be removed at once. One that is not removed, because
     * that fails or because whoever receives it leaves it, ends the sweep and is the first of the next.
     *
     * @param now the current time, in milliseconds since 1970
     * @param steps the most records to look at
     * @param expired receives the records
     * @return how many of the steps are left over; if none, there may be more to do
     */
    int sweep(long now, int steps, IntConsumer expired) {
        if (heads.length == 0) {
            return steps;
        }
        turnTo(Math.max(now, 0));
        int left = steps;
        while (left > 0 && (heads[DUE] != NONE || takeBucket())) {
            left--;
            int reference = heads[DUE];
            if (records.deadline(reference) >= now) {
                unlink(reference);
                file(reference);
                continue;
            }
            int before = size;
            expired.accept(reference);
            if (size == before) {
                break;
            }
        }
        return left;
    }

    private void turnTo(long newTime) {
        if (newTime < time) {
            for (int level = 0; level < LEVELS; level++) {
                boolean behind = upcoming[level] <= lastUp(level, time); // by more than a round, perhaps
                long first = lastUp(level, newTime) + 1;
                upcoming[level] = Math.min(upcoming[level], behind ? first - BUCKETS : first);
            }
        }
        time = newTime;
    }

    /** Returns the last bucket of a level that has come up by a time. */
    private static long lastUp(int level, long time) {
        return level == 0 ? time - 1 : number(level, time);
    }

    /** Returns which bucket of a level a time is in, counted from 1970. */
    private static long number(int level, long time) {
        return time >>> (level * BITS);
    }

    /** Takes the next bucket that has come up and is not empty. Returns whether there was one. */
    private boolean takeBucket() {
        for (int level = 0; level < LEVELS; level++) {
            long last = lastUp(level, time);
            long first = Math.max(upcoming[level], last - (BUCKETS - 1)); // once round, and every bucket has come up
            if (first > last) {
                continue;
            }
            long waiting = Long.rotateRight(occupied[level], (int) first);
            int ahead = Long.numberOfTrailingZeros(waiting);
            if (waiting == 0 || ahead > last - first) {
                upcoming[level] = last + 1;
                continue;
            }
            upcoming[level] = first + ahead + 1;
            int bucket = bucket(level, first + ahead);
            int head = heads[bucket];
            setHead(bucket, NONE);
            heads[DUE] = head;
            records.setPrevious(head, ~DUE);
            return true;
        }
        return false;
    }

    private static int bucket(int level, long number) {
        return (level << BITS) | ((int) number & (BUCKETS - 1));
    }

    private void file(int reference) {
        int bucket = bucketFor(records.deadline(reference));
        int next = heads[bucket];
        records.setPrevious(reference, ~bucket);
        records.setNext(reference, next);
        if (next != NONE) {
            records.setPrevious(next, reference);
        }
        setHead(bucket, reference);
    }

    private int bucketFor(long deadline) {
        if (deadline < time) {
            return DUE;
        }
        int level = (Long.SIZE - 1 - Long.numberOfLeadingZeros((deadline - time) | 1)) / BITS;
        if (number(level, deadline) - number(level, time) == BUCKETS) {
            level++;
        }
        return bucket(level, number(level, deadline));
    }

    private void unlink(int reference) {
        int previous = records.previous(reference);
        int next = records.next(reference);
        if (next != NONE) {
            records.setPrevious(next, previous);
        }
        if (previous < 0) {
            setHead(~previous, next);
        } else {
            records.setNext(previous, next);
        }
    }

    private void setHead(int bucket, int head) {
        heads[bucket] = head;
        if (bucket < DUE) {
            long bit = 1L << bucket;
            int level = bucket >>> BITS;
            occupied[level] = head == NONE ? occupied[level] & ~bit : occupied[level] | bit;
        }
    }

    /** Throws if a list is broken, or a record is filed where it would be found too late. */
    void checkInvariants() {
        int found = 0;
        for (int bucket = 0; bucket < heads.length; bucket++) {
            int level = bucket >>> BITS;
            require(bucket == DUE || (occupied[level] >>> bucket & 1) != 0 == (heads[bucket] != NONE), "a wrong bit");
            int previous = ~bucket;
            for (int reference = heads[bucket]; reference != NONE; reference = records.next(reference)) {
                require(records.previous(reference) == previous, "a bucket's list is broken");
                require(bucket == DUE || comesUpInTime(level, bucket, records.deadline(reference)), "filed too late");
                previous = reference;
                found++;
            }
        }
        require(found == size, "the buckets hold " + found + " records of " + size);
        require(heads.length > 0 || Arrays.equals(occupied, new long[0]), "half prepared");
    }

    private boolean comesUpInTime(int level, int bucket, long deadline) {
        long first = Math.max(upcoming[level], lastUp(level, time) - (BUCKETS - 1));
        long ahead = (bucket - first) & (BUCKETS - 1);
        return first + ahead <= Math.max(number(level, deadline), lastUp(level, time));
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
