package io.kvorum.core.snapshot;

import io.kvorum.core.engine.Checksum;
import io.kvorum.core.engine.ContentsScan;
import io.kvorum.core.engine.MutationReader;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.core.snapshot.SnapshotFormatException.Kind;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** Reads one snapshot to its end, and trusts nothing of it before it has been checked. Confined to one thread. */
final class SnapshotReader {
    /** Takes entries of a slot, which have been checked. Of a key that comes twice the later entry counts. */
    @FunctionalInterface
    interface Target {
        /** Entries, as {@link MutationWriter#put} writes them, in a part of a chunk that nobody changes. */
        void accept(int slot, ByteBuf chunk, int from, int to);
    }

    private final InputStream source;
    private final SnapshotLimits limits;
    private final CRC32C checksum = new CRC32C();
    private long position;
    private long entries;
    private long chunks;

    SnapshotReader(InputStream source, SnapshotLimits limits) {
        this.source = new BufferedInputStream(source);
        this.limits = limits;
    }

    /**
     * Reads the snapshot, and the end of the stream after it.
     *
     * @throws SnapshotFormatException if it is refused; the target may have received some of it
     */
    SnapshotSummary read(Target target) throws IOException {
        ByteBuf fixed = take(SnapshotFormat.FIXED_HEADER);
        int version = checkVersion(fixed);
        Instant createdAt = Instant.ofEpochMilli(fixed.getLong(12));
        SlotSet slots = readSlots(fixed.getUnsignedShort(20));
        long at = position;
        int length = take(Integer.BYTES).readInt();
        while (length != SnapshotFormat.END) {
            if (length < 0 || length > limits.maxChunkLength()) {
                throw new SnapshotFormatException(
                        Kind.LIMIT_EXCEEDED,
                        at,
                        "a chunk must have at most " + limits.maxChunkLength() + " bytes: "
                                + Integer.toUnsignedString(length));
            }
            readChunk(length, slots, target);
            at = position;
            length = take(Integer.BYTES).readInt();
        }
        readTotals();
        if (source.read() >= 0) {
            throw new SnapshotFormatException(
                    Kind.TRAILING_BYTES, position, "nothing must follow the end of a snapshot");
        }
        return new SnapshotSummary(version, createdAt, slots, entries, chunks, position);
    }

    private static int checkVersion(ByteBuf header) {
        int version = header.getUnsignedShort(Long.BYTES);
        if (version > SnapshotFormat.VERSION) {
            throw new SnapshotFormatException(
                    Kind.NEWER,
                    Long.BYTES,
                    "the version of a snapshot must be 1 to " + SnapshotFormat.VERSION + ": " + version);
        }
        if (version < 1) {
            throw new SnapshotFormatException(
                    Kind.DAMAGED, Long.BYTES, "the version of a snapshot must be at least 1: " + version);
        }
        int flags = header.getUnsignedShort(Long.BYTES + Short.BYTES);
        if (flags != 0) {
            throw new SnapshotFormatException(
                    Kind.NEWER, Long.BYTES + Short.BYTES, "the flags of a snapshot of version 1 must be 0: " + flags);
        }
        return version;
    }

    private SlotSet readSlots(int count) throws IOException {
        long start = position;
        if (count > HashSlot.COUNT / 2) {
            throw new SnapshotFormatException(
                    Kind.DAMAGED, start - Short.BYTES, "slot ranges must be at most 8192: " + count);
        }
        ByteBuf ranges = take(count * SnapshotFormat.RANGE);
        checkSum("the header", 0);
        List<SlotRange> slots = new ArrayList<>();
        int least = 0;
        for (int i = 0; i < count; i++) {
            int first = ranges.readUnsignedShort();
            int last = ranges.readUnsignedShort();
            if (first < least || last < first || last >= HashSlot.COUNT) {
                throw new SnapshotFormatException(
                        Kind.MALFORMED,
                        start + (long) i * SnapshotFormat.RANGE,
                        "slot ranges must ascend with a gap between them: " + first + "-" + last);
            }
            slots.add(new SlotRange(first, last));
            least = last + 2;
        }
        return SlotSet.ofRanges(slots);
    }

