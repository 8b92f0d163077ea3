package io.kvorum.failover.runtime;

import io.kvorum.failover.Configuration;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The saved form of a sentinel's state: lines of words, the last of them a checksum of all before it.
 *
 * <pre>
 * kvorum-sentinel 1
 * sentinel s1
 * abstaining false
 * shard a 4 a2 7 7 s3
 * shard b 1 b1 1 0 *
 * crc32c 5f0a3c11
 * </pre>
 *
 * <p>A shard's words are its id, the epoch and the primary of its configuration, the highest epoch heard of, the epoch
 * of the last vote, and who got it ({@code *} for nobody). A line that starts with another word than these was written
 * by a later version of this library; it is kept. One that starts with one of these and is not as above is refused.
 *
 * @param state the state
 * @param unknown the lines that this version does not know
 */
record StateText(SentinelState state, List<String> unknown) {
    private static final String HEADER = "kvorum-sentinel 1";
    private static final String CHECKSUM = "crc32c ";
    private static final String NOBODY = "*";

    StateText {
        unknown = List.copyOf(unknown);
    }

    byte[] encode() {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        text.append("sentinel ").append(state.sentinel()).append('\n');
        text.append("abstaining ").append(state.abstaining()).append('\n');
        for (ShardMemory memory : state.shards()) {
            Configuration configuration = memory.configuration();
            text.append("shard ").append(configuration.shard());
            text.append(' ').append(configuration.epoch());
            text.append(' ').append(configuration.primary());
            text.append(' ').append(memory.highestEpoch());
            text.append(' ').append(memory.votedEpoch());
            text.append(' ').append(memory.votedFor() == null ? NOBODY : memory.votedFor());
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
        boolean abstaining = false;
        List<ShardMemory> shards = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "sentinel" -> sentinel = new NodeId(checkLength(words, 2)[1]);
                case "abstaining" -> abstaining = flag(checkLength(words, 2)[1]);
                case "shard" -> shards.add(shard(checkLength(words, 7)));
                default -> unknown.add(line);
            }
        }
        if (sentinel == null) {
            throw new IllegalArgumentException("the state must name its sentinel");
        }
        return new StateText(new SentinelState(sentinel, abstaining, shards), unknown);
    }

    /** A vote that is not understood must not be taken for none. */
    private static String[] checkLength(String[] words, int length) {
        if (words.length != length) {
            throw new IllegalArgumentException(
                    "a line of '" + words[0] + "' must have " + length + " words: " + words.length);
        }
        return words;
    }

    private static boolean flag(String word) {
        if (!word.equals("true") && !word.equals("false")) {
            throw new IllegalArgumentException("a flag must be true or false: " + word);
        }
        return word.equals("true");
    }

    private static ShardMemory shard(String[] words) {
        Configuration configuration =
                new Configuration(new ShardId(words[1]), Long.parseLong(words[2]), new NodeId(words[3]));
        @Nullable NodeId votedFor = words[6].equals(NOBODY) ? null : new NodeId(words[6]);
        return new ShardMemory(configuration, Long.parseLong(words[4]), Long.parseLong(words[5]), votedFor);
    }

    private static String checksum(String body) {
        CRC32C crc = new CRC32C();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }
}
