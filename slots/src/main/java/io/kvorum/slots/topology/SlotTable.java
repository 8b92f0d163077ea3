package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The owner of each slot, and how often it changed. Of two owners of a slot the one that was given it later wins in a
 * merge.
 *
 * <p>An owner is a shard in one {@linkplain ShardEntry#generation() generation}. Slots that a shard was given before it
 * was removed don't belong to it when it is added again, however late the news of them arrives.
 *
 * <p>Immutable.
 */
final class SlotTable {
    static final SlotTable EMPTY = new SlotTable(new Owner[HashSlot.COUNT], new int[HashSlot.COUNT]);

    /**
     * An owner of slots.
     *
     * @param shard the shard
     * @param generation its generation when it was given the slots
     */
    record Owner(ShardId shard, int generation) implements Comparable<Owner> {
        @Override
        public int compareTo(Owner other) {
            int byShard = shard.compareTo(other.shard);
            return byShard != 0 ? byShard : Integer.compare(generation, other.generation);
        }
    }

    private final @Nullable Owner[] owners;
    private final int[] stamps;
    private final long changes;

    /** Takes over both arrays. */
    private SlotTable(@Nullable Owner[] owners, int[] stamps) {
        this.owners = owners;
        this.stamps = stamps;
        long sum = 0;
        for (int stamp : stamps) {
            sum += stamp;
        }
        changes = sum;
    }

    /** Returns the owner that a slot was last given to, or {@code null} if it was last taken away or never given. */
    @Nullable
    Owner owner(int slot) {
        return owners[slot];
    }

    /** Returns how often the owner of a slot changed. */
    int stamp(int slot) {
        return stamps[slot];
    }

    /** Returns how often the owners of all slots changed. */
    long changes() {
        return changes;
    }

    SlotTable merge(SlotTable other) {
        if (equals(other)) {
            return this;
        }
        Draft merged = new Draft(this);
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            int order = Integer.compare(stamps[slot], other.stamps[slot]);
            if (order < 0 || (order == 0 && compare(owners[slot], other.owners[slot]) < 0)) {
                merged.set(slot, other.owners[slot], other.stamps[slot]);
            }
        }
        return merged.table();
    }

    private static int compare(@Nullable Owner one, @Nullable Owner other) {
        if (one == null || other == null) {
            return Boolean.compare(one != null, other != null);
        }
        return one.equals(other) ? 0 : one.compareTo(other);
    }

    @Override
    public boolean equals(@Nullable Object object) {
        return this == object
                || (object instanceof SlotTable other
                        && changes == other.changes
                        && Arrays.equals(stamps, other.stamps)
                        && Arrays.equals(owners, other.owners));
    }

    @Override
    public int hashCode() {
        return Objects.hash(changes, Arrays.hashCode(owners));
    }

    /** A table under construction. The first change copies the arrays of the table it starts from. */
    static final class Draft {
        private final SlotTable start;
        private @Nullable Owner[] owners;
        private int[] stamps;

        Draft(SlotTable start) {
            this.start = start;
            owners = start.owners;
            stamps = start.stamps;
        }

        @Nullable
        Owner owner(int slot) {
            return owners[slot];
        }

        int stamp(int slot) {
            return stamps[slot];
        }

        /** Returns the lowest of some slots that has another owner than this one, or none; -1 if all have this one. */
        int firstWithout(Owner owner, SlotSet slots) {
            for (int slot = slots.next(0); slot >= 0; slot = slots.next(slot + 1)) {
                if (!owner.equals(owners[slot])) {
                    return slot;
                }
            }
            return -1;
        }

        /** Gives slots to another owner, or to none. */
        void give(SlotSet slots, @Nullable Owner owner) {
            copy();
            for (SlotRange range : slots.ranges()) {
                Arrays.fill(owners, range.first(), range.last() + 1, owner);
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    if (++stamps[slot] < 0) {
                        throw new ArithmeticException("owner of a slot must change fewer than 2^31 times: " + slot);
                    }
                }
            }
        }

        void set(int slot, @Nullable Owner owner, int stamp) {
            copy();
            owners[slot] = owner;
            stamps[slot] = stamp;
        }

        private void copy() {
            if (owners == start.owners) {
                owners = owners.clone();
                stamps = stamps.clone();
            }
        }

        /** Returns the table; the draft must not be used again. */
        SlotTable table() {
            return owners == start.owners ? start : new SlotTable(owners, stamps);
        }
    }
}
