package io.kvorum.failover.runtime;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelState.KnownShard;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The saved form of a sentinel's state: lines of words, the last of them a checksum of all before it.
 *
 * <pre>
 * kvorum-sentinel 3
 * sentinel s1
 * shard a 1 4098 a2 a1 a2 a3
 * shard b 2 1025 b1 b1 b2
 * crc32c 5f0a3c11
 * </pre>
 *
 * <p>The words of a shard are its id, its generation, the epoch of its latest primary, that primary, and the nodes that
 * were watched. A line that starts with another word than these was written by a later version of this library and is
 * kept. A line that starts with one of these and has another form is refused.
 *
 * @param state the state
 * @param unknown the lines that this version does not know
 */
record StateText(SentinelState state, List<String> unknown) {
    private static final String HEADER = "kvorum-sentinel 3";
    private static final String CHECKSUM = "crc32c ";

    StateText {
        unknown = List.copyOf(unknown);
    }

    byte[] encode() {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        text.append("sentinel ").append(state.sentinel()).append('\n');
        for (KnownShard known : state.shards()) {
            ShardPrimary primary = known.primary();
            text.append("shard ").append(primary.shard());
            text.append(' ').append(primary.generation());
            text.append(' ').append(primary.epoch());
            text.append(' ').append(primary.primary());
            known.nodes().forEach(node -> text.append(' ').append(node));
            text.append('\n');
        }
        unknown.forEach(line -> text.append(line).append('\n'));
        return sealed(text.toString());
    }

    /** {@return the body with its checksum} */
    static byte[] sealed(String body) {
        return (body + CHECKSUM + checksum(body) + '\n').getBytes(StandardCharsets.UTF_8);
    }

    static StateText decode(byte[] bytes) throws CorruptStateException {
        String text = new String(bytes, StandardCharsets.UTF_8);
        int last = text.lastIndexOf('\n' + CHECKSUM) + 1;
        String body = text.substring(0, last);
        if (last == 0 || !text.substring(last).equals(CHECKSUM + checksum(body) + '\n')) {
            throw new CorruptStateException("the checksum at the end must match what is before it");
        }
        List<String> lines = body.lines().toList();
        if (!lines.get(0).equals(HEADER)) {
            throw new CorruptStateException("the first line must be '" + HEADER + "': " + lines.get(0));
        }
        try {
            return decode(lines.subList(1, lines.size()));
        } catch (IllegalArgumentException e) {
            throw new CorruptStateException("the state contradicts itself", e);
        }
    }

    private static StateText decode(List<String> lines) {
        NodeId sentinel = null;
        List<KnownShard> shards = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "sentinel" -> sentinel = sentinel(words);
                case "shard" -> shards.add(shard(words));
                default -> unknown.add(line);
            }
        }
        if (sentinel == null) {
            throw new IllegalArgumentException("the state must name its sentinel");
        }
        return new StateText(new SentinelState(sentinel, shards), unknown);
    }

    private static NodeId sentinel(String[] words) {
        if (words.length != 2) {
            throw new IllegalArgumentException("a line of 'sentinel' must have 2 words: " + words.length);
        }
        return new NodeId(words[1]);
    }

    private static KnownShard shard(String[] words) {
        if (words.length < 5) {
            throw new IllegalArgumentException("a line of 'shard' must have at least 5 words: " + words.length);
        }
        List<NodeId> nodes = new ArrayList<>();
        for (int i = 5; i < words.length; i++) {
            nodes.add(new NodeId(words[i]));
        }
        ShardPrimary primary = new ShardPrimary(
                new ShardId(words[1]), Integer.parseInt(words[2]), Long.parseLong(words[3]), new NodeId(words[4]));
        return new KnownShard(primary, nodes);
    }

    private static String checksum(String body) {
        CRC32C crc = new CRC32C();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }
}
