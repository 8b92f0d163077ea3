package io.kvorum.replication;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The layout of records in a log and in the messages between nodes.
 *
 * <p>A record is a header of 8 bytes and a payload. The header is the payload's length (4 bytes), the kind (1), the
 * version of the kind (1) and the slot (2), all big-endian. The kinds:
 *
 * <ul>
 *   <li>{@link #DATA}: an effect on a key of the slot; the payload belongs to the state.
 *   <li>{@link #BEGIN}: a leadership begins; the payload is its epoch (8). The slot is 0.
 *   <li>{@link #MEMBERS}: the shard's new member list; the payload is the number of members (1) and for each, in
 *       ascending order, the length of its node id (1), the id in ASCII and its incarnation (8). The slot is 0.
 * </ul>
 *
 * <p>All kinds have version 0.
 */
final class Records {
    static final int HEADER = 8;

    static final int DATA = 0;
    static final int BEGIN = 1;
    static final int MEMBERS = 2;

    /** The whole size of a BEGIN record. */
    static final int BEGIN_RECORD = HEADER + Long.BYTES;

    /** The most bytes of a MEMBERS payload. */
    private static final int MAX_MEMBERS = 1 + MemberList.MAX_SIZE * (1 + 64 + Long.BYTES);

    private Records() {}

    /** {@return the header of a record, as the big-endian number that it is written as} */
    static long header(int length, int kind, int slot) {
        return (long) length << 32 | (long) kind << 24 | slot;
    }

    /** {@return the whole size of the record at {@code index}} */
    static int size(ByteBuf records, int index) {
        return HEADER + records.getInt(index);
    }

    static int kind(ByteBuf records, int index) {
        return records.getUnsignedByte(index + 4);
    }

    static int slot(ByteBuf records, int index) {
        return records.getUnsignedShort(index + 6);
    }

    /** {@return the epoch of the BEGIN record at {@code index}} */
    static long epoch(ByteBuf records, int index) {
        return records.getLong(index + HEADER);
    }

    /** {@return the payload of the record at {@code index}: a view that shares the buffer's bytes and its owner} */
    static ByteBuf payload(ByteBuf records, int index) {
        return records.slice(index + HEADER, records.getInt(index));
    }

    /**
     * {@return the list of the MEMBERS record at {@code index}}
     *
     * @throws IllegalArgumentException if the payload is not a member list
     */
    static MemberList members(ByteBuf records, int index) {
        int at = index + HEADER;
        int end = at + records.getInt(index);
        List<Member> members = new ArrayList<>();
        int count = end - at < 1 ? 0 : records.getUnsignedByte(at++);
        for (int i = 0; i < count; i++) {
            int idLength = end - at < 1 ? -1 : records.getUnsignedByte(at++);
            if (idLength < 0 || end - at < idLength + Long.BYTES) {
                throw new IllegalArgumentException("a member list must be whole: member " + i + " of " + count);
            }
            NodeId id = new NodeId(records.toString(at, idLength, StandardCharsets.ISO_8859_1));
            members.add(new Member(id, records.getLong(at + idLength)));
            at += idLength + Long.BYTES;
        }
        if (at != end) {
            throw new IllegalArgumentException("a member list must end with its record: " + (end - at) + " bytes left");
        }
        return new MemberList(members);
    }

    /** {@return the payload of a MEMBERS record} */
    static byte[] payload(MemberList members) {
        ByteBuffer payload = ByteBuffer.allocate(MAX_MEMBERS).put((byte) members.size());
        for (Member member : members.members()) {
            byte[] id = member.node().value().getBytes(StandardCharsets.US_ASCII);
            payload.put((byte) id.length).put(id).putLong(member.incarnation());
        }
        byte[] bytes = new byte[payload.position()];
        payload.flip().get(bytes);
        return bytes;
    }

    /**
     * Checks that the readable bytes are whole records of known kinds with sound contents.
     *
     * @throws UnknownRecordException if a record is of an unknown kind or version
     * @throws IllegalArgumentException if a record is damaged
     */
    static void check(ByteBuf records) {
        int index = records.readerIndex();
        int end = records.writerIndex();
        while (index < end) {
            if (end - index < HEADER) {
                throw new IllegalArgumentException("a record must have a whole header: " + (end - index) + " bytes");
            }
            int length = records.getInt(index);
            if (length < 0 || length > end - index - HEADER) {
                throw new IllegalArgumentException("a record must be whole: length " + length);
            }
            checkContents(records, index, length);
            index += HEADER + length;
        }
    }

    private static void checkContents(ByteBuf records, int index, int length) {
        int kind = kind(records, index);
        int version = records.getUnsignedByte(index + 5);
        if (kind > MEMBERS || version != 0) {
            throw new UnknownRecordException(kind, version);
        }
        int slot = slot(records, index);
        if (slot >= (kind == DATA ? HashSlot.COUNT : 1)) {
            throw new IllegalArgumentException("a record of kind " + kind + " must have a legal slot: " + slot);
        }
        if (kind == BEGIN) {
            if (length != Long.BYTES) {
                throw new IllegalArgumentException("a BEGIN record must have an epoch: length " + length);
            }
            Epoch.check(epoch(records, index));
        } else if (kind == MEMBERS) {
            members(records, index);
        }
    }
}
