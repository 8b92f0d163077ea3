package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.kvorum.core.PartlyClearedException;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandKeyword;
import io.lettuce.core.protocol.CommandType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The keys of a cluster, whose servers list the keys of each slot. As a server answers about any slot, also one that it
 * has not, each question goes together with a read of the slot, which such a server refuses.
 */
final class SlottedKeyspace implements Keyspace {
    private static final int AT_ONCE = 512;

    private final Connections connections;

    SlottedKeyspace(Connections connections) {
        this.connections = connections;
    }

    /** A key of each slot, by which a server is asked whether it has the slot. */
    private static final class Probes {
        private static final byte[][] KEYS = keys();

        private static byte[][] keys() {
            byte[][] keys = new byte[HashSlot.COUNT][];
            int found = 0;
            for (int i = 0; found < keys.length; i++) {
                byte[] key = ("kvorum:probe:" + i).getBytes(US_ASCII);
                int slot = HashSlot.of(key);
                if (keys[slot] == null) {
                    keys[slot] = key;
                    found++;
                }
            }
            return keys;
        }
    }

    @Override
    public int count(int slot) {
        return Waiting.read(connections.sendOfSlot(slot, false, commands -> counted(commands, slot, slot + 1)))
                .get(0);
    }

    /** Counts the keys of some slots, in one go. */
    @SuppressWarnings("deprecation") // there is no other way from commands to their connection
    private static CompletionStage<List<Integer>> counted(
            RedisAsyncCommands<byte[], byte[]> commands, int first, int end) {
        List<AsyncCommand<byte[], byte[], Long>> batch = new ArrayList<>();
        for (int slot = first; slot < end; slot++) {
            batch.add(command(
                    CommandType.CLUSTER,
                    new CommandArgs<>(ByteArrayCodec.INSTANCE)
                            .add(CommandKeyword.COUNTKEYSINSLOT)
                            .add(slot)));
            batch.add(
                    command(CommandType.EXISTS, new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(Probes.KEYS[slot])));
        }
        commands.getStatefulConnection().dispatch(List.copyOf(batch));
        CompletionStage<List<Integer>> counts = CompletableFuture.completedFuture(new ArrayList<>());
        for (int i = 0; i < batch.size(); i += 2) {
            counts = counts.thenCombine(
                    batch.get(i).thenCombine(batch.get(i + 1), (count, probe) -> count.intValue()), (list, count) -> {
                        list.add(count);
                        return list;
                    });
        }
        return counts;
    }

    private static AsyncCommand<byte[], byte[], Long> command(CommandType type, CommandArgs<byte[], byte[]> arguments) {
        return new AsyncCommand<>(new Command<>(type, new IntegerOutput<>(ByteArrayCodec.INSTANCE), arguments));
    }

    /** Returns the keys of a slot, some of which may have expired. */
    private List<byte[]> held(int slot, int limit) {
        return Waiting.read(connections.sendOfSlot(slot, false, commands -> {
            var keys = commands.clusterGetKeysInSlot(slot, limit);
            return commands.exists(Probes.KEYS[slot]).thenCombine(keys, (probe, found) -> found);
        }));
    }

    @Override
    public List<byte[]> keys(int slot, int limit) {
        List<byte[]> held = held(slot, count(slot));
        List<CompletableFuture<Long>> found = new ArrayList<>(held.size());
        for (byte[] key : held) {
            found.add(connections.send(slot, false, commands -> commands.exists(key)));
        }
        List<byte[]> existing = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            if (Waiting.read(found.get(i)) > 0 && existing.size() < limit) {
                existing.add(held.get(i));
            }
        }
        return existing;
    }

    /** Returns all keys of the next slots that have any, until there are as many as the options ask for. */
    @Override
    public ScanPage page(ScanCursor cursor, ScanOptions options) {
        Keyspace.check(cursor, options);
        List<byte[]> keys = new ArrayList<>();
        int looked = 0;
        int slot = cursor.slot();
        while (true) {
            slot = nextHeld(slot, options.lastSlot());
            if (slot > options.lastSlot()) {
                return new ScanPage(keys, Keyspace.after(options.lastSlot()));
            }
            List<byte[]> ofSlot = keys(slot, Integer.MAX_VALUE);
            looked += ofSlot.size();
            ofSlot.stream().filter(options.filter()::accepts).forEach(keys::add);
            if (looked >= options.count() || slot == options.lastSlot()) {
                return new ScanPage(keys, Keyspace.after(slot));
            }
            slot++;
        }
    }

    /** Returns the first slot of a range that has keys, or the one after the range. */
    private int nextHeld(int first, int last) {
        int atOnce = 8; // more and more, as the next keys are near or nowhere
        int begin = first;
        while (begin <= last) {
            int end = begin + 1;
            Place place = connections.servers().placeOf(begin);
            while (end <= last
                    && end - begin < atOnce
                    && place.equals(connections.servers().placeOf(end))) {
                end++;
            }
            int from = begin;
            int to = end;
            List<Integer> counts =
                    Waiting.read(connections.sendOfSlot(begin, false, commands -> counted(commands, from, to)));
            for (int i = 0; i < counts.size(); i++) {
                if (counts.get(i) > 0) {
                    return begin + i;
                }
            }
            begin = end;
            atOnce = Math.min(AT_ONCE, 2 * atOnce);
        }
        return last + 1;
    }

    @Override
    public long drop(int slot) {
        long deleted = 0;
        List<byte[]> held = held(slot, count(slot));
        for (int first = 0; first < held.size(); first += AT_ONCE) {
            byte[][] batch =
                    held.subList(first, Math.min(held.size(), first + AT_ONCE)).toArray(byte[][]::new);
            try {
                deleted += connections.change(slot, commands -> commands.unlink(batch));
            } catch (RuntimeException e) {
                throw PartlyClearedException.after(deleted, SlotSet.EMPTY, SlotSet.of(slot), e);
            }
        }
        return deleted;
    }
}