    private void readChunk(int length, SlotSet slots, Target target) throws IOException {
        long at = position;
        int expected = take(Integer.BYTES).readInt();
        long start = position;
        ByteBuf chunk = take(length);
        if (Checksum.of(chunk, 0, length) != expected) {
            throw new SnapshotFormatException(
                    Kind.DAMAGED, at, "the checksum of a chunk must be that of its " + length + " bytes");
        }
        chunks++;
        int index = 0;
        while (index < length) {
            require(length - index >= ContentsScan.SLOT_HEADER, start + index, "a chunk must hold whole slots");
            int slot = chunk.getUnsignedShort(index);
            int slotLength = chunk.getInt(index + Short.BYTES);
            require(slots.contains(slot), start + index, "a slot of a chunk must be one that is covered: " + slot);
            index += ContentsScan.SLOT_HEADER;
            require(
                    slotLength > 0 && slotLength <= length - index,
                    start + index - Integer.BYTES,
                    "the entries of a slot must have 1 to " + (length - index) + " bytes: " + slotLength);
            checkEntries(slot, chunk, index, index + slotLength, start);
            target.accept(slot, chunk, index, index + slotLength);
            index += slotLength;
        }
    }

    private void checkEntries(int slot, ByteBuf chunk, int from, int to, long start) {
        MutationReader reader = new MutationReader(chunk, from, to, limits.maxKeyLength(), limits.maxValueLength());
        int index = from;
        try {
            while (reader.next()) {
                require(
                        reader.kind() == MutationReader.Kind.PUT,
                        start + index,
                        "a snapshot must hold whole entries only");
                int found = HashSlot.of(reader.key());
                require(
                        found == slot,
                        start + index,
                        "a key must be in the slot that it is filed under, " + slot + ": " + found);
                entries++;
                if (entries > limits.maxEntries()) {
                    throw new SnapshotFormatException(
                            Kind.LIMIT_EXCEEDED,
                            start + index,
                            "a snapshot must have at most " + limits.maxEntries() + " entries");
                }
                index = reader.index();
            }
        } catch (MutationReader.TooLongException e) {
            throw refused(Kind.LIMIT_EXCEEDED, start + index, e);
        } catch (SnapshotFormatException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw refused(Kind.MALFORMED, start + index, e);
        }
    }

    private static SnapshotFormatException refused(Kind kind, long at, IllegalArgumentException cause) {
        SnapshotFormatException refusal = new SnapshotFormatException(kind, at, String.valueOf(cause.getMessage()));
        refusal.initCause(cause);
        return refusal;
    }

    private void readTotals() throws IOException {
        long at = position;
        ByteBuf totals = take(SnapshotFormat.TOTALS);
        checkSum("a snapshot", at);
        long writtenEntries = totals.readLong();
        long writtenChunks = totals.readLong();
        if (writtenEntries != entries || writtenChunks != chunks) {
            throw new SnapshotFormatException(
                    Kind.DAMAGED,
                    at,
                    "the totals must be " + entries + " entries in " + chunks + " chunks: " + writtenEntries + " in "
                            + writtenChunks);
        }
    }

    /** Compares the checksum of everything before with the one that comes next. */
    private void checkSum(String what, long from) throws IOException {
        long at = position;
        int sum = (int) checksum.getValue();
        if (take(Integer.BYTES).readInt() != sum) {
            throw new SnapshotFormatException(
                    Kind.DAMAGED, from, "the checksum of " + what + " must be that of the " + at + " bytes before it");
        }
    }

    /** Reads so many bytes; memory is taken as they come, not before. */
    private ByteBuf take(int length) throws IOException {
        if (length > limits.maxBytes() - position) {
            throw new SnapshotFormatException(
                    Kind.LIMIT_EXCEEDED, position, "a snapshot must have at most " + limits.maxBytes() + " bytes");
        }
        byte[] read = source.readNBytes(length);
        checkMagic(read);
        if (read.length < length) {
            throw new SnapshotFormatException(
                    Kind.TRUNCATED,
                    position + read.length,
                    "a snapshot must not end before its end mark: " + length + " bytes wanted, " + read.length
                            + " left");
        }
        checksum.update(read, 0, length);
        position += length;
        return Unpooled.wrappedBuffer(read);
    }

    /** What is cut off and was no snapshot before is none either. */
    private void checkMagic(byte[] read) {
        for (int i = 0; position == 0 && i < Math.min(read.length, Long.BYTES); i++) {
            if (read[i] != (byte) (SnapshotFormat.MAGIC >>> (56 - 8 * i))) {
                throw new SnapshotFormatException(Kind.NOT_A_SNAPSHOT, i, "a snapshot must begin with KVORUMSN");
            }
        }
    }

    private static void require(boolean holds, long at, String rule) {
        if (!holds) {
            throw new SnapshotFormatException(Kind.MALFORMED, at, rule);
        }
    }
}
