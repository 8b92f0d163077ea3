package io.kvorum.failover.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import java.io.IOException;
import java.lang.System.Logger.Level;
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
 * <p>A state is written to a new file beside it, forced to the disk, and moved over the old one in one step, so that a
 * crash at any moment leaves either the old state or the new. The state before is kept under the same name with
 * {@code .previous}, if that can be done, for a human to look at: it is never read, since it may lack the last vote.
 * What a later version of this library added to the file is preserved.
 *
 * <p>Confined to one thread at a time, and to one process.
 */
public final class FileSentinelStateStore implements SentinelStateStore {
    private static final System.Logger logger = System.getLogger(FileSentinelStateStore.class.getName());

    private final Path file;
    private final Path next;
    private final Path previous;
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
        previous = this.file.resolveSibling(this.file.getFileName() + ".previous");
        directory = requireNonNull(this.file.getParent(), "file must have a directory");
    }

    /**
     * Reads the state that was last saved.
     *
     * @return the state, or null if there is no file
     * @throws CorruptStateException if the file has been damaged
     * @throws IOException if it cannot be read
     */
    @Override
    public @Nullable SentinelState load() throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return null;
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
        // Each attempt writes a new file: one whose force has failed must not be forced again, for the pages that could
        // not be written may since count as written.
        Files.deleteIfExists(next);
        try (FileChannel channel = FileChannel.open(next, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        keepPrevious();
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceDirectory();
    }

    private void keepPrevious() {
        if (!Files.exists(file)) {
            return;
        }
        try {
            Files.deleteIfExists(previous);
            linkOrCopy();
        } catch (IOException e) { // nothing depends on it
            logger.log(Level.WARNING, () -> "state before not kept in " + previous, e);
        }
    }

    private void linkOrCopy() throws IOException {
        try {
            Files.createLink(previous, file);
        } catch (IOException | UnsupportedOperationException e) { // a file system that has no links, or grants none
            Files.copy(file, previous, StandardCopyOption.REPLACE_EXISTING);
        }
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
