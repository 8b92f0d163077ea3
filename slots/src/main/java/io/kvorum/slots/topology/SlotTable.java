package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The owner of each slot, where its data is if not there yet, and how often either changed. Of two owners of a slot the
 * one that was given it later wins in a merge.
 *
 * <p>An owner is a shard in one {@linkplain ShardEntry#generation() generation}. Slots that a shard was given before it
 * was removed don't belong to it when it is added again, however late the news of them arrives.
 *
 * <p>Immutable.
 */
final class SlotTable {
    static final SlotTable EMPTY =
            new SlotTable(new Owner[HashSlot.COUNT], new Owner[HashSlot.COUNT], new int[HashSlot.COUNT]);

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
    private final @Nullable Owner[] sources;
    private final int[] stamps;
    private final long changes;

    /** Takes over the arrays. */
    private SlotTable(@Nullable Owner[] owners, @Nullable Owner[] sources, int[] stamps) {
        this.owners = owners;
        this.sources = sources;
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

    /** Returns the owner that still has the data of a slot on its way, or {@code null} if the data is at its owner. */
    @Nullable
    Owner source(int slot) {
        return sources[slot];
    }

    /** Returns the slots whose data is not at their owner. */
    SlotSet moving() {
        long[] bits = null;
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            if (sources[slot] != null) {
                if (bits == null) {
                    bits = new long[HashSlot.COUNT / Long.SIZE];
                }
                bits[slot >>> 6] |= 1L << slot;
            }
        }
        return bits == null ? SlotSet.EMPTY : SlotSet.ofBits(bits);
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
            if (order < 0 || (order == 0 && compareOwners(other, slot) < 0)) {
                merged.set(slot, other.owners[slot], other.sources[slot], other.stamps[slot]);
            }
        }
        return merged.table();
    }

    private int compareOwners(SlotTable other, int slot) {
        int byOwner = compare(owners[slot], other.owners[slot]);
        return byOwner != 0 ? byOwner : compare(sources[slot], other.sources[slot]);
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
                        && Arrays.equals(owners, other.owners)
                        && Arrays.equals(sources, other.sources));
    }

    @Override
    public int hashCode() {
        return Objects.hash(changes, Arrays.hashCode(owners));
    }

    /** A table under construction. The first change copies the arrays of the table it starts from. */
    static final class Draft {
        private final SlotTable start;
        private @Nullable Owner[] owners;
        private @Nullable Owner[] sources;
        private int[] stamps;

        Draft(SlotTable start) {
            this.start = start;
            owners = start.owners;
            sources = start.sources;
            stamps = start.stamps;
        }

        @Nullable
        Owner owner(int slot) {
            return owners[slot];
        }

        @Nullable
        Owner source(int slot) {
            return sources[slot];
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

        /** Gives slots without data to an owner, or takes them away together with their data. */
        void give(SlotSet slots, @Nullable Owner owner) {
            copy();
            for (SlotRange range : slots.ranges()) {
                Arrays.fill(owners, range.first(), range.last() + 1, owner);
                Arrays.fill(sources, range.first(), range.last() + 1, null);
                stamp(range);
            }
        }

        /** Gives slots that have an owner to another one. Their data stays where it is. */
        void move(SlotSet slots, Owner owner) {
            copy();
            for (SlotRange range : slots.ranges()) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    Owner source = sources[slot] == null ? owners[slot] : sources[slot];
                    owners[slot] = owner;
                    sources[slot] = owner.equals(source) ? null : source;
                }
                stamp(range);
            }
        }

        /** Notes that the data of slots is at their owner. */
        void finishMove(SlotSet slots) {
            copy();
            for (SlotRange range : slots.ranges()) {
                Arrays.fill(sources, range.first(), range.last() + 1, null);
                stamp(range);
            }
        }

        private void stamp(SlotRange range) {
            for (int slot = range.first(); slot <= range.last(); slot++) {
                if (++stamps[slot] < 0) {
                    throw new ArithmeticException("owner of a slot must change fewer than 2^31 times: " + slot);
                }
            }
        }

        void set(int slot, @Nullable Owner owner, @Nullable Owner source, int stamp) {
            copy();
            owners[slot] = owner;
            sources[slot] = source;
            stamps[slot] = stamp;
        }

        private void copy() {
            if (owners == start.owners) {
                owners = owners.clone();
                sources = sources.clone();
                stamps = stamps.clone();
            }
        }

        /** Returns the table; the draft must not be used again. */
        SlotTable table() {
            return owners == start.owners ? start : new SlotTable(owners, sources, stamps);
        }
    }
}
