package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.replication.ReplicationMessage.Heartbeat;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationMessage.StaleEpoch;
import io.kvorum.replication.ReplicationMessage.SyncEnd;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.slots.MalformedMessageException;
import io.kvorum.slots.MalformedMessageException.Reason;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The binary form of replication messages. */
final class ReplicationCodecTest {
    private static final int LIMIT = 1 << 16;
    private static final ShardId SHARD = new ShardId("shard-1");
    private static final long EPOCH = Epoch.of(7, 2);
    private static final Member A = new Member(new NodeId("a"), 11);
    private static final Member B = new Member(new NodeId("b"), -12);
    private static final LogPosition POSITION = new LogPosition(Epoch.of(6, 1), 123_456_789_012L);

    private final ReplicationCodec codec = new ReplicationCodec(LIMIT);

    /** One message of each kind, and of each shape of a kind. */
    private static Map<String, ReplicationMessage> messages() {
        Map<String, ReplicationMessage> messages = new LinkedHashMap<>();
        messages.put("heartbeat", new Heartbeat(SHARD, EPOCH, 41, POSITION, -1));
        messages.put("append", new Append(SHARD, EPOCH, 42, POSITION, 99, bytes("records")));
        messages.put(
                "part", new SnapshotPart(SHARD, EPOCH, 43, 11, 3, 5, 0, POSITION, null, bytes(""), bytes("entries")));
        LogHistory history =
                LogHistory.of(List.of(new LogHistory.Leadership(Epoch.of(6, 1), 0), leadership(Epoch.of(7, 2), 50)));
        messages.put(
                "last-part",
                new SnapshotPart(SHARD, EPOCH, 44, 11, 3, 5, 1, POSITION, end(history), bytes("r"), bytes("")));
        messages.put("ack", new Ack(SHARD, EPOCH, 45, -12, 4, POSITION, true, Taken.TAKEN, 0, 0));
        messages.put("refusing-ack", new Ack(SHARD, EPOCH, 46, -12, 4, POSITION, false, Taken.UNKNOWN_KIND, 5, 2));
        messages.put("stale-epoch", new StaleEpoch(SHARD, EPOCH));
        return messages;
    }

    private static LogHistory.Leadership leadership(long epoch, long firstOffset) {
        return new LogHistory.Leadership(epoch, firstOffset);
    }

    private static SyncEnd end(LogHistory history) {
        MemberList current = new MemberList(List.of(A, B));
        return new SyncEnd(
                history,
                new LogMembers(
                        current,
                        new LogPosition(Epoch.of(2, 1), 77),
                        new MemberList(List.of(A)),
                        List.of(new NodeId("c"))));
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
    }

    @Test
    void everyKindOfMessageIsReadAsItWasWritten() {
        Set<String> kinds = new TreeSet<>();
        messages().forEach((name, message) -> {
            kinds.add(message.getClass().getSimpleName());
            ByteBuf frame = frame(message);
            ReplicationMessage decoded = codec.decode(frame);
            assertEquals(message, decoded, name);
            assertEquals(frame.readableBytes(), codec.frameLength(frame), name);
            decoded.release();
            message.release();
            assertEquals(1, frame.refCnt(), name);
            frame.release();
        });
        assertEquals(concreteKinds(ReplicationMessage.class), kinds);
    }

    @Test
    void everyAnswerIsReadAsItWasWritten() {
        for (Taken taken : Taken.values()) {
            Ack ack = new Ack(SHARD, EPOCH, 45, -12, 4, POSITION, true, taken, 0, 0);
            assertEquals(ack, codec.decode(frame(ack)));
        }
    }

    private static Set<String> concreteKinds(Class<?> type) {
        Set<String> kinds = new TreeSet<>();
        for (Class<?> each : type.getPermittedSubclasses()) {
            if (each.isRecord()) {
                kinds.add(each.getSimpleName());
            } else {
                kinds.addAll(concreteKinds(each));
            }
        }
        return kinds;
    }

