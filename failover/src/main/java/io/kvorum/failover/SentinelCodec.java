package io.kvorum.failover;

import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.slots.MalformedMessageException;
import io.kvorum.slots.MalformedMessageException.Reason;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The binary form of what sentinels say to each other and to nodes, and of what nodes answer, for transports and
 * gateways that cross a network.
 *
 * <p>Each message, command or answer is one frame: a header of {@value #HEADER} bytes and a body. The header holds the
 * bytes {@code K} and {@code S}, the version of the form, the type, the length of the body, and the CRC-32C of all of
 * that and the body. Numbers are big-endian. {@link #frameLength} tells a transport where a frame ends in a stream, and
 * {@link #kind} what it is.
 *
 * <p>Whatever they are given, the decoders either return a value or throw {@link MalformedMessageException}. They
 * allocate nothing in proportion to a length that they have not checked against the bytes at hand.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SentinelCodec {
    /** The version of the form that this release writes, and the only one that it reads. */
    public static final int VERSION = 1;

    /** The length of a frame's header, in bytes. */
    public static final int HEADER = 12;

    /** The smallest limit of a frame's length, in bytes. */
    public static final int MIN_LIMIT = 1 << 14;

    private static final int MAGIC = 'K' << 8 | 'S';
    private static final int TYPE_AT = 3;
    private static final int LENGTH_AT = 4;
    private static final int CHECKSUM_AT = 8;

    /** No opinion of a shard is shorter: two identities of one character, three numbers and a flag. */
    private static final int MIN_OPINION = 2 + 8 + 2 + 1 + 8;

    private static final int OPINIONS = 1;
    private static final int PRE_VOTE_REQUEST = 2;
    private static final int PRE_VOTE_ANSWER = 3;
    private static final int VOTE_REQUEST = 4;
    private static final int VOTE_ANSWER = 5;
    private static final int DESCRIBE = 33;
    private static final int FENCE = 34;
    private static final int PROMOTE = 35;
    private static final int BEGIN = 36;
    private static final int FOLLOW = 37;
    private static final int PAUSE = 38;
    private static final int RESUME = 39;
    private static final int REPLACE = 40;
    private static final int ANSWER = 65;

    /** The numbers of refusals are their places in this list, from 1; new ones go to its end. */
    private static final List<Refusal> REFUSALS =
            List.of(Refusal.ALREADY_VOTED, Refusal.STALE_PRIMARY, Refusal.FAILOVER_IN_PROGRESS);

    /** The numbers of outcomes are their places in this list; new ones go to its end. */
    private static final List<Outcome> OUTCOMES = List.of(
            Outcome.DONE,
            Outcome.STALE_EPOCH,
            Outcome.OTHER_HOLDER,
            Outcome.NOT_FENCED,
            Outcome.NOT_COMPLETE,
            Outcome.OTHER_INCARNATION,
            Outcome.WRONG_POSITION,
            Outcome.OTHER_PRIMARY,
            Outcome.NOT_PRIMARY,
            Outcome.ALREADY_BEGUN,
            Outcome.CHANGE_UNDER_WAY,
            Outcome.WRONG_SHARD,
            Outcome.NOT_SAVED,
            Outcome.OVERLOADED,
            Outcome.CLOSED,
            Outcome.NOT_MEMBER);

    /** What a frame holds. */
    public enum Kind {
        /** A message of a sentinel to another. */
        MESSAGE,
        /** A command of a sentinel to a node. */
        COMMAND,
        /** An answer of a node to a sentinel. */
        ANSWER
    }

    private final int maxBytes;
    private final LongAdder refused = new LongAdder();

    /**
     * Creates a codec.
     *
     * @param maxBytes the longest frame that is read or written, in bytes, header included; at least
     *     {@value #MIN_LIMIT}. The opinions of one sentinel take up to 150 bytes for each shard
     * @throws IllegalArgumentException if {@code maxBytes} is too small
     */
    public SentinelCodec(int maxBytes) {
        if (maxBytes < MIN_LIMIT) {
            throw new IllegalArgumentException("maxBytes must be at least " + MIN_LIMIT + ": " + maxBytes);
        }
        this.maxBytes = maxBytes;
    }

    /** {@return the longest frame that is read or written, in bytes} */
    public int maxBytes() {
        return maxBytes;
    }

    /** {@return how many frames this codec has refused} */
    public long refused() {
        return refused.sum();
    }

    /**
     * Encodes a message of a sentinel.
     *
     * @param message the message
     * @return its frame
     * @throws IllegalArgumentException if the frame would be longer than {@link #maxBytes()}
     */
    public byte[] encode(SentinelMessage message) {
        if (message instanceof Opinions opinions) {
            WireWriter writer = begin(OPINIONS).i32(opinions.shards().size());
            for (Opinion opinion : opinions.shards()) {
                writer.primary(opinion.primary())
                        .flag(opinion.subjectivelyDown())
                        .i64(opinion.leadingAttempt());
            }
            return end(writer);
        } else if (message instanceof PreVoteRequest request) {
            return end(begin(PRE_VOTE_REQUEST).primary(request.primary()).i64(request.attempt()));
        } else if (message instanceof PreVoteAnswer answer) {
            return end(
                    refusal(begin(PRE_VOTE_ANSWER).primary(answer.primary()).i64(answer.attempt()), answer.refusal()));
        } else if (message instanceof VoteRequest request) {
            return end(begin(VOTE_REQUEST).primary(request.primary()).i64(request.attempt()));
        } else if (message instanceof VoteAnswer answer) {
            return end(refusal(begin(VOTE_ANSWER).primary(answer.primary()).i64(answer.attempt()), answer.refusal()));
        }
        throw new AssertionError(message);
    }

    private static WireWriter refusal(WireWriter writer, @Nullable Refusal refusal) {
        return writer.u8(refusal == null ? 0 : REFUSALS.indexOf(refusal) + 1);
    }

    /**
     * Encodes a command to a node.
     *
     * @param command the command
     * @return its frame
     */
    public byte[] encode(NodeCommand command) {
        return end(write(begin(type(command)), command));
    }

    /**
     * Encodes an answer of a node.
     *
     * @param answer the answer
     * @return its frame
     */
    public byte[] encode(NodeAnswer answer) {
        WireWriter writer = begin(ANSWER).u8(type(answer.command()));
        write(writer, answer.command()).u8(OUTCOMES.indexOf(answer.outcome()));
        NodeReport report = answer.report();
        writer.node(report.node()).shard(report.shard()).i64(report.incarnation());
        writer.flag(report.primary()).i64(report.epoch()).optionalNode(report.following());
        writer.position(report.position()).i64(report.committed());
        writer.flag(report.complete()).flag(report.begun());
        writer.membership(report.membership()).position(report.membersAt()).nodes(report.joining());
        return end(writer.i32(report.priority()));
    }

    private static int type(NodeCommand command) {
        if (command instanceof NodeCommand.Describe) {
            return DESCRIBE;
        } else if (command instanceof NodeCommand.Fence) {
            return FENCE;
        } else if (command instanceof NodeCommand.Promote) {
            return PROMOTE;
        } else if (command instanceof NodeCommand.Begin) {
            return BEGIN;
        } else if (command instanceof NodeCommand.Follow) {
            return FOLLOW;
        } else if (command instanceof NodeCommand.Pause) {
            return PAUSE;
        } else if (command instanceof NodeCommand.Resume) {
            return RESUME;
        } else if (command instanceof NodeCommand.Replace) {
            return REPLACE;
        }
        throw new AssertionError(command);
    }

    private static WireWriter write(WireWriter writer, NodeCommand command) {
        writer.shard(command.shard());
        if (command instanceof NodeCommand.Describe describe) {
            return writer.i64(describe.nonce());
        } else if (command instanceof NodeCommand.Fence fence) {
            return writer.i64(fence.epoch()).node(fence.holder());
        } else if (command instanceof NodeCommand.Promote promote) {
            return writer.i64(promote.epoch())
                    .node(promote.holder())
                    .i64(promote.incarnation())
                    .position(promote.expected())
                    .i64(promote.committed());
        } else if (command instanceof NodeCommand.Begin begin) {
            return writer.i64(begin.epoch())
                    .node(begin.holder())
                    .members(begin.members())
                    .nodes(begin.joining())
                    .flag(begin.dataLost());
        } else if (command instanceof NodeCommand.Follow follow) {
            return writer.i64(follow.epoch()).node(follow.primary());
        } else if (command instanceof NodeCommand.Pause pause) {
            return writer.i64(pause.epoch()).i64(pause.limit().toNanos());
        } else if (command instanceof NodeCommand.Resume resume) {
            return writer.i64(resume.epoch());
        } else if (command instanceof NodeCommand.Replace replace) {
            return writer.i64(replace.epoch()).node(replace.outgoing()).node(replace.incoming());
        }
        throw new AssertionError(command);
    }

    /**
     * Tells how long the frame is that a buffer begins with.
     *
     * @param buffer the bytes that have arrived; its position and limit stay
     * @return the length of the first frame, header included, of which perhaps not all has arrived; or -1 if too little
     *     has arrived to tell
     * @throws MalformedMessageException if the bytes are no frame, or one that is too long
     */
    public int frameLength(ByteBuffer buffer) {
        if (buffer.remaining() < LENGTH_AT + Integer.BYTES) {
            return -1;
        }
        ByteBuffer bytes = buffer.slice(); // big-endian, whatever the buffer's own order
        if (Short.toUnsignedInt(bytes.getShort(0)) != MAGIC) {
            throw refuse(Reason.NOT_A_MESSAGE, "frame must begin with KS");
        }
        int body = bytes.getInt(LENGTH_AT);
        if (body < 0 || body > maxBytes - HEADER) {
            throw refuse(Reason.TOO_LONG, "frame must have at most " + maxBytes + " bytes: body of " + body);
        }
        return HEADER + body;
    }

    /**
     * Tells what a frame holds, without reading its body.
     *
     * @param frame the frame; its position and limit stay
     * @return what it holds
     * @throws MalformedMessageException if the bytes are no frame of a known type and version
     */
    public Kind kind(ByteBuffer frame) {
        return kindOf(check(frame).get(TYPE_AT));
    }

    private Kind kindOf(int type) {
        if (type >= OPINIONS && type <= VOTE_ANSWER) {
            return Kind.MESSAGE;
        } else if (type >= DESCRIBE && type <= REPLACE) {
            return Kind.COMMAND;
        } else if (type == ANSWER) {
            return Kind.ANSWER;
        }
        throw refuse(Reason.UNKNOWN_TYPE, "type of a frame must be known: " + type);
    }

    /**
     * Decodes a message of a sentinel.
     *
     * @param frame one whole frame; its position and limit stay
     * @return the message
     * @throws MalformedMessageException if the bytes are no message of this version within the limit
     */
    public SentinelMessage decodeMessage(ByteBuffer frame) {
        return decode(frame, Kind.MESSAGE, SentinelCodec::readMessage);
    }

    /**
     * Decodes a command to a node.
     *
     * @param frame one whole frame; its position and limit stay
     * @return the command
     * @throws MalformedMessageException if the bytes are no command of this version within the limit
     */
    public NodeCommand decodeCommand(ByteBuffer frame) {
        return decode(frame, Kind.COMMAND, SentinelCodec::readCommand);
    }

    /**
     * Decodes an answer of a node.
     *
     * @param frame one whole frame; its position and limit stay
     * @return the answer
     * @throws MalformedMessageException if the bytes are no answer of this version within the limit
     */
    public NodeAnswer decodeAnswer(ByteBuffer frame) {
        return decode(frame, Kind.ANSWER, SentinelCodec::readAnswer);
    }

    /** Reads the fields of a type. */
    private interface Fields<T> {
        T read(int type, WireReader body);
    }

    private <T> T decode(ByteBuffer frame, Kind expected, Fields<T> fields) {
        ByteBuffer bytes = check(frame);
        int type = bytes.get(TYPE_AT);
        Kind kind = kindOf(type);
        if (kind != expected) {
            throw refuse(Reason.UNKNOWN_TYPE, "frame must hold a " + expected + ": " + kind);
        }
        WireReader reader = new WireReader(bytes.position(HEADER));
        T value;
        try {
            value = fields.read(type, reader);
        } catch (BufferUnderflowException e) {
            throw refuse(Reason.CUT_OFF, "body must hold all its fields");
        } catch (IllegalArgumentException e) { // of the types, whose rules are those of their fields
            throw refuse(Reason.BAD_FIELD, String.valueOf(e.getMessage()));
        }
        if (reader.remaining() > 0) {
            throw refuse(
                    Reason.BAD_FIELD, "frame must end after its last field: " + reader.remaining() + " bytes more");
        }
        return value;
    }

    /** Checks everything that can be checked without reading the body, and returns the frame from 0 on. */
    private ByteBuffer check(ByteBuffer frame) {
        int length = frameLength(frame);
        int available = frame.remaining();
        if (length < 0 || available < length) {
            throw refuse(Reason.CUT_OFF, "frame must be whole: it has " + available + " bytes");
        }
        ByteBuffer bytes = frame.slice();
        int version = Byte.toUnsignedInt(bytes.get(2));
        if (version != VERSION) {
            throw refuse(Reason.UNKNOWN_VERSION, "version must be " + VERSION + ": " + version);
        }
        if (available > length) {
            throw refuse(Reason.BAD_FIELD, "frame must end with its body: " + (available - length) + " bytes more");
        }
        if (bytes.getInt(CHECKSUM_AT) != checksum(bytes)) {
            throw refuse(Reason.BAD_CHECKSUM, "checksum of a frame must match");
        }
        return bytes;
    }

    private static SentinelMessage readMessage(int type, WireReader body) {
        if (type == OPINIONS) {
            return readOpinions(body);
        }
        ShardPrimary primary = body.primary();
        long attempt = body.i64();
        return switch (type) {
            case PRE_VOTE_REQUEST -> new PreVoteRequest(primary, attempt);
            case PRE_VOTE_ANSWER -> new PreVoteAnswer(primary, attempt, readRefusal(body));
            case VOTE_REQUEST -> new VoteRequest(primary, attempt);
            default -> new VoteAnswer(primary, attempt, readRefusal(body));
        };
    }

    private static Opinions readOpinions(WireReader body) {
        long count = Integer.toUnsignedLong(body.i32());
        if (count * MIN_OPINION > body.remaining()) {
            throw new BufferUnderflowException();
        }
        List<Opinion> opinions = new ArrayList<>((int) count);
        for (int i = 0; i < count; i++) {
            ShardPrimary primary = body.primary();
            boolean down = body.flag();
            opinions.add(new Opinion(primary, down, body.i64()));
        }
        return new Opinions(opinions);
    }

    private static @Nullable Refusal readRefusal(WireReader body) {
        int number = body.u8();
        if (number > REFUSALS.size()) {
            throw new IllegalArgumentException("refusal must be known: " + number);
        }
        return number == 0 ? null : REFUSALS.get(number - 1);
    }

    private static NodeCommand readCommand(int type, WireReader body) {
        ShardId shard = body.shard();
        if (type == DESCRIBE) {
            return new NodeCommand.Describe(shard, body.i64());
        }
        long epoch = body.epoch();
        return switch (type) {
            case FENCE -> new NodeCommand.Fence(shard, epoch, body.node());
            case PROMOTE -> {
                NodeId holder = body.node();
                long incarnation = body.i64();
                LogPosition expected = body.position();
                yield new NodeCommand.Promote(shard, epoch, holder, incarnation, expected, body.i64());
            }
            case BEGIN -> {
                NodeId holder = body.node();
                MemberList members = body.members();
                List<NodeId> joining = body.nodes();
                yield new NodeCommand.Begin(shard, epoch, holder, members, joining, body.flag());
            }
            case FOLLOW -> new NodeCommand.Follow(shard, epoch, body.node());
            case PAUSE -> new NodeCommand.Pause(shard, epoch, Duration.ofNanos(body.i64()));
            case RESUME -> new NodeCommand.Resume(shard, epoch);
            case REPLACE -> {
                NodeId outgoing = body.node();
                yield new NodeCommand.Replace(shard, epoch, outgoing, body.node());
            }
            default -> throw new IllegalArgumentException("command must be known: " + type);
        };
    }

    private static NodeAnswer readAnswer(int type, WireReader body) {
        NodeCommand command = readCommand(body.u8(), body);
        Outcome outcome = body.constant(OUTCOMES);
        NodeId node = body.node();
        ShardId shard = body.shard();
        long incarnation = body.i64();
        boolean primary = body.flag();
        long epoch = body.epoch();
        NodeId following = body.optionalNode();
        LogPosition position = body.position();
        long committed = body.i64();
        boolean complete = body.flag();
        boolean begun = body.flag();
        NodeReport report = new NodeReport(
                node,
                shard,
                incarnation,
                primary,
                epoch,
                following,
                position,
                committed,
                complete,
                begun,
                body.membership(),
                body.position(),
                body.nodes(),
                body.i32());
        return new NodeAnswer(command, outcome, report);
    }

    private static WireWriter begin(int type) {
        return new WireWriter().u16(MAGIC).u8(VERSION).u8(type).i64(0);
    }

    private byte[] end(WireWriter writer) {
        int length = writer.position();
        if (length > maxBytes) {
            throw new IllegalArgumentException("frame must have at most " + maxBytes + " bytes: it has " + length);
        }
        writer.setI32(LENGTH_AT, length - HEADER);
        byte[] frame = writer.toArray();
        ByteBuffer bytes = ByteBuffer.wrap(frame);
        bytes.putInt(CHECKSUM_AT, checksum(bytes));
        return frame;
    }

    private static int checksum(ByteBuffer frame) {
        CRC32C crc = new CRC32C();
        if (frame.hasArray()) {
            crc.update(frame.array(), frame.arrayOffset(), CHECKSUM_AT);
            crc.update(frame.array(), frame.arrayOffset() + HEADER, frame.limit() - HEADER);
        } else {
            crc.update(frame.slice(0, CHECKSUM_AT));
            crc.update(frame.slice(HEADER, frame.limit() - HEADER));
        }
        return (int) crc.getValue();
    }

    private MalformedMessageException refuse(Reason reason, String message) {
        refused.increment();
        return new MalformedMessageException(reason, message);
    }
}
