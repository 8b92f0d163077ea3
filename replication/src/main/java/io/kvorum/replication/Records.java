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
import org.jspecify.annotations.Nullable;

/**
 * The layout of records in a log and in the messages between nodes.
 *
 * <p>A record is a header of 8 bytes and a payload. The header is the payload's length (4 bytes), the kind (1), the
 * version of the kind (1) and the slot (2), all big-endian. The kinds:
 *
 * <ul>
 *   <li>{@link #DATA}: an effect on a key of the slot; the payload belongs to the state.
 *   <li>{@link #BEGIN}: a leadership begins; the payload is its epoch (8). If the shard begins with it, or begins anew,
 *       its members follow as in a MEMBERS record. The slot is 0.
 *   <li>{@link #MEMBERS}: the shard's new member list; the payload is the number of members (1) and for each, in
 *       ascending order, the length of its node id (1), the id in ASCII and its incarnation (8); then the number of
 *       nodes that are to join (1) and for each the length of its id (1) and the id. The slot is 0.
 * </ul>
 *
 * <p>All kinds have version 0.
 */
final class Records {
    static final int HEADER = 8;

    static final int DATA = 0;
    static final int BEGIN = 1;
    static final int MEMBERS = 2;

    /** The whole size of a BEGIN record without members. */
    static final int BEGIN_RECORD = HEADER + Long.BYTES;

    /** The most bytes of a MEMBERS payload. */
    private static final int MAX_MEMBERS = 2 + MemberList.MAX_SIZE * (2 * (1 + 64) + Long.BYTES);

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

    /** {@return whether the shard begins, or begins anew, with the BEGIN record at {@code index}} */
    static boolean beginsShard(ByteBuf records, int index) {
        return records.getInt(index) > Long.BYTES;
    }

    /**
     * {@return what a MEMBERS record, or a BEGIN record that begins the shard, says of members}
     *
     * @throws IllegalArgumentException if the payload is not a member list
     */
    static Roster roster(ByteBuf records, int index) {
        int start = index + HEADER;
        ByteBuf payload = records.slice(start, records.getInt(index));
        payload.skipBytes(kind(records, index) == BEGIN ? Long.BYTES : 0);
        List<Member> members = new ArrayList<>();
        List<NodeId> joining = new ArrayList<>();
        try {
            int count = payload.readUnsignedByte();
            for (int i = 0; i < count; i++) {
                members.add(new Member(readId(payload), payload.readLong()));
            }
            int more = payload.readUnsignedByte();
            for (int i = 0; i < more; i++) {
                joining.add(readId(payload));
            }
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("a member list must be whole: " + members + ", " + joining, e);
        }
        if (payload.isReadable()) {
            throw new IllegalArgumentException(
                    "a member list must end with its record: " + payload.readableBytes() + " bytes left");
        }
        return new Roster(new MemberList(members), joining);
    }

    private static NodeId readId(ByteBuf payload) {
        int length = payload.readUnsignedByte();
        return new NodeId(
                payload.readCharSequence(length, StandardCharsets.ISO_8859_1).toString());
    }

    /** {@return the payload of a MEMBERS record} */
    static byte[] payload(Roster roster) {
        ByteBuffer payload =
                ByteBuffer.allocate(MAX_MEMBERS).put((byte) roster.members().size());
        for (Member member : roster.members().members()) {
            putId(payload, member.node()).putLong(member.incarnation());
        }
        payload.put((byte) roster.joining().size());
        roster.joining().forEach(node -> putId(payload, node));
        return written(payload);
    }

    /** {@return the payload of a BEGIN record, with the members that the shard begins with, if it does} */
    static byte[] payload(long epoch, @Nullable Roster first) {
        byte[] members = first == null ? new byte[0] : payload(first);
        return written(
                ByteBuffer.allocate(Long.BYTES + members.length).putLong(epoch).put(members));
    }

    private static ByteBuffer putId(ByteBuffer payload, NodeId node) {
        byte[] id = node.value().getBytes(StandardCharsets.US_ASCII);
        return payload.put((byte) id.length).put(id);
    }

    private static byte[] written(ByteBuffer payload) {
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
            if (length < Long.BYTES) {
                throw new IllegalArgumentException("a BEGIN record must have an epoch: length " + length);
            }
            Epoch.check(epoch(records, index));
            if (beginsShard(records, index)) {
                roster(records, index);
            }
        } else if (kind == MEMBERS) {
            roster(records, index);
        }
    }
}