    /** A release must read what another one of the same version has written. */
    @Test
    void theFormStaysAsItIs() throws IOException {
        String actual = messages().entrySet().stream()
                .map(entry -> entry.getKey() + " " + ByteBufUtil.hexDump(frame(entry.getValue())) + "\n")
                .collect(Collectors.joining());
        try (InputStream golden = ReplicationCodecTest.class.getResourceAsStream("/codec/replication-1.txt")) {
            assertNotNull(golden, actual);
            assertEquals(new String(golden.readAllBytes(), StandardCharsets.US_ASCII), actual);
        }
    }

    @Test
    void aDecodedMessageSharesTheMemoryOfItsFrame() {
        ByteBuf frame = frame(message("append"));
        Append decoded = (Append) codec.decode(frame);
        frame.release();
        assertEquals(1, decoded.records().refCnt());
        assertEquals("records", decoded.records().toString(StandardCharsets.US_ASCII));
        decoded.release();
        assertEquals(0, frame.refCnt());
    }

    @Test
    void aDirectAndACompositeFrameAreReadToo() {
        messages().forEach((name, message) -> {
            ByteBuf heap = frame(message);
            ByteBuf direct = ByteBufAllocator.DEFAULT.directBuffer().writeBytes(heap, 0, heap.writerIndex());
            ByteBuf composite = Unpooled.wrappedBuffer(heap.copy(0, 9), heap.copy(9, heap.writerIndex() - 9));
            for (ByteBuf frame : List.of(direct, composite)) {
                ReplicationMessage decoded = codec.decode(frame);
                assertEquals(message, decoded, name);
                decoded.release();
                frame.release();
            }
        });
    }

    @Test
    void aFlippedBitIsRefused() {
        messages().forEach((name, message) -> {
            ByteBuf frame = frame(message);
            for (int bit = 0; bit < frame.readableBytes() * 8; bit++) {
                ByteBuf damaged = frame.copy();
                damaged.setByte(bit / 8, damaged.getByte(bit / 8) ^ 1 << bit % 8);
                String at = name + " with bit " + bit + " flipped";
                assertThrows(MalformedMessageException.class, () -> codec.decode(damaged), at);
                assertEquals(1, damaged.refCnt(), at);
            }
        });
        assertTrue(codec.refused() > 0);
    }

    @Test
    void aFrameThatIsCutOffAnywhereIsRefused() {
        messages().forEach((name, message) -> {
            ByteBuf frame = frame(message);
            for (int length = 0; length < frame.readableBytes(); length++) {
                assertEquals(Reason.CUT_OFF, refusal(frame.slice(0, length)), name + " cut to " + length);
            }
        });
    }

    @Test
    void aBodyThatIsCutOffAnywhereIsRefusedAlthoughItsChecksumMatches() {
        messages().forEach((name, message) -> {
            ByteBuf frame = frame(message);
            for (int length = ReplicationCodec.HEADER; length < frame.readableBytes(); length++) {
                ByteBuf shorter = sealed(frame.copy(0, length));
                assertThrows(MalformedMessageException.class, () -> codec.decode(shorter), name + " cut to " + length);
                assertEquals(1, shorter.refCnt());
            }
        });
    }

    @Test
    void bytesAfterTheLastFieldAreRefused() {
        messages().forEach((name, message) -> {
            ByteBuf longer = sealed(frame(message).writeByte(0));
            assertEquals(Reason.BAD_FIELD, refusal(longer), name);
            ByteBuf followed = frame(message).writeByte(0);
            assertEquals(Reason.BAD_FIELD, refusal(followed), name);
        });
    }

    @Test
    void alienBytesAndOtherVersionsAndTypesAreToldApart() {
        ByteBuf frame = frame(message("ack"));
        assertEquals(Reason.NOT_A_MESSAGE, refusal(frame.copy().setByte(0, 'X')));
        assertEquals(Reason.UNKNOWN_VERSION, refusal(sealed(frame.copy().setByte(2, 2))));
        assertEquals(Reason.UNKNOWN_TYPE, refusal(sealed(frame.copy().setByte(3, 99))));
    }

