package io.kvorum.replication;

import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.replication.ReplicationMessage.Heartbeat;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationMessage.StaleEpoch;
import io.kvorum.replication.ReplicationMessage.SyncEnd;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.slots.MalformedMessageException;
import io.kvorum.slots.MalformedMessageException.Reason;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * The binary form of replication messages, for transports that cross a network.
 *
 * <p>A message is one frame: a header of {@value #HEADER} bytes and a body. The header holds the bytes {@code K} and
 * {@code R}, the version of the form, the type of the message, the length of the body, and the CRC-32C of all of that
 * and the body. Numbers are big-endian. {@link #frameLength} tells a transport where a frame ends in a stream.
 *
 * <p>Whatever it is given, {@link #decode} either returns a message or throws {@link MalformedMessageException}. It
 * allocates nothing in proportion to a length that it has not checked against the bytes at hand. Records and snapshot
 * entries are not copied: they are slices of the frame. What is in them is checked by the {@link ShardNode} that takes
 * the message.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ReplicationCodec {
    /** The version of the form that this release writes, and the only one that it reads. */
    public static final int VERSION = 1;

    /** The length of a frame's header, in bytes. */
    public static final int HEADER = 12;

    /** The smallest limit of a frame's length, in bytes. */
    public static final int MIN_LIMIT = 1 << 10;

    private static final int MAGIC = 'K' << 8 | 'R';
    private static final int LENGTH_AT = 4;
    private static final int CHECKSUM_AT = 8;

    private static final int HEARTBEAT = 1;
    private static final int APPEND = 2;
    private static final int SNAPSHOT_PART = 3;
    private static final int ACK = 4;
    private static final int STALE_EPOCH = 5;

    /** The numbers of these answers are their places in this list; new ones go to its end. */
    private static final List<Taken> TAKEN = List.of(
            Taken.TAKEN, Taken.GAP, Taken.NOT_COMPLETE, Taken.OTHER_LIFE, Taken.NOT_APPLIED, Taken.UNKNOWN_KIND);

    private final int maxBytes;
    private final LongAdder refused = new LongAdder();

    /**
     * Creates a codec.
     *
     * @param maxBytes the longest frame that is read or written, in bytes, header included; at least
     *     {@value #MIN_LIMIT}. A primary's messages carry up to {@link ReplicationSettings#batchBytes} of records, or
     *     one record whatever its size, and as much of snapshot entries
     * @throws IllegalArgumentException if {@code maxBytes} is too small
     */
    public ReplicationCodec(int maxBytes) {
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
     * Appends a message to a buffer, as one frame.
     *
     * @param message the message; borrowed, its buffers' indexes stay
     * @param target receives the frame; borrowed, its writer index moves by the length of the frame
     * @throws IllegalArgumentException if the frame would be longer than {@link #maxBytes()}; the target is unchanged
     */
    public void encode(ReplicationMessage message, ByteBuf target) {
        int start = target.writerIndex();
        target.writeShort(MAGIC).writeByte(VERSION).writeByte(type(message)).writeLong(0);
        Fields.writeId(target, message.shard().value());
        target.writeLong(message.epoch());
        if (message instanceof Heartbeat heartbeat) {
            target.writeLong(heartbeat.sequence());
            Fields.writePosition(target, heartbeat.end());
            target.writeLong(heartbeat.committed());
        } else if (message instanceof Append append) {
            target.writeLong(append.sequence());
            Fields.writePosition(target, append.previous());
            target.writeLong(append.committed());
            Fields.writeBytes(target, append.records());
        } else if (message instanceof SnapshotPart part) {
            encode(part, target);
        } else if (message instanceof Ack ack) {
            target.writeLong(ack.sequence()).writeLong(ack.incarnation()).writeLong(ack.life());
            Fields.writePosition(target, ack.position());
            target.writeBoolean(ack.complete()).writeByte(TAKEN.indexOf(ack.taken()));
            target.writeLong(ack.sync()).writeInt(ack.nextPart());
        } else if (!(message instanceof StaleEpoch)) {
            throw new AssertionError(message);
        }
        int length = target.writerIndex() - start;
        if (length > maxBytes) {
            target.writerIndex(start);
            throw new IllegalArgumentException("a message must have at most " + maxBytes + " bytes: it has " + length);
        }
        target.setInt(start + LENGTH_AT, length - HEADER);
        target.setInt(start + CHECKSUM_AT, Fields.checksum(target, start, length, CHECKSUM_AT));
    }

    private static int type(ReplicationMessage message) {
        if (message instanceof Heartbeat) {
            return HEARTBEAT;
        } else if (message instanceof Append) {
            return APPEND;
        } else if (message instanceof SnapshotPart) {
            return SNAPSHOT_PART;
        } else if (message instanceof Ack) {
            return ACK;
        } else if (message instanceof StaleEpoch) {
            return STALE_EPOCH;
        }
        throw new AssertionError(message);
    }

    private static void encode(SnapshotPart part, ByteBuf target) {
        target.writeLong(part.sequence()).writeLong(part.incarnation()).writeLong(part.life());
        target.writeLong(part.sync()).writeInt(part.part());
        Fields.writePosition(target, part.start());
        SyncEnd end = part.end();
        target.writeBoolean(end != null);
        if (end != null) {
            Fields.writeHistory(target, end.history());
            Fields.writeMembers(target, end.members());
        }
        Fields.writeBytes(target, part.records());
        Fields.writeBytes(target, part.entries());
    }

    /**
     * Tells how long the frame is that a buffer begins with.
     *
     * @param buffer the bytes that have arrived; borrowed, its indexes stay
     * @return the length of the first frame, header included, of which perhaps not all has arrived; or -1 if too little
     *     has arrived to tell
     * @throws MalformedMessageException if the bytes are no frame, or one that is too long
     */
    public int frameLength(ByteBuf buffer) {
        if (buffer.readableBytes() < LENGTH_AT + Integer.BYTES) {
            return -1;
        }
        int start = buffer.readerIndex();
        if (buffer.getUnsignedShort(start) != MAGIC) {
            throw refuse(Reason.NOT_A_MESSAGE, "a frame must begin with KR");
        }
        int body = buffer.getInt(start + LENGTH_AT);
        if (body < 0 || body > maxBytes - HEADER) {
            throw refuse(Reason.TOO_LONG, "a frame must have at most " + maxBytes + " bytes: body of " + body);
        }
        return HEADER + body;
    }

    /**
     * Reads one frame.
     *
     * @param frame the readable bytes are one whole frame; borrowed, its indexes stay. Must not change as long as the
     *     message is in use
     * @return the message; its buffers are retained slices of the frame, which the caller owns as it would own those of
     *     any other message
     * @throws MalformedMessageException if the bytes are no message of this version within the limit
     */
    public ReplicationMessage decode(ByteBuf frame) {
        int length = frameLength(frame);
        int available = frame.readableBytes();
        if (length < 0 || available < length) {
            throw refuse(Reason.CUT_OFF, "a frame must be whole: it has " + available + " bytes");
        }
        int start = frame.readerIndex();
        int version = frame.getUnsignedByte(start + 2);
        if (version != VERSION) {
            throw refuse(Reason.UNKNOWN_VERSION, "version must be " + VERSION + ": " + version);
        }
        if (available > length) {
            throw refuse(Reason.BAD_FIELD, "a frame must end with its body: " + (available - length) + " bytes more");
        }
        if (frame.getInt(start + CHECKSUM_AT) != Fields.checksum(frame, start, length, CHECKSUM_AT)) {
            throw refuse(Reason.BAD_CHECKSUM, "the checksum of a frame must match");
        }
        ByteBuf body = frame.slice(start + HEADER, length - HEADER);
        try {
            return decode(frame.getUnsignedByte(start + 3), body);
        } catch (IndexOutOfBoundsException e) {
            throw refuse(Reason.CUT_OFF, "a body must hold all its fields");
        } catch (IllegalArgumentException e) { // of the types, whose rules are those of their fields
            throw refuse(Reason.BAD_FIELD, String.valueOf(e.getMessage()));
        } catch (MalformedMessageException e) {
            refused.increment();
            throw e;
        }
    }

    private static ReplicationMessage decode(int type, ByteBuf body) {
        if (type < HEARTBEAT || type > STALE_EPOCH) {
            throw new MalformedMessageException(Reason.UNKNOWN_TYPE, "type of a message must be known: " + type);
        }
        ShardId shard = new ShardId(Fields.readId(body));
        long epoch = Fields.readEpoch(body);
        return switch (type) {
            case HEARTBEAT -> {
                long sequence = body.readLong();
                LogPosition end = Fields.readPosition(body);
                Heartbeat heartbeat = new Heartbeat(shard, epoch, sequence, end, body.readLong());
                Fields.requireEnd(body);
                yield heartbeat;
            }
            case APPEND -> {
                long sequence = body.readLong();
                LogPosition previous = Fields.readPosition(body);
                long committed = body.readLong();
                ByteBuf records = Fields.readBytes(body);
                Fields.requireEnd(body);
                yield new Append(shard, epoch, sequence, previous, committed, records.retain());
            }
            case SNAPSHOT_PART -> decodePart(shard, epoch, body);
            case ACK -> decodeAck(shard, epoch, body);
            default -> {
                Fields.requireEnd(body);
                yield new StaleEpoch(shard, epoch);
            }
        };
    }

    private static SnapshotPart decodePart(ShardId shard, long epoch, ByteBuf body) {
        long sequence = body.readLong();
        long incarnation = body.readLong();
        long life = body.readLong();
        long sync = body.readLong();
        int part = body.readInt();
        LogPosition start = Fields.readPosition(body);
        SyncEnd end = null;
        if (Fields.readBoolean(body)) {
            LogHistory history = Fields.readHistory(body);
            end = new SyncEnd(history, Fields.readMembers(body));
        }
        ByteBuf records = Fields.readBytes(body);
        ByteBuf entries = Fields.readBytes(body);
        Fields.requireEnd(body);
        SnapshotPart decoded =
                new SnapshotPart(shard, epoch, sequence, incarnation, life, sync, part, start, end, records, entries);
        records.retain(); // once nothing can fail any more
        entries.retain();
        return decoded;
    }

    private static Ack decodeAck(ShardId shard, long epoch, ByteBuf body) {
        long sequence = body.readLong();
        long incarnation = body.readLong();
        long life = body.readLong();
        LogPosition position = Fields.readPosition(body);
        boolean complete = Fields.readBoolean(body);
        int taken = body.readUnsignedByte();
        if (taken >= TAKEN.size()) {
            throw new IllegalArgumentException("answer to a message must be known: " + taken);
        }
        long sync = body.readLong();
        int nextPart = body.readInt();
        Fields.requireEnd(body);
        return new Ack(shard, epoch, sequence, incarnation, life, position, complete, TAKEN.get(taken), sync, nextPart);
    }

    private MalformedMessageException refuse(Reason reason, String message) {
        refused.increment();
        return new MalformedMessageException(reason, message);
    }
}
