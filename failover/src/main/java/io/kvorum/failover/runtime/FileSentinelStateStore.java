package io.kvorum.failover.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the state of a sentinel in a small text file with a checksum.
 *
 * <p>A state is written to a new file beside the old one, forced to the disk, and moved over it in one step, so that a
 * crash leaves either the old state or the new one. Lines that a later version of this library added to the file are
 * preserved.
 *
 * <p>Confined to one thread at a time, and to one process.
 */
public final class FileSentinelStateStore implements SentinelStateStore {
    /** The largest file that is read, in bytes: enough for the greatest number of shards. */
    public static final int MAX_SIZE = 16 << 20;

    private final Path file;
    private final Path next;
    private final Path directory;
    private List<String> unknown = List.of();

    /**
     * Names the file; it need not exist yet, but its directory must.
     *
     * @param file the file
     */
    public FileSentinelStateStore(Path file) {
        this.file = requireNonNull(file, "file").toAbsolutePath();
        next = this.file.resolveSibling(this.file.getFileName() + ".next");
        directory = requireNonNull(this.file.getParent(), "file must have a directory");
    }

    /**
     * Reads the state that was last saved.
     *
     * @return the state, or null if the directory has no such file
     * @throws CorruptStateException if the file is damaged or larger than {@link #MAX_SIZE}
     * @throws IOException if it cannot be read, or its directory does not exist
     */
    @Override
    public @Nullable SentinelState load() throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new NoSuchFileException(directory.toString(), null, "the directory of the sentinel state must exist");
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_SIZE + 1);
        } catch (NoSuchFileException e) {
            return null;
        }
        if (bytes.length > MAX_SIZE) {
            throw new CorruptStateException(
                    "sentinel state in " + file + " must be at most " + MAX_SIZE + " bytes long: it is longer");
        }
        try {
            StateText text = StateText.decode(bytes);
            unknown = text.unknown();
            return text.state();
        } catch (CorruptStateException e) {
            throw new CorruptStateException("sentinel state in " + file + " is damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public void save(SentinelState state) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(new StateText(state, unknown).encode());
        // Each attempt writes a new file: one whose force has failed must not be forced again, because pages that could
        // not be written may since count as written.
        Files.deleteIfExists(next);
        try (FileChannel channel = FileChannel.open(next, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceDirectory();
    }

    /** A move is durable only once the directory is, where a directory can be opened at all. */
    private void forceDirectory() throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(directory, StandardOpenOption.READ);
        } catch (AccessDeniedException e) {
            return; // Windows, which has no such thing
        }
        try (channel) {
            channel.force(true);
        }
    }
}
