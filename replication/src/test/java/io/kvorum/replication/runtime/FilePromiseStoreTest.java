package io.kvorum.replication.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStoreException;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FilePromiseStoreTest {
    private static final NodeId SENTINEL = new NodeId("sentinel-1");

    @TempDir
    Path directory;

    private final Promise first = Promise.first(new SplittableRandom(1));
    private Path file;
    private FilePromiseStore store;

    @BeforeEach
    void makeStore() {
        file = directory.resolve("promise");
        store = new FilePromiseStore(file);
    }

    @Test
    void anExistingDirectoryWithoutTheFileSaysThatNothingWasPromised() throws IOException {
        assertNull(store.load());
    }

    @Test
    void aMissingDirectoryIsAnErrorAndNotAnEmptyPromise() {
        FilePromiseStore nowhere =
                new FilePromiseStore(directory.resolve("missing").resolve("promise"));

        assertThrows(PromiseStoreException.class, nowhere::load);
        assertThrows(IOException.class, () -> nowhere.save(first));
    }

    @Test
    void theLastPromiseIsKept() throws IOException {
        Promise greatest = new Promise(-1, Long.MAX_VALUE, Epoch.of(Epoch.MAX_ROUND, Epoch.MAX_CANDIDATE), null, true);
        store.save(first);
        assertEquals(first, new FilePromiseStore(file).load());
        store.save(first.nextLife().withEpoch(7, SENTINEL));
        assertEquals(first.nextLife().withEpoch(7, SENTINEL), new FilePromiseStore(file).load());
        store.save(greatest);

        assertEquals(greatest, new FilePromiseStore(file).load());
    }

    /** P31: a crash at any byte of a save leaves the old promise. */
    @Test
    void aSaveThatBreaksOffLeavesTheOldPromise() throws IOException {
        Promise seven = first.withEpoch(7, SENTINEL);
        store.save(seven);
        byte[] later = Files.readString(file).replace("epoch=7", "epoch=8").getBytes(US_ASCII);
        for (int length = 0; length <= later.length; length++) {
            Files.write(directory.resolve("promise.next"), Arrays.copyOf(later, length));
            assertEquals(seven, store.load());
        }
        store.save(seven.withEpoch(8, null));
        assertEquals(seven.withEpoch(8, null), store.load());
        assertFalse(Files.exists(directory.resolve("promise.next")));
    }

    @Test
    void aDamagedFileIsRefused() throws IOException {
        store.save(first.withEpoch(1234, SENTINEL));
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 1;
            Files.write(file, damaged);
            assertThrows(PromiseStoreException.class, store::load, "byte " + i);
            Files.write(file, Arrays.copyOf(whole, i));
            assertThrows(PromiseStoreException.class, store::load, "length " + i);
        }
        Files.writeString(file, new String(whole, US_ASCII).replace("epoch=1234", "epoch=9999999999999999999"));
        assertThrows(PromiseStoreException.class, store::load);
    }

    @Test
    void aFileThatIsTooLongIsRefusedUnread() throws IOException {
        try (RandomAccessFile huge = new RandomAccessFile(file.toFile(), "rw")) {
            huge.setLength(3L << 30); // sparse
        }

        assertThrows(PromiseStoreException.class, store::load);
    }
}
