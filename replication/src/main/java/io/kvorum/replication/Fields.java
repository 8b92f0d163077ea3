package io.kvorum.replication;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The fields of messages and of member lists as bytes. Reading throws {@link IndexOutOfBoundsException} where the bytes
 * end too early and {@link IllegalArgumentException} where a value is out of range.
 */
final class Fields {
    private static final int LEADERSHIP_BYTES = 2 * Long.BYTES;

    private Fields() {}

    /** The CRC-32C of a range, in which the four bytes at {@code skipped}, counted from its start, are left out. */
    static int checksum(ByteBuf buffer, int start, int length, int skipped) {
        CRC32C crc = new CRC32C();
        update(crc, buffer, start, skipped);
        int after = skipped + Integer.BYTES;
        update(crc, buffer, start + after, length - after);
        return (int) crc.getValue();
    }

    private static void update(CRC32C crc, ByteBuf buffer, int index, int length) {
        if (buffer.hasArray()) {
            crc.update(buffer.array(), buffer.arrayOffset() + index, length);
        } else {
            crc.update(buffer.nioBuffer(index, length));
        }
    }

    static void writeId(ByteBuf target, String id) {
        target.writeByte(id.length());
        target.writeCharSequence(id, US_ASCII);
    }

    /** Reads the text of an identity; what it may hold is for the type of the identity to check. */
    static String readId(ByteBuf source) {
        int length = source.readUnsignedByte();
        return source.readCharSequence(length, US_ASCII).toString();
    }

    static long readEpoch(ByteBuf source) {
        return Epoch.check(source.readLong());
    }

    static void writePosition(ByteBuf target, LogPosition position) {
        target.writeLong(position.epoch()).writeLong(position.offset());
    }

    static LogPosition readPosition(ByteBuf source) {
        long epoch = readEpoch(source);
        return new LogPosition(epoch, source.readLong());
    }

    static boolean readBoolean(ByteBuf source) {
        int value = source.readUnsignedByte();
        if (value > 1) {
            throw new IllegalArgumentException("a flag must be 0 or 1: " + value);
        }
        return value == 1;
    }

    static void writeBytes(ByteBuf target, ByteBuf bytes) {
        target.writeInt(bytes.readableBytes());
        target.writeBytes(bytes, bytes.readerIndex(), bytes.readableBytes());
    }

    /** Reads bytes as a slice, which is not retained. */
    static ByteBuf readBytes(ByteBuf source) {
        int length = source.readInt();
        if (length < 0) {
            throw new IllegalArgumentException("a length must be at least 0: " + length);
        }
        return source.readSlice(length);
    }

    static void writeHistory(ByteBuf target, LogHistory history) {
        List<LogHistory.Leadership> leaderships = history.leaderships();
        target.writeShort(leaderships.size());
        for (LogHistory.Leadership leadership : leaderships) {
            target.writeLong(leadership.epoch()).writeLong(leadership.firstOffset());
        }
    }

    static LogHistory readHistory(ByteBuf source) {
        int size = source.readUnsignedShort();
        requireReadable(source, size, LEADERSHIP_BYTES);
        List<LogHistory.Leadership> leaderships = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            long epoch = readEpoch(source);
            leaderships.add(new LogHistory.Leadership(epoch, source.readLong()));
        }
        return LogHistory.of(leaderships);
    }

    static void writeMemberList(ByteBuf target, @Nullable MemberList list) {
        target.writeByte(list == null ? 0 : list.size());
        if (list != null) {
            for (Member member : list.members()) {
                writeId(target, member.node().value());
                target.writeLong(member.incarnation());
            }
        }
    }

    static @Nullable MemberList readMemberList(ByteBuf source) {
        int size = source.readUnsignedByte();
        if (size == 0) {
            return null;
        }
        List<Member> members = new ArrayList<>(Math.min(size, MemberList.MAX_SIZE));
        for (int i = 0; i < size; i++) {
            NodeId node = new NodeId(readId(source));
            members.add(new Member(node, source.readLong()));
        }
        return new MemberList(members);
    }

    static void writeMembers(ByteBuf target, LogMembers members) {
        writeMemberList(target, members.current());
        writePosition(target, members.at());
        writeMemberList(target, members.previous());
        target.writeByte(members.joining().size());
        members.joining().forEach(node -> writeId(target, node.value()));
    }

    static LogMembers readMembers(ByteBuf source) {
        MemberList current = readMemberList(source);
        LogPosition at = readPosition(source);
        MemberList previous = readMemberList(source);
        int size = source.readUnsignedByte();
        List<NodeId> joining = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            joining.add(new NodeId(readId(source)));
        }
        return new LogMembers(current, at, previous, joining);
    }

    /** Requires that {@code count} items of a size are there, before anything is allocated for them. */
    private static void requireReadable(ByteBuf source, int count, int size) {
        if (source.readableBytes() / size < count) {
            throw new IndexOutOfBoundsException(count);
        }
    }

    static void requireEnd(ByteBuf source) {
        if (source.isReadable()) {
            throw new IllegalArgumentException(
                    "a message must end after its last field: " + source.readableBytes() + " bytes more");
        }
    }
}
