package io.kvorum.replication.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.PromiseStoreException;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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
 * a crash at any moment leaves either the old promise or the new. A file that was damaged is refused, and so is a
 * missing directory: a node that started with a guess could break its word. Only an existing directory without the file
 * says that nothing was ever promised.
 *
 * <p>Confined to one thread at a time, and to one process.
 */
public final class FilePromiseStore implements PromiseStore {
    /** The longest file that is read, in bytes. What is longer is no promise. */
    public static final int MAX_BYTES = 4 << 10;

    private static final Pattern LINE = Pattern.compile(
            "kvorum-promise 2 incarnation=([0-9a-f]{16}) life=(\\d{1,19}) epoch=(\\d{1,19}) begun=(true|false)"
                    + "( holder=([A-Za-z0-9._:-]{1,64}))? crc32c=([0-9a-f]{8})\\n");

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
     * @throws PromiseStoreException if the directory is missing, or the file was damaged or is longer than
     *     {@value #MAX_BYTES} bytes
     * @throws IOException if the file cannot be read
     */
    @Override
    public @Nullable Promise load() throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (NoSuchFileException e) {
            if (!Files.isDirectory(directory) || Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new PromiseStoreException("the directory of the promise in " + file + " is missing", e);
            }
            return null;
        }
        if (bytes.length > MAX_BYTES) {
            throw new PromiseStoreException("the promise in " + file + " is longer than " + MAX_BYTES + " bytes", null);
        }
        return parse(new String(bytes, US_ASCII));
    }

    private Promise parse(String line) throws PromiseStoreException {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) {
            try {
                String holder = matcher.group(6);
                Promise promise = new Promise(
                        Long.parseUnsignedLong(matcher.group(1), 16),
                        Long.parseLong(matcher.group(2)),
                        Long.parseLong(matcher.group(3)),
                        holder == null ? null : new NodeId(holder),
                        Boolean.parseBoolean(matcher.group(4)));
                if (line.equals(line(promise))) {
                    return promise;
                }
            } catch (IllegalArgumentException e) {
                throw damaged(e);
            }
        }
        throw damaged(null);
    }

    @Override
    public void save(Promise promise) throws IOException {
        ByteBuffer bytes = US_ASCII.encode(line(promise));
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

    private static String line(Promise promise) {
        NodeId holder = promise.holder();
        String content = String.format(
                Locale.ROOT,
                "kvorum-promise 2 incarnation=%016x life=%d epoch=%d begun=%b%s",
                promise.incarnation(),
                promise.life(),
                promise.epoch(),
                promise.begun(),
                holder == null ? "" : " holder=" + holder);
        CRC32C crc = new CRC32C();
        crc.update(US_ASCII.encode(content));
        return String.format(Locale.ROOT, "%s crc32c=%08x\n", content, crc.getValue());
    }

    private PromiseStoreException damaged(@Nullable Throwable cause) {
        return new PromiseStoreException("the promise in " + file + " is damaged", cause);
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
