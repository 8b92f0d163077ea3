package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a leadership writes before anything else, under a key of its own: so it reaches the replicas with the data, and
 * tells on each server by whom, and in which epoch, what it holds was written.
 *
 * @param epoch the epoch of the leadership
 * @param leader who leads
 * @param begun the epoch in which the shard began
 * @param members the members that it began with
 */
record LeadershipRecord(long epoch, NodeId leader, long begun, MemberList members) {
    /** The key, which belongs to the nodes. */
    static final String KEY = "kvorum:leadership";

    private static final byte[] KEY_BYTES = KEY.getBytes(US_ASCII);

    private static final Pattern TEXT =
            Pattern.compile("1 epoch=(\\S+) leader=([A-Za-z0-9._:-]+) begun=(\\S+) members=([A-Za-z0-9._:#,-]+)");

    /** Reads a value, or returns null if it is none that this library has written. */
    static @Nullable LeadershipRecord parse(byte @Nullable [] value) {
        Matcher matcher = TEXT.matcher(value == null ? "" : new String(value, US_ASCII));
        if (!matcher.matches()) {
            return null;
        }
        List<Member> members = new ArrayList<>();
        for (String member : matcher.group(4).split(",", -1)) {
            int hash = member.indexOf('#');
            if (hash < 0) {
                return null;
            }
            members.add(new Member(
                    new NodeId(member.substring(0, hash)),
                    Long.parseUnsignedLong(member, hash + 1, member.length(), 16)));
        }
        return new LeadershipRecord(
                Epoch.parse(matcher.group(1)),
                new NodeId(matcher.group(2)),
                Epoch.parse(matcher.group(3)),
                new MemberList(members));
    }

    /** {@return whether a key is that of the nodes, which is none of a store's} */
    static boolean isKey(byte[] key) {
        return Arrays.equals(key, KEY_BYTES);
    }

    /** {@return the record of the next leadership of the shard} */
    LeadershipRecord next(long newEpoch, NodeId newLeader) {
        return new LeadershipRecord(newEpoch, newLeader, begun, members);
    }

    /** {@return where the member list is taken to be in the log: it never changes} */
    LogPosition membersAt() {
        return new LogPosition(begun, 0);
    }

    byte[] toBytes() {
        List<String> texts = members.members().stream().map(Member::toString).toList();
        return ("1 epoch=" + Epoch.toString(epoch) + " leader=" + leader + " begun=" + Epoch.toString(begun)
                        + " members=" + String.join(",", texts))
                .getBytes(US_ASCII);
    }
}
