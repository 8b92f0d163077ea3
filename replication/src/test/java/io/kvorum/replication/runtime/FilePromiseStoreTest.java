package io.kvorum.replication.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FilePromiseStoreTest {
    @TempDir
    Path directory;

    private Path file;
    private FilePromiseStore store;

    @BeforeEach
    void makeStore() {
        file = directory.resolve("promise");
        store = new FilePromiseStore(file);
    }

    @Test
    void withoutAFileNothingIsPromised() throws IOException {
        assertEquals(0, store.load());
    }

    @Test
    void theLastPromiseIsKept() throws IOException {
        store.save(1);
        store.save(Long.MAX_VALUE);

        assertEquals(Long.MAX_VALUE, new FilePromiseStore(file).load());
    }

    /** P31: a crash at any byte of a save leaves the old promise. */
    @Test
    void aSaveThatBreaksOffLeavesTheOldPromise() throws IOException {
        store.save(7);
        byte[] later = Files.readString(file).replace("epoch=7", "epoch=8").getBytes(US_ASCII);
        for (int length = 0; length <= later.length; length++) {
            Files.write(directory.resolve("promise.next"), Arrays.copyOf(later, length));
            assertEquals(7, store.load());
        }
        store.save(8);
        assertEquals(8, store.load());
        assertFalse(Files.exists(directory.resolve("promise.next")));
    }

    @Test
    void aDamagedFileIsRefused() throws IOException {
        store.save(1234);
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 1;
            Files.write(file, damaged);
            assertThrows(IOException.class, store::load, "byte " + i);
            Files.write(file, Arrays.copyOf(whole, i));
            assertThrows(IOException.class, store::load, "length " + i);
        }
        Files.writeString(file, "kvorum-promise 1 epoch=9999999999999999999 crc32c=00000000\n");
        assertThrows(IOException.class, store::load);
    }

    @Test
    void aPromiseThatCannotBeWrittenIsNotSaved() {
        FilePromiseStore nowhere =
                new FilePromiseStore(directory.resolve("missing").resolve("promise"));

        assertThrows(IOException.class, () -> nowhere.save(1));
    }
}
