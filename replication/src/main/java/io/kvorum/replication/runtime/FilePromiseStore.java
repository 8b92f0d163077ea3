package io.kvorum.replication.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.kvorum.replication.PromiseStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a node's promise in a file of one line with a checksum.
 *
 * <p>A promise is written to a new file beside it, forced to the disk, and moved over the old one in one step, so that
 * a crash at any moment leaves either the old promise or the new. A file that was damaged is refused: a node that
 * started with a guess could break its word.
 *
 * <p>Confined to one thread at a time, and to one process.
 */
public final class FilePromiseStore implements PromiseStore {
    private static final Pattern LINE = Pattern.compile("kvorum-promise 1 epoch=(\\d{1,19}) crc32c=([0-9a-f]{8})\\n");

    private final Path file;
    private final Path next;
    private final Path directory;

    /**
     * Names the file. It need not exist yet, but its directory must.
     *
     * @param file the file
     */
    public FilePromiseStore(Path file) {
        this.file = requireNonNull(file, "file").toAbsolutePath();
        this.next = this.file.resolveSibling(this.file.getFileName() + ".next");
        this.directory = requireNonNull(this.file.getParent(), "file must have a directory");
    }

    /**
     * {@inheritDoc}
     *
     * @throws IOException if the file cannot be read, or was damaged
     */
    @Override
    public long load() throws IOException {
        String line;
        try {
            line = Files.readString(file, US_ASCII);
        } catch (NoSuchFileException e) {
            return 0;
        }
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) {
            try {
                long epoch = Long.parseLong(matcher.group(1));
                if (line.equals(line(epoch))) {
                    return epoch;
                }
            } catch (NumberFormatException e) {
                throw damaged(e);
            }
        }
        throw damaged(null);
    }

    @Override
    public void save(long epoch) throws IOException {
        ByteBuffer bytes = US_ASCII.encode(line(epoch));
        // Each attempt writes a new file. One whose force has failed must not be forced again: pages that could not be
        // written may count as written since.
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

    private static String line(long epoch) {
        String content = "kvorum-promise 1 epoch=" + epoch;
        CRC32C crc = new CRC32C();
        crc.update(US_ASCII.encode(content));
        return String.format(Locale.ROOT, "%s crc32c=%08x\n", content, crc.getValue());
    }

    private IOException damaged(@Nullable Throwable cause) {
        return new IOException("the promise in " + file + " is damaged", cause);
    }

    /** A move is durable only once the directory is, where a directory can be opened at all. */
    private void forceDirectory() throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (AccessDeniedException e) {
            return; // Windows, which has no such thing
        }
    }
}
