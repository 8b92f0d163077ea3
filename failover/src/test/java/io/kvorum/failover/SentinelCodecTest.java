package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.slots.MalformedMessageException;
import io.kvorum.slots.MalformedMessageException.Reason;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** The binary form of messages, commands and answers of sentinels. */
final class SentinelCodecTest {
    private static final int LIMIT = 1 << 16;
    private static final ShardId SHARD = new ShardId("shard-1");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId SENTINEL = new NodeId("s2");
    private static final long EPOCH = Epoch.of(7, 2);
    private static final LogPosition POSITION = new LogPosition(Epoch.of(6, 1), 123_456_789_012L);
    private static final LogPosition MEMBERS_AT = new LogPosition(Epoch.of(5, 1), 4_000);
    private static final ShardPrimary PRIMARY = new ShardPrimary(SHARD, 1, EPOCH, A);
    private static final MemberList MEMBERS = new MemberList(List.of(new Member(A, 11), new Member(B, -12)));

    private final SentinelCodec codec = new SentinelCodec(LIMIT);

    /** One of each kind, and of each shape of a kind. */
    private static Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        ShardPrimary other = new ShardPrimary(new ShardId("shard-2"), 1, 0, B);
        values.put("opinions", new Opinions(List.of(new Opinion(PRIMARY, true, 0), new Opinion(other, false, -5))));
        values.put("no-opinion", new Opinions(List.of()));
        values.put("pre-vote-request", new PreVoteRequest(PRIMARY, 91));
        values.put("pre-vote", new PreVoteAnswer(PRIMARY, 92, null));
        values.put("pre-vote-refused", new PreVoteAnswer(PRIMARY, 93, Refusal.FAILOVER_IN_PROGRESS));
        values.put("vote-request", new VoteRequest(PRIMARY, 94));
        values.put("vote", new VoteAnswer(PRIMARY, 95, null));
        values.put("vote-refused", new VoteAnswer(PRIMARY, 96, Refusal.ALREADY_VOTED));
        for (NodeCommand command : commands()) {
            values.put(command.getClass().getSimpleName().toLowerCase(Locale.ROOT), command);
        }
        for (NodeCommand command : commands()) {
            Membership membership = new Membership(MEMBERS, null);
            NodeReport report = new NodeReport(
                    A, SHARD, 11, true, EPOCH, null, POSITION, 41, true, true, membership, MEMBERS_AT, List.of(B), 100);
            String name = command.getClass().getSimpleName().toLowerCase(Locale.ROOT);
            values.put(name + "-answer", new NodeAnswer(command, NodeAnswer.Outcome.DONE, report));
        }
        NodeReport fresh = new NodeReport(
                B,
                SHARD,
                -12,
                false,
                0,
                null,
                LogPosition.START,
                -1,
                false,
                false,
                null,
                LogPosition.START,
                List.of(),
                0);
        values.put("fresh", new NodeAnswer(commands().get(0), NodeAnswer.Outcome.NOT_SAVED, fresh));
        Membership joint = new Membership(MEMBERS, new MemberList(List.of(new Member(A, 11))));
        NodeReport follower = new NodeReport(
                B, SHARD, -12, false, EPOCH, A, POSITION, -1, true, true, joint, MEMBERS_AT, List.of(), 1);
        values.put("follower", new NodeAnswer(commands().get(1), NodeAnswer.Outcome.STALE_EPOCH, follower));
        return values;
    }

    @Test
    void everyOutcomeAndRefusalIsReadAsItWasWritten() {
        NodeReport report = new NodeReport(
                A,
                SHARD,
                11,
                false,
                0,
                null,
                LogPosition.START,
                -1,
                false,
                false,
                null,
                LogPosition.START,
                List.of(),
                0);
        for (NodeAnswer.Outcome outcome : NodeAnswer.Outcome.values()) {
            NodeAnswer answer = new NodeAnswer(commands().get(0), outcome, report);
            assertEquals(answer, codec.decodeAnswer(ByteBuffer.wrap(codec.encode(answer))));
        }
        for (Refusal refusal : Refusal.values()) {
            VoteAnswer answer = new VoteAnswer(PRIMARY, 1, refusal);
            assertEquals(answer, codec.decodeMessage(ByteBuffer.wrap(codec.encode(answer))));
        }
    }

    private static List<NodeCommand> commands() {
        return List.of(
                new NodeCommand.Describe(SHARD, -1),
                new NodeCommand.Fence(SHARD, EPOCH, SENTINEL),
                new NodeCommand.Promote(SHARD, EPOCH, SENTINEL, 11, POSITION, 41),
                new NodeCommand.Begin(SHARD, EPOCH, SENTINEL, MEMBERS, List.of(new NodeId("c")), true),
                new NodeCommand.Follow(SHARD, EPOCH, A),
                new NodeCommand.Pause(SHARD, EPOCH, Duration.ofMillis(250)),
                new NodeCommand.Resume(SHARD, EPOCH),
                new NodeCommand.Replace(SHARD, EPOCH, A, B));
    }

    @Test
    void everyKindIsReadAsItWasWritten() {
        Set<String> kinds = new TreeSet<>();
        values().forEach((name, value) -> {
            kinds.add(value.getClass().getSimpleName());
            ByteBuffer frame = ByteBuffer.wrap(frame(value));
            assertEquals(value, decode(frame), name);
            assertEquals(frame.remaining(), codec.frameLength(frame), name);
        });
        Set<String> expected = concreteKinds(SentinelMessage.class);
        expected.addAll(concreteKinds(NodeCommand.class));
        expected.add(NodeAnswer.class.getSimpleName());
        assertEquals(expected, kinds);
    }

    private static Set<String> concreteKinds(Class<?> type) {
        Set<String> kinds = new TreeSet<>();
        for (Class<?> each : type.getPermittedSubclasses()) {
            if (each.isRecord()) {
                if (!each.equals(Opinion.class)) {
                    kinds.add(each.getSimpleName());
                }
            } else {
                kinds.addAll(concreteKinds(each));
            }
        }
        return kinds;
    }

    /** A release must read what another one of the same version has written. */
    @Test
    void theFormStaysAsItIs() throws IOException {
        String actual = values().entrySet().stream()
                .map(entry -> entry.getKey() + " " + HexFormat.of().formatHex(frame(entry.getValue())) + "\n")
                .collect(Collectors.joining());
        if (System.getProperty("traces.rewrite") != null) {
            Files.writeString(Path.of("src/test/resources/codec/sentinel-1.txt"), actual);
            return;
        }
        try (InputStream golden = SentinelCodecTest.class.getResourceAsStream("/codec/sentinel-1.txt")) {
            assertNotNull(golden, actual);
            assertEquals(new String(golden.readAllBytes(), StandardCharsets.US_ASCII), actual);
        }
    }

    @Test
    void aFrameIsReadWhereverItLiesInABuffer() {
        values().forEach((name, value) -> {
            byte[] frame = frame(value);
            ByteBuffer direct = ByteBuffer.allocateDirect(frame.length + 7).position(5);
            direct.put(frame).flip().position(5);
            assertEquals(value, decode(direct), name);
            assertEquals(5, direct.position());
        });
    }

    @Test
    void aFlippedBitIsRefused() {
        values().forEach((name, value) -> {
            byte[] frame = frame(value);
            for (int bit = 0; bit < frame.length * 8; bit++) {
                byte[] damaged = frame.clone();
                damaged[bit / 8] ^= (byte) (1 << bit % 8);
                assertThrows(
                        MalformedMessageException.class,
                        () -> decode(ByteBuffer.wrap(damaged)),
                        name + " with bit " + bit + " flipped");
            }
        });
    }

    @Test
    void aFrameThatIsCutOffAnywhereIsRefused() {
        values().forEach((name, value) -> {
            byte[] frame = frame(value);
            for (int length = 0; length < frame.length; length++) {
                assertEquals(Reason.CUT_OFF, refusal(Arrays.copyOf(frame, length)), name + " cut to " + length);
                byte[] shorter = sealed(Arrays.copyOf(frame, length));
                assertThrows(MalformedMessageException.class, () -> decode(ByteBuffer.wrap(shorter)), name);
            }
        });
    }

    @Test
    void bytesAfterTheLastFieldAreRefused() {
        values().forEach((name, value) -> {
            byte[] longer = Arrays.copyOf(frame(value), frame(value).length + 1);
            assertEquals(Reason.BAD_FIELD, refusal(longer), name);
            assertEquals(Reason.BAD_FIELD, refusal(sealed(longer)), name);
        });
    }

    @Test
    void alienBytesAndOtherVersionsAndTypesAreToldApart() {
        byte[] frame = frame(new VoteRequest(PRIMARY, 1));
        assertEquals(Reason.NOT_A_MESSAGE, refusal(with(frame, 0, 'X')));
        assertEquals(Reason.UNKNOWN_VERSION, refusal(sealed(with(frame, 2, 2))));
        assertEquals(Reason.UNKNOWN_TYPE, refusal(sealed(with(frame, 3, 32))));
        ByteBuffer whole = ByteBuffer.wrap(frame);
        assertThrows(MalformedMessageException.class, () -> codec.decodeCommand(whole));
        assertThrows(MalformedMessageException.class, () -> codec.decodeAnswer(whole));
    }

    @Test
    void aLengthAboveTheLimitIsRefusedBeforeItsBytesArrive() {
        byte[] header = Arrays.copyOf(frame(new VoteRequest(PRIMARY, 1)), 8);
        ByteBuffer buffer = ByteBuffer.wrap(header);
        buffer.putInt(4, LIMIT - SentinelCodec.HEADER);
        assertEquals(LIMIT, codec.frameLength(buffer));
        buffer.putInt(4, LIMIT - SentinelCodec.HEADER + 1);
        assertThrows(MalformedMessageException.class, () -> codec.frameLength(buffer));
        buffer.putInt(4, -1);
        assertThrows(MalformedMessageException.class, () -> codec.frameLength(buffer));
        assertEquals(-1, codec.frameLength(buffer.limit(7)));
    }

    @Test
    void aMessageAboveTheLimitIsNotWritten() {
        List<Opinion> opinions = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            opinions.add(new Opinion(new ShardPrimary(new ShardId("shard-" + i), 1, EPOCH, A), false, 0));
        }
        assertThrows(IllegalArgumentException.class, () -> codec.encode(new Opinions(opinions)));
    }

    /** Each run decodes a damaged frame whose checksum was put right, so that the fields are reached. */
    @Test
    void whateverItIsGivenItRefusesOrReads() {
        long runs = Long.getLong("kvorum.codec.runs", 200_000);
        long seed = Long.getLong("kvorum.codec.seed", 1);
        SplittableRandom random = new SplittableRandom(seed);
        List<byte[]> frames = values().values().stream().map(this::frame).toList();
        long read = 0;
        for (long run = 0; run < runs; run++) {
            byte[] input = frames.get(random.nextInt(frames.size()));
            for (int i = random.nextInt(4); i >= 0; i--) {
                input = damaged(input, random);
            }
            input = random.nextInt(8) == 0 ? input : sealed(input);
            try {
                Object value = decode(ByteBuffer.wrap(input));
                assertEquals(value, decode(ByteBuffer.wrap(frame(value))));
                read++;
            } catch (MalformedMessageException expected) {
                assertNotNull(expected.reason());
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed " + seed + ", run " + run + ": " + HexFormat.of().formatHex(input), e);
            }
        }
        assertTrue(read > 0);
        assertEquals(runs - read, codec.refused());
    }

    private static byte[] damaged(byte[] frame, SplittableRandom random) {
        if (frame.length == 0) {
            return frame;
        }
        int at = random.nextInt(frame.length);
        return switch (random.nextInt(4)) {
            case 0 -> with(frame, at, random.nextInt());
            case 1 -> with(frame, at, frame[at] ^ 1 << random.nextInt(8));
            case 2 -> Arrays.copyOf(frame, at);
            default -> with(Arrays.copyOf(frame, frame.length + 1), frame.length, random.nextInt());
        };
    }

    private static byte[] with(byte[] frame, int at, int value) {
        byte[] changed = frame.clone();
        changed[at] = (byte) value;
        return changed;
    }

    private byte[] frame(Object value) {
        if (value instanceof SentinelMessage message) {
            return codec.encode(message);
        } else if (value instanceof NodeCommand command) {
            return codec.encode(command);
        }
        return codec.encode((NodeAnswer) value);
    }

    private Object decode(ByteBuffer frame) {
        return switch (codec.kind(frame)) {
            case MESSAGE -> codec.decodeMessage(frame);
            case COMMAND -> codec.decodeCommand(frame);
            case ANSWER -> codec.decodeAnswer(frame);
        };
    }

    /** Puts length and checksum right after a change. */
    private static byte[] sealed(byte[] frame) {
        if (frame.length < SentinelCodec.HEADER) {
            return frame;
        }
        byte[] sealed = frame.clone();
        ByteBuffer bytes = ByteBuffer.wrap(sealed).putInt(4, frame.length - SentinelCodec.HEADER);
        CRC32C crc = new CRC32C();
        crc.update(sealed, 0, 8);
        crc.update(sealed, SentinelCodec.HEADER, frame.length - SentinelCodec.HEADER);
        bytes.putInt(8, (int) crc.getValue());
        return sealed;
    }

    private Reason refusal(byte[] frame) {
        return assertThrows(MalformedMessageException.class, () -> decode(ByteBuffer.wrap(frame)))
                .reason();
    }

    @Test
    void theSameValueHasTheSameBytes() {
        assertArrayEquals(frame(new VoteRequest(PRIMARY, 1)), frame(new VoteRequest(PRIMARY, 1)));
    }
}
