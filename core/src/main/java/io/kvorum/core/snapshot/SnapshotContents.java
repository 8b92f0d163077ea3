package io.kvorum.core.snapshot;

import io.kvorum.core.ChangeTooLongException;
import io.kvorum.core.Entry;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.Mutation;
import io.kvorum.core.engine.BinaryKey;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.MutationReader;
import io.kvorum.replication.RecordTooLongException;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A snapshot in memory: its chunks, and where in them the entries of each slot are. Confined to one thread. */
final class SnapshotContents implements SnapshotReader.Target {
    /** The longest change that is made in one step, whatever the sink takes: it must fit into one array. */
    private static final long MAX_CHANGE = 1 << 30;

    private record Part(ByteBuf chunk, int from, int to) {}

    private final @Nullable List<Part>[] slots = newSlots();

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static @Nullable List<Part>[] newSlots() {
        return new List[HashSlot.COUNT];
    }

    private final Engine[] engines;

    /** Begins with nothing, for a store that is made of some engines. */
    SnapshotContents(List<Engine> engines) {
        this.engines = Engines.bySlot(engines);
    }

    @Override
    public void accept(int slot, ByteBuf chunk, int from, int to) {
        List<Part> parts = slots[slot];
        if (parts == null) {
            parts = new ArrayList<>(1);
            slots[slot] = parts;
        }
        parts.add(new Part(chunk, from, to));
    }

    /** Replaces slots of a store, and forgets the entries of each. */
    void replace(KeyValueStore store, SlotSet covered, SnapshotProgress progress) {
        int done = 0;
        for (int slot = covered.next(0); slot >= 0; slot = covered.next(slot + 1)) {
            done++;
            List<Part> parts = slots[slot];
            slots[slot] = null;
            if (parts != null || store.countInSlot(slot) > 0) {
                replaceSlot(store, slot, parts == null ? List.of() : parts);
            }
            progress.at(done, covered.size(), 0);
        }
    }

    private void replaceSlot(KeyValueStore store, int slot, List<Part> parts) {
        Engine engine = engines[slot];
        List<Mutation> puts = new ArrayList<>();
        Set<BinaryKey> kept = new HashSet<>();
        for (Part part : parts) {
            MutationReader reader = new MutationReader(part.chunk(), part.from(), part.to());
            while (reader.next()) {
                kept.add(new BinaryKey(reader.key(), engine.hash().of(reader.key())));
                puts.add(new Mutation.Put(new Entry(reader.key(), reader.value(), reader.deadline())));
            }
        }
        List<Mutation> changes = new ArrayList<>();
        try {
            store.transact(slot, keys -> {
                for (byte[] key : engine.heldKeys(slot)) {
                    if (!kept.contains(new BinaryKey(key, engine.hash().of(key)))) {
                        changes.add(new Mutation.Delete(key));
                    }
                }
                changes.addAll(puts);
                return make(keys, changes);
            });
        } catch (IllegalArgumentException | RefusedException e) {
            if (!isTooLarge(engine, e)) {
                throw e;
            }
            inHalves(store, engine, slot, changes, e);
        }
    }

    /**
     * Returns whether smaller changes may be taken. A store without a limit refuses for want of memory only what may
     * not fit into the table of a stripe, by an estimate that is the closer the smaller the change is.
     */
    private static boolean isTooLarge(Engine engine, RuntimeException e) {
        return e instanceof ChangeTooLongException
                || e instanceof RecordTooLongException
                || (e instanceof RefusedException refusal
                        && refusal.kind() == RefusedException.Kind.OUT_OF_MEMORY
                        && !engine.settings().isLimited());
    }

    private static void inHalves(
            KeyValueStore store, Engine engine, int slot, List<Mutation> changes, RuntimeException tooLong) {
        if (changes.size() < 2) {
            throw tooLong;
        }
        int middle = changes.size() / 2;
        for (List<Mutation> half : List.of(changes.subList(0, middle), changes.subList(middle, changes.size()))) {
            try {
                store.transact(slot, keys -> make(keys, half));
            } catch (IllegalArgumentException | RefusedException e) {
                if (!isTooLarge(engine, e)) {
                    throw e;
                }
                inHalves(store, engine, slot, half, e);
            }
        }
    }

    /** Makes changes in a transaction, unless they are too long for one. Returns how many. */
    private static int make(KeyOperations keys, List<Mutation> changes) {
        long length = 0;
        for (Mutation change : changes) {
            if (change instanceof Mutation.Put put) {
                length += put.entry().key().length + (long) put.entry().value().length;
                keys.setAll(List.of(put.entry()));
            } else {
                keys.delete(change.key());
            }
        }
        if (length > MAX_CHANGE && changes.size() > 1) {
            throw new ChangeTooLongException(length, MAX_CHANGE);
        }
        return changes.size();
    }
}
