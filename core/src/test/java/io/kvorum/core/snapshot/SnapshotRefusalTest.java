package io.kvorum.core.snapshot;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.snapshot.SnapshotsTest.snapshot;
import static io.kvorum.core.snapshot.SnapshotsTest.source;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.FixedClock;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.Checksum;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.core.snapshot.SnapshotFormatException.Kind;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is no sound snapshot is refused, with the reason and the place, and leaves the store as it was. */
@Tag("long")
final class SnapshotRefusalTest {
    private static final SnapshotLimits LIMITS = SnapshotLimits.defaults();
    private static final int HEADER = SnapshotFormat.FIXED_HEADER + SnapshotFormat.RANGE + Integer.BYTES;

    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, new FixedClock(1_000));
    private byte[] snapshot = {};
    private long digest;

    @BeforeEach
    void fill() throws IOException {
        for (int i = 0; i < 4; i++) {
            store.set(bytes("k" + i), bytes("value" + i));
            store.set(bytes("{t}" + i), bytes("v" + i), SetOptions.defaults().withDeadline(5_000 + i));
        }
        snapshot = snapshot(store, SlotSet.ALL, 60);
        store.set(bytes("later"), bytes("1"));
        digest = store.digest();
    }

    @AfterEach
    void isAsItWas() {
        assertEquals(digest, store.digest());
    }

    @Test
    void everyChangeOfASingleByte() {
        for (int i = 0; i < snapshot.length; i++) {
            for (int flipped = 1; flipped < 256; flipped++) {
                byte[] damaged = snapshot.clone();
                damaged[i] ^= (byte) flipped;
                SnapshotFormatException refusal = assertThrows(
                        SnapshotFormatException.class, () -> Snapshots.load(store, source(damaged), LIMITS));
                assertTrue(refusal.position() <= snapshot.length, refusal::getMessage);
            }
            assertEquals(digest, store.digest());
        }
    }

    @Test
    void everyBeginningOfIt() {
        for (int length = 0; length < snapshot.length; length++) {
            SnapshotFormatException refusal = refusalOf(Arrays.copyOf(snapshot, length));
            assertEquals(Kind.TRUNCATED, refusal.kind());
            assertEquals(length, refusal.position());
            assertEquals(digest, store.digest());
        }
    }

    @Test
    void everySingleByteLeftOutOrAdded() {
        for (int i = 0; i < snapshot.length; i++) {
            byte[] shorter = new byte[snapshot.length - 1];
            System.arraycopy(snapshot, 0, shorter, 0, i);
            System.arraycopy(snapshot, i + 1, shorter, i, shorter.length - i);
            refusalOf(shorter);
            byte[] longer = new byte[snapshot.length + 1];
            System.arraycopy(snapshot, 0, longer, 0, i);
            System.arraycopy(snapshot, i, longer, i + 1, snapshot.length - i);
            refusalOf(longer);
        }
    }

    @Test
    void whatGoesOnAfterTheEnd() {
        SnapshotFormatException refusal = refusalOf(Arrays.copyOf(snapshot, snapshot.length + 1));
        assertEquals(Kind.TRAILING_BYTES, refusal.kind());
        assertEquals(snapshot.length, refusal.position());
    }

    @Test
    void whatBeginsOtherwise() {
        SnapshotFormatException refusal = refusalOf(bytes("KVO?"));
        assertEquals(Kind.NOT_A_SNAPSHOT, refusal.kind());
        assertEquals(3, refusal.position());
    }

    @Test
    void aLaterVersionAndAFlagOfIt() {
        SnapshotFormatException newer = refusalOf(with(buffer -> buffer.setShort(8, 2)));
        assertEquals(Kind.NEWER, newer.kind());
        assertEquals("the version of a snapshot must be 1 to 1: 2, at byte 8", newer.getMessage());
        assertEquals(
                Kind.NEWER,
                refusalOf(with(buffer -> buffer.setShort(10, 0x8000))).kind());
        assertEquals(
                Kind.DAMAGED, refusalOf(with(buffer -> buffer.setShort(8, 0))).kind());
    }

    @Test
    void slotRangesThatNoStoreWrites() {
        assertEquals(Kind.MALFORMED, refusalOf(headerOf(16_000, 16_384)).kind());
        assertEquals(Kind.MALFORMED, refusalOf(headerOf(7, 6)).kind());
        assertEquals(Kind.MALFORMED, refusalOf(headerOf(0, 6, 7, 8)).kind());
        assertEquals(Kind.MALFORMED, refusalOf(headerOf(10, 12, 0, 3)).kind());
        assertEquals(
                Kind.DAMAGED,
                refusalOf(with(buffer -> buffer.setShort(20, 8_193))).kind());
    }

    @Test
    void chunksThatNoStoreWrites() {
        byte[] key = bytes("{t}1");
        int slot = HashSlot.of(key);
        ByteBuf put = Unpooled.buffer();
        MutationWriter.put(put, key, bytes("v"), KeyValueStore.NO_DEADLINE);
        ByteBuf deletion = Unpooled.buffer();
        MutationWriter.delete(deletion, key);
        ByteBuf other = Unpooled.buffer();
        MutationWriter.put(other, bytes("{u}1"), bytes("v"), KeyValueStore.NO_DEADLINE);

        assertEquals(1, count(withChunk(chunk(slot, put))));
        assertMalformed("a deletion", withChunk(chunk(slot, deletion)));
        assertMalformed("a key of another slot", withChunk(chunk(slot, other)));
        assertMalformed("a slot that is not covered", withChunk(chunk(HashSlot.of(bytes("{u}")), other)));
        assertMalformed("no slot", withChunk(chunk(20_000, put)));
        assertMalformed("a slot without entries", withChunk(chunk(slot, Unpooled.EMPTY_BUFFER)));
        assertMalformed("half a slot", withChunk(Unpooled.buffer().writeShort(slot)));
        assertMalformed("half an entry", withChunk(chunk(slot, put.slice(0, put.readableBytes() - 1))));
        assertMalformed("entries beyond the chunk", withChunk(chunk(slot, put).setInt(2, 100)));
        assertMalformed("a negative length", withChunk(chunk(slot, put).setInt(2, -1)));
    }

    @Test
    void totalsThatAreNotThoseOfTheChunks() {
        assertEquals(
                Kind.DAMAGED,
                refusalOf(resummed(with(b -> b.setLong(b.writerIndex() - 20, 7))))
                        .kind());
        assertEquals(
                Kind.DAMAGED,
                refusalOf(resummed(with(b -> b.setLong(b.writerIndex() - 12, 0))))
                        .kind());
    }

    @Test
    void whatExceedsALimit() {
        assertLimit(LIMITS.withMaxBytes(snapshot.length - 1));
        assertLimit(LIMITS.withMaxBytes(1));
        assertLimit(LIMITS.withMaxEntries(7));
        assertLimit(LIMITS.withMaxKeyLength(3));
        assertLimit(LIMITS.withMaxValueLength(5));
        assertLimit(LIMITS.withMaxChunkLength(16));
        assertEquals(
                8,
                verified(LIMITS.withMaxBytes(snapshot.length)
                        .withMaxEntries(8)
                        .withMaxKeyLength(4)
                        .withMaxValueLength(6)
                        .withMaxChunkLength(80)));
    }

    @Test
    void whatTheStoreWouldNotTake() throws IOException {
        LocalStore narrow = new LocalStore(StoreSettings.defaults().withMaxValueLength(5), 7, new FixedClock(1_000));
        SnapshotFormatException refusal =
                assertThrows(SnapshotFormatException.class, () -> Snapshots.load(narrow, source(snapshot), LIMITS));
        assertEquals(Kind.LIMIT_EXCEEDED, refusal.kind());
        assertFalse(refusal.toString().contains("value0"));
        assertEquals(0, narrow.size());
    }

    @Test
    void aLengthThatIsALieTakesNoMemory() {
        ByteBuf lie = Unpooled.buffer()
                .writeBytes(snapshot, 0, HEADER)
                .writeInt(1 << 30)
                .writeInt(0);
        InputStream source = new SequenceInputStream(
                new ByteArrayInputStream(ByteBufUtil.getBytes(lie)), new ByteArrayInputStream(new byte[1 << 20]));
        SnapshotFormatException refusal =
                assertThrows(SnapshotFormatException.class, () -> Snapshots.verify(source, LIMITS));
        assertEquals(Kind.TRUNCATED, refusal.kind());
    }

    @Test
    void aStreamThatFails() throws IOException {
        InputStream closed = InputStream.nullInputStream();
        closed.close();
        InputStream source =
                new SequenceInputStream(new ByteArrayInputStream(snapshot, 0, snapshot.length - 2), closed);
        assertThrows(IOException.class, () -> Snapshots.load(store, source, LIMITS));
    }

    @Test
    void limitsOutOfRange() {
        assertThrows(IllegalArgumentException.class, () -> LIMITS.withMaxChunkLength(15));
        assertThrows(IllegalArgumentException.class, () -> LIMITS.withMaxChunkLength(Integer.MAX_VALUE));
        assertThrows(IllegalArgumentException.class, () -> LIMITS.withMaxKeyLength(-1));
        assertThrows(IllegalArgumentException.class, () -> LIMITS.withMaxValueLength(-1));
        assertThrows(IllegalArgumentException.class, () -> LIMITS.withMaxEntries(-1));
        assertThrows(IllegalArgumentException.class, () -> LIMITS.withMaxBytes(0));
    }

    private SnapshotFormatException refusalOf(byte[] source) {
        SnapshotFormatException refusal =
                assertThrows(SnapshotFormatException.class, () -> Snapshots.load(store, source(source), LIMITS));
        assertEquals(
                refusal.getMessage(),
                assertThrows(SnapshotFormatException.class, () -> Snapshots.verify(source(source), LIMITS))
                        .getMessage());
        return refusal;
    }

    private void assertMalformed(String what, byte[] source) {
        SnapshotFormatException refusal = refusalOf(source);
        assertEquals(Kind.MALFORMED, refusal.kind(), what);
        assertNotEquals(0, refusal.position(), what);
    }

    private void assertLimit(SnapshotLimits limits) {
        SnapshotFormatException refusal =
                assertThrows(SnapshotFormatException.class, () -> Snapshots.load(store, source(snapshot), limits));
        assertEquals(Kind.LIMIT_EXCEEDED, refusal.kind());
    }

    private long verified(SnapshotLimits limits) {
        try {
            return Snapshots.verify(source(snapshot), limits).entries();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static long count(byte[] source) {
        try {
            return Snapshots.verify(source(source), LIMITS).entries();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private byte[] with(UnaryOperator<ByteBuf> change) {
        return ByteBufUtil.getBytes(change.apply(Unpooled.copiedBuffer(snapshot)));
    }

    private static byte[] resummed(byte[] source) {
        ByteBuf buffer = Unpooled.wrappedBuffer(source);
        int end = source.length - Integer.BYTES;
        return buffer.setInt(end, Checksum.of(buffer, 0, end)).array();
    }

    private static ByteBuf header(int... bounds) {
        ByteBuf header = Unpooled.buffer();
        header.writeLong(SnapshotFormat.MAGIC)
                .writeShort(1)
                .writeShort(0)
                .writeLong(1_000)
                .writeShort(bounds.length / 2);
        for (int bound : bounds) {
            header.writeShort(bound);
        }
        return header.writeInt(Checksum.of(header, 0, header.writerIndex()));
    }

    private static byte[] headerOf(int... bounds) {
        return ByteBufUtil.getBytes(header(bounds));
    }

    private static ByteBuf chunk(int slot, ByteBuf entries) {
        return Unpooled.buffer()
                .writeShort(slot)
                .writeInt(entries.readableBytes())
                .writeBytes(entries.slice());
    }

    /** A whole snapshot of the slot of {@code {t}}, with right checksums and the totals of one entry in one chunk. */
    private static byte[] withChunk(ByteBuf chunk) {
        int slot = HashSlot.of(bytes("{t}"));
        ByteBuf whole = header(slot, slot);
        whole.writeInt(chunk.readableBytes())
                .writeInt(Checksum.of(chunk, 0, chunk.readableBytes()))
                .writeBytes(chunk.slice());
        whole.writeInt(SnapshotFormat.END).writeLong(1).writeLong(1);
        return ByteBufUtil.getBytes(whole.writeInt(Checksum.of(whole, 0, whole.writerIndex())));
    }
}