    @Test
    void aLengthAboveTheLimitIsRefusedBeforeItsBytesArrive() {
        ByteBuf frame = frame(message("append"));
        ByteBuf header = frame.copy(0, 8).setInt(4, LIMIT - ReplicationCodec.HEADER + 1);
        assertEquals(
                Reason.TOO_LONG,
                assertThrows(MalformedMessageException.class, () -> codec.frameLength(header))
                        .reason());
        header.setInt(4, LIMIT - ReplicationCodec.HEADER);
        assertEquals(LIMIT, codec.frameLength(header));
        header.setInt(4, -1);
        assertThrows(MalformedMessageException.class, () -> codec.frameLength(header));
        assertEquals(-1, codec.frameLength(frame.slice(0, 7)));
    }

    @Test
    void aMessageAboveTheLimitIsNotWritten() {
        ByteBuf target = Unpooled.buffer().writeByte(1);
        Append large = new Append(SHARD, EPOCH, 1, POSITION, 0, Unpooled.wrappedBuffer(new byte[LIMIT]));
        assertThrows(IllegalArgumentException.class, () -> codec.encode(large, target));
        assertEquals(1, target.readableBytes());
    }

    @Test
    void aCountWithoutItsItemsAllocatesNothing() {
        ByteBuf frame = frame(message("last-part"));
        int countAt = ByteBufUtil.indexOf(Unpooled.buffer().writeShort(2).writeLong(Epoch.of(6, 1)), frame);
        assertTrue(countAt > 0);
        assertEquals(Reason.CUT_OFF, refusal(sealed(frame.setShort(countAt, 0xffff))));
    }

    /** Each run decodes a damaged message whose checksum was put right, so that the fields are reached. */
    @Test
    void whateverItIsGivenItRefusesOrReads() {
        long runs = Long.getLong("kvorum.codec.runs", 200_000);
        long seed = Long.getLong("kvorum.codec.seed", 1);
        SplittableRandom random = new SplittableRandom(seed);
        List<ByteBuf> frames = messages().values().stream().map(this::frame).toList();
        long read = 0;
        for (long run = 0; run < runs; run++) {
            ByteBuf frame = frames.get(random.nextInt(frames.size())).copy();
            for (int i = random.nextInt(4); i >= 0; i--) {
                damage(frame, random);
            }
            ByteBuf input = random.nextInt(8) == 0 ? frame : sealed(frame);
            try {
                ReplicationMessage message = codec.decode(input);
                ByteBuf again = frame(message);
                ReplicationMessage same = codec.decode(again);
                assertEquals(message, same);
                same.release();
                message.release();
                read++;
            } catch (MalformedMessageException expected) {
                assertNotNull(expected.reason());
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ", run " + run + ": " + ByteBufUtil.hexDump(input), e);
            }
            assertEquals(1, input.refCnt());
        }
        assertTrue(read > 0);
        assertEquals(runs - read, codec.refused());
    }

    private static void damage(ByteBuf frame, SplittableRandom random) {
        int length = frame.readableBytes();
        if (length == 0) {
            return;
        }
        int at = random.nextInt(length);
        switch (random.nextInt(5)) {
            case 0 -> frame.setByte(at, random.nextInt());
            case 1 -> frame.setByte(at, frame.getByte(at) ^ 1 << random.nextInt(8));
            case 2 -> frame.writerIndex(at);
            case 3 -> {
                if (length - at >= Integer.BYTES) {
                    frame.setInt(at, random.nextInt());
                }
            }
            default -> frame.writeByte(random.nextInt());
        }
    }

    private static ReplicationMessage message(String name) {
        return Objects.requireNonNull(messages().get(name), name);
    }

    private ByteBuf frame(ReplicationMessage message) {
        ByteBuf frame = Unpooled.buffer();
        codec.encode(message, frame);
        return frame;
    }

    /** Puts length and checksum right after a change. */
    private static ByteBuf sealed(ByteBuf frame) {
        int length = frame.readableBytes();
        if (length >= ReplicationCodec.HEADER) {
            frame.setInt(4, length - ReplicationCodec.HEADER);
            frame.setInt(8, Fields.checksum(frame, 0, length, 8));
        }
        return frame;
    }

    private Reason refusal(ByteBuf frame) {
        MalformedMessageException refused = assertThrows(
                MalformedMessageException.class, () -> codec.decode(frame).release());
        return refused.reason();
    }
}
