package io.kvorum.redis;

import io.kvorum.core.PartlyClearedException;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The keys of all servers by their slots, in the way that the servers know them. */
interface Keyspace {
    /** Returns how many keys a slot has, those that have expired and were not deleted yet among them. */
    int count(int slot);

    /** Returns some keys of a slot that exist. */
    List<byte[]> keys(int slot, int limit);

    /** Returns a page of a scan. */
    ScanPage page(ScanCursor cursor, ScanOptions options);

    /** Deletes the keys of a slot and returns how many there were. */
    long drop(int slot);

    /**
     * Deletes the keys of some slots by looking at all keys, and returns how many there were. As they come in no order
     * of slots, none of these is cleared before the end.
     */
    static long clear(Connections connections, SlotSet slots) {
        long[] deleted = {0};
        try {
            for (Place place : connections.servers().primaries()) {
                forEach(connections, place, keys -> delete(connections, place, slots, keys, deleted));
            }
        } catch (RuntimeException e) {
            throw PartlyClearedException.after(deleted[0], SlotSet.EMPTY, slots, e);
        }
        return deleted[0];
    }

    /** Deletes those of some keys that are of some slots, all at once, and adds how many there were. */
    private static void delete(Connections connections, Place place, SlotSet slots, List<byte[]> keys, long[] deleted) {
        List<CompletableFuture<Long>> sent = new ArrayList<>();
        for (byte[] key : keys) {
            int slot = HashSlot.of(key);
            if (slots.contains(slot)) {
                sent.add(connections.send(slot, true, commands -> commands.unlink(key)));
            }
        }
        RuntimeException failure = null;
        for (CompletableFuture<Long> each : sent) {
            try {
                deleted[0] += Waiting.change(each, place);
            } catch (RuntimeException e) {
                failure = failure instanceof OutcomeUnknownException ? failure : e; // which says less than the others
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Hands all keys of a server to an action, some hundreds at a time; a key may come twice. */
    static void forEach(Connections connections, Place place, Consumer<List<byte[]>> action) {
        ScanArgs count = ScanArgs.Builder.limit(500);
        io.lettuce.core.ScanCursor cursor = io.lettuce.core.ScanCursor.INITIAL;
        do {
            io.lettuce.core.ScanCursor next = cursor;
            KeyScanCursor<byte[]> page =
                    Waiting.read(connections.sendTo(place, -1, false, commands -> commands.scan(next, count)));
            action.accept(page.getKeys().stream()
                    .filter(key -> !LeadershipRecord.isKey(key))
                    .toList());
            cursor = page;
        } while (!cursor.isFinished());
    }

    /** Throws unless a scan can go on at a cursor. */
    static void check(ScanCursor cursor, ScanOptions options) {
        if (cursor.isEnd()) {
            throw new IllegalArgumentException("a cursor at the end has no next page");
        }
        if (cursor.slot() > options.lastSlot()) {
            throw new IllegalArgumentException(
                    "a cursor must be at slot " + options.lastSlot() + " or before it: " + cursor.slot());
        }
    }

    /** Returns where a scan goes on after a slot. */
    static ScanCursor after(int slot) {
        return new ScanCursor(Math.min(slot + 1, HashSlot.COUNT), 0);
    }
}
