package io.kvorum.failover;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A growing array of bytes to which the fields of a frame are appended, in big-endian order. */
final class WireWriter {
    private static final int FIRST_CAPACITY = 256;

    private ByteBuffer bytes = ByteBuffer.allocate(FIRST_CAPACITY);

    int position() {
        return bytes.position();
    }

    WireWriter u8(int value) {
        room(Byte.BYTES).put((byte) value);
        return this;
    }

    WireWriter u16(int value) {
        room(Short.BYTES).putShort((short) value);
        return this;
    }

    WireWriter i32(int value) {
        room(Integer.BYTES).putInt(value);
        return this;
    }

    WireWriter i64(long value) {
        room(Long.BYTES).putLong(value);
        return this;
    }

    WireWriter flag(boolean value) {
        return u8(value ? 1 : 0);
    }

    WireWriter shard(ShardId shard) {
        return text(shard.value());
    }

    WireWriter node(NodeId node) {
        return text(node.value());
    }

    /** A node, or an empty text for none. */
    WireWriter optionalNode(@Nullable NodeId node) {
        return node == null ? u8(0) : node(node);
    }

    private WireWriter text(String id) {
        int length = id.length();
        ByteBuffer target = room(1 + length).put((byte) length);
        for (int i = 0; i < length; i++) {
            target.put((byte) id.charAt(i)); // ASCII, as all identities
        }
        return this;
    }

    WireWriter position(LogPosition position) {
        return i64(position.epoch()).i64(position.offset());
    }

    WireWriter primary(ShardPrimary primary) {
        return shard(primary.shard())
                .i32(primary.generation())
                .i64(primary.epoch())
                .node(primary.primary());
    }

    WireWriter members(MemberList list) {
        u8(list.size());
        for (Member member : list.members()) {
            node(member.node()).i64(member.incarnation());
        }
        return this;
    }

    /** How many there are, then the nodes. */
    WireWriter nodes(List<NodeId> nodes) {
        u8(nodes.size());
        for (NodeId node : nodes) {
            node(node);
        }
        return this;
    }

    /** How many lists there are, then the lists. */
    WireWriter membership(@Nullable Membership membership) {
        if (membership == null) {
            return u8(0);
        }
        MemberList previous = membership.previous();
        u8(previous == null ? 1 : 2).members(membership.current());
        return previous == null ? this : members(previous);
    }

    /** Overwrites four bytes that were written before. */
    void setI32(int index, int value) {
        bytes.putInt(index, value);
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private ByteBuffer room(int length) {
        if (bytes.remaining() < length) {
            int capacity = Math.max(2 * bytes.capacity(), bytes.position() + length);
            bytes = ByteBuffer.allocate(capacity).put(bytes.flip());
        }
        return bytes;
    }
}
