package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.Configuration;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileSentinelStateStoreTest {
    private static final NodeId SENTINEL = new NodeId("s1");
    private static final SentinelState OLD = state(4, new NodeId("s1"));
    private static final SentinelState NEW = state(5, new NodeId("s2"));

    @TempDir
    private Path directory;

    @Test
    void withoutAFileThereIsNoState() throws IOException {
        assertNull(store().load());
    }

    @Test
    void whatWasSavedIsRead() throws IOException {
        store().save(OLD);
        assertEquals(OLD, store().load());
        store().save(NEW);
        assertEquals(NEW, store().load());
    }

    @Test
    void theStateBeforeIsKept() throws IOException {
        store().save(OLD);
        store().save(NEW);

        assertEquals(OLD, new FileSentinelStateStore(directory.resolve("state.previous")).load());
    }

    @Test
    void aCrashAtAnyByteOfASaveLeavesTheOldState() throws IOException {
        byte[] next = new StateText(NEW, List.of()).encode();
        for (int written = 0; written <= next.length; written++) {
            store().save(OLD);
            Files.write(directory.resolve("state.next"), Arrays.copyOf(next, written));

            assertEquals(OLD, store().load(), "written: " + written);
            store().save(NEW); // and what the crash left behind is in nobody's way
            assertEquals(NEW, store().load());
        }
    }

    @Test
    void aCrashBesideThePreviousFileLeavesTheOldState() throws IOException {
        store().save(OLD);
        store().save(OLD);
        Files.delete(directory.resolve("state.previous"));

        assertEquals(OLD, store().load());
        store().save(NEW);
        assertEquals(NEW, store().load());
    }

    @Test
    void aStateBeforeThatCannotBeKeptIsInNobodysWay() throws IOException {
        Files.createDirectories(directory.resolve("state.previous/full"));
        store().save(OLD);
        store().save(NEW);

        assertEquals(NEW, store().load());
    }

    @Test
    void aTornFileIsRefused() throws IOException {
        byte[] whole = saved(NEW);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            assertThrows(CorruptStateException.class, () -> store().load(), "length: " + length);
        }
    }

    @Test
    void aFlippedBitIsRefused() throws IOException {
        byte[] whole = saved(NEW);
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file(), damaged);
            assertThrows(CorruptStateException.class, () -> store().load(), "bit: " + bit);
        }
    }

    @Test
    void aContradictionIsRefused() throws IOException {
        String text = new String(new StateText(OLD, List.of()).encode(), java.nio.charset.StandardCharsets.UTF_8);
        int end = text.lastIndexOf("crc32c");
        for (String wrong : List.of(
                "shard b 3 b1 2 0 *",
                "shard b 1 b1 1 x *",
                "shard b 1 b1 1 0 s1",
                "shard a 1 a 1 0 *",
                "shard b 1 b1 7 7",
                "shard b 1 b1 7 7 s1 more",
                "abstaining",
                "abstaining perhaps",
                "sentinel s1 s2")) {
            assertThrows(
                    CorruptStateException.class,
                    () -> StateText.decode(StateText.sealed(text.substring(0, end) + wrong + "\n")),
                    wrong);
        }
        assertThrows(CorruptStateException.class, () -> StateText.decode(StateText.sealed("kvorum-sentinel 2\n")));
        assertThrows(CorruptStateException.class, () -> StateText.decode(StateText.sealed("kvorum-sentinel 1\n")));
    }

    @Test
    void whatALaterVersionAddedIsPreserved() throws IOException {
        Files.write(file(), new StateText(OLD, List.of("colour blue", "shards are another word")).encode());
        FileSentinelStateStore store = store();
        assertEquals(OLD, store.load());
        store.save(NEW);

        assertEquals(
                List.of("colour blue", "shards are another word"),
                StateText.decode(Files.readAllBytes(file())).unknown());
    }

    @Test
    void writingWhatWasReadChangesNothing() throws IOException {
        byte[] whole = saved(NEW);
        FileSentinelStateStore store = store();
        SentinelState read = store.load();
        assertTrue(read != null);
        store.save(read);

        assertArrayEquals(whole, Files.readAllBytes(file()));
    }

    @Test
    void aFailedSaveLeavesTheOldState() throws IOException {
        store().save(OLD);
        Path inTheWay = Files.createDirectories(directory.resolve("state.next/full"));
        assertThrows(IOException.class, () -> store().save(NEW));
        assertEquals(OLD, store().load());

        Files.delete(inTheWay);
        store().save(NEW);
        assertEquals(NEW, store().load());
        assertFalse(Files.exists(directory.resolve("state.next")));
    }

    private byte[] saved(SentinelState state) throws IOException {
        store().save(state);
        return Files.readAllBytes(file());
    }

    private Path file() {
        return directory.resolve("state");
    }

    private FileSentinelStateStore store() {
        return new FileSentinelStateStore(file());
    }

    private static SentinelState state(long epoch, NodeId votedFor) {
        return new SentinelState(
                SENTINEL,
                false,
                List.of(
                        new ShardMemory(
                                new Configuration(new ShardId("a"), epoch - 1, new NodeId("a:1")),
                                epoch,
                                epoch,
                                votedFor),
                        new ShardMemory(new Configuration(new ShardId("-"), 0, new NodeId("-")), 1, 0, null)));
    }
}
