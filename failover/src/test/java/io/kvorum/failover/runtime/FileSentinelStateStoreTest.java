package io.kvorum.failover.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelState.KnownShard;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileSentinelStateStoreTest {
    private static final NodeId SENTINEL = new NodeId("S1");
    private static final SentinelState STATE = new SentinelState(
            SENTINEL,
            List.of(
                    new KnownShard(
                            new ShardPrimary(new ShardId("s1"), 1, Epoch.of(3, 2), new NodeId("a")),
                            List.of(new NodeId("a"), new NodeId("b"), new NodeId("c"))),
                    new KnownShard(new ShardPrimary(new ShardId("s2"), 1, 0, new NodeId("x")), List.of())));

    @TempDir
    private Path directory;

    private Path file() {
        return directory.resolve("sentinel");
    }

    @Test
    void whatWasSavedIsLoaded() throws IOException {
        new FileSentinelStateStore(file()).save(STATE);
        SentinelState other = new SentinelState(SENTINEL, List.of());

        assertEquals(STATE, new FileSentinelStateStore(file()).load());
        new FileSentinelStateStore(file()).save(other);
        assertEquals(other, new FileSentinelStateStore(file()).load());
    }

    @Test
    void theFormIsStable() throws IOException {
        new FileSentinelStateStore(file()).save(STATE);

        assertEquals(
                List.of("kvorum-sentinel 3", "sentinel S1", "shard s1 1 3074 a a b c", "shard s2 1 0 x"),
                Files.readAllLines(file()).subList(0, 4));
    }

    @Test
    void aMissingFileIsNoState() throws IOException {
        assertNull(new FileSentinelStateStore(file()).load());
    }

    @Test
    void aMissingDirectoryIsAnError() {
        FileSentinelStateStore store = new FileSentinelStateStore(directory.resolve("missing/sentinel"));

        assertThrows(NoSuchFileException.class, store::load);
        assertThrows(IOException.class, () -> store.save(STATE));
    }

    @Test
    void aFlippedByteIsRefused() throws IOException {
        new FileSentinelStateStore(file()).save(STATE);
        byte[] good = Files.readAllBytes(file());
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            Files.write(file(), bad);
            assertThrows(CorruptStateException.class, new FileSentinelStateStore(file())::load, "byte " + i);
        }
    }

    @Test
    void aTruncatedFileIsRefused() throws IOException {
        new FileSentinelStateStore(file()).save(STATE);
        byte[] good = Files.readAllBytes(file());
        for (int length = 0; length < good.length; length++) {
            Files.write(file(), java.util.Arrays.copyOf(good, length));
            assertThrows(CorruptStateException.class, new FileSentinelStateStore(file())::load, "length " + length);
        }
    }

    @Test
    void aFileThatIsTooLongIsNotRead() throws IOException {
        try (RandomAccessFile huge = new RandomAccessFile(file().toFile(), "rw")) {
            huge.setLength(3L << 30);
        }

        assertThrows(CorruptStateException.class, new FileSentinelStateStore(file())::load);
    }

    @Test
    void linesOfALaterVersionAreKept() throws IOException {
        String body = "kvorum-sentinel 3\nsentinel S1\nlater thing 7\n";
        Files.write(file(), StateText.sealed(body));
        FileSentinelStateStore store = new FileSentinelStateStore(file());
        store.load();
        store.save(STATE);

        assertTrue(Files.readString(file(), UTF_8).contains("\nlater thing 7\n"));
    }
}
