package io.kvorum.failover;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a frame, read in the order in which {@link WireWriter} wrote them. Throws
 * {@link java.nio.BufferUnderflowException} where the bytes end too early and {@link IllegalArgumentException} where a
 * value is out of range.
 */
final class WireReader {
    private final ByteBuffer bytes;

    WireReader(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    int u8() {
        return Byte.toUnsignedInt(bytes.get());
    }

    int i32() {
        return bytes.getInt();
    }

    long i64() {
        return bytes.getLong();
    }

    boolean flag() {
        int value = u8();
        if (value > 1) {
            throw new IllegalArgumentException("flag must be 0 or 1: " + value);
        }
        return value == 1;
    }

    long epoch() {
        return Epoch.check(i64());
    }

    ShardId shard() {
        return new ShardId(text());
    }

    NodeId node() {
        return new NodeId(text());
    }

    @Nullable
    NodeId optionalNode() {
        String text = text();
        return text.isEmpty() ? null : new NodeId(text);
    }

    private String text() {
        byte[] characters = new byte[u8()];
        bytes.get(characters);
        return new String(characters, US_ASCII);
    }

    LogPosition position() {
        long epoch = epoch();
        return new LogPosition(epoch, i64());
    }

    ShardPrimary primary() {
        ShardId shard = shard();
        int generation = i32();
        long epoch = epoch();
        return new ShardPrimary(shard, generation, epoch, node());
    }

    MemberList members() {
        int size = u8();
        List<Member> members = new ArrayList<>(Math.min(size, MemberList.MAX_SIZE));
        for (int i = 0; i < size; i++) {
            NodeId node = node();
            members.add(new Member(node, i64()));
        }
        return new MemberList(members);
    }

    List<NodeId> nodes() {
        int size = u8();
        List<NodeId> nodes = new ArrayList<>(Math.min(size, MemberList.MAX_SIZE));
        for (int i = 0; i < size; i++) {
            nodes.add(node());
        }
        return nodes;
    }

    @Nullable
    Membership membership() {
        int lists = u8();
        return switch (lists) {
            case 0 -> null;
            case 1 -> new Membership(members(), null);
            case 2 -> {
                MemberList current = members();
                yield new Membership(current, members());
            }
            default -> throw new IllegalArgumentException("membership must have at most 2 lists: " + lists);
        };
    }

    /** Reads the place of a constant in a list. */
    <E> E constant(List<E> constants) {
        int place = u8();
        if (place >= constants.size()) {
            throw new IllegalArgumentException("constant must be known: " + place);
        }
        return constants.get(place);
    }

    /** How many bytes are left. */
    int remaining() {
        return bytes.remaining();
    }
}
