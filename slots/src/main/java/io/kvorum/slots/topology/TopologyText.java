package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.MalformedTextException;
import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Writes a topology as lines of fields, and reads it back.
 *
 * <p>Each line is a word and fields {@code name=value}, a space before each. A reader keeps lines that begin with a
 * word it does not know, and fields of a shard that it does not know: so a later release may add both.
 */
final class TopologyText {
    private static final int FORMAT = 1;
    private static final String TOPOLOGY = "topology";
    private static final String SHARD = "shard";
    private static final String SLOTS = "slots";

    private TopologyText() {}

    static String write(
            long version, List<ShardEntry> entries, char[] owners, int[] stamps, SortedSet<String> otherLines) {
        StringBuilder text = new StringBuilder();
        text.append(TOPOLOGY + " format=" + FORMAT + " version=")
                .append(version)
                .append('\n');
        for (ShardEntry entry : entries) {
            text.append(SHARD + " id=").append(entry.id());
            text.append(" epoch=").append(entry.epoch());
            text.append(" revision=").append(entry.revision());
            text.append(" changes=").append(entry.changes());
            if (entry.primary() != null) {
                text.append(" primary=").append(entry.primary());
                text.append(" replicas=");
                for (int i = 0; i < entry.replicas().size(); i++) {
                    text.append(i == 0 ? "" : ",").append(entry.replicas().get(i));
                }
            }
            entry.fields()
                    .forEach((name, value) ->
                            text.append(' ').append(name).append('=').append(value));
            text.append('\n');
        }
        slotLines(entries, owners, stamps)
                .forEach((line, slots) -> text.append(line)
                        .append(" set=")
                        .append(SlotSet.ofBits(slots))
                        .append('\n'));
        otherLines.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    /** For each owner and stamp the beginning of its line and its slots, in the order of the lowest slots. */
    private static Map<String, long[]> slotLines(List<ShardEntry> entries, char[] owners, int[] stamps) {
        Map<String, long[]> lines = new LinkedHashMap<>();
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            if (stamps[slot] != 0) {
                int owner = owners[slot];
                String line = SLOTS
                        + (owner == 0 ? "" : " owner=" + entries.get(owner - 1).id())
                        + " stamp=" + stamps[slot];
                lines.computeIfAbsent(line, l -> new long[HashSlot.COUNT / Long.SIZE])[slot >>> 6] |= 1L << slot;
            }
        }
        return lines;
    }

    static ClusterTopology parse(String text) {
        List<Line> shards = new ArrayList<>();
        List<Line> slots = new ArrayList<>();
        SortedSet<String> others = new TreeSet<>();
        int position = 0;
        Line header = null;
        for (String raw : text.split("\n", -1)) {
            int start = position;
            position += raw.length() + 1;
            if (header == null) {
                header = new Line(raw, start);
                header.expectWord(TOPOLOGY);
            } else if (raw.startsWith(SHARD + " ")) {
                shards.add(new Line(raw, start));
            } else if (raw.startsWith(SLOTS + " ")) {
                slots.add(new Line(raw, start));
            } else if (!raw.isEmpty()) {
                others.add(raw);
            }
        }
        if (header == null) {
            throw new AssertionError("a text has a first line");
        }
        header.check("format", Integer::parseInt, format -> format == FORMAT, "format must be " + FORMAT);
        long version = header.check("version", Long::parseLong, v -> true, "");
        header.expectNoMore();
        SortedMap<ShardId, ShardEntry> entries = new TreeMap<>();
        for (Line line : shards) {
            ShardEntry entry = entry(line);
            if (entries.put(entry.id(), entry) != null) {
                throw line.fault("id", "shard must be given once: " + entry.id());
            }
            if (entries.size() > ClusterTopology.MAX_SHARDS) {
                throw line.fault("id", "shards must be at most " + ClusterTopology.MAX_SHARDS + ": " + entry.id());
            }
        }
        List<ShardId> ids = List.copyOf(entries.keySet());
        char[] owners = new char[HashSlot.COUNT];
        int[] stamps = new int[HashSlot.COUNT];
        slots.forEach(line -> readSlots(line, ids, owners, stamps));
        ClusterTopology topology = ClusterTopology.of(List.copyOf(entries.values()), owners, stamps, others);
        if (topology.version() != version) {
            throw header.fault(
                    "version", "version must be " + topology.version() + ", the sum of all changes: " + version);
        }
        return topology;
    }

    private static ShardEntry entry(Line line) {
        ShardId id = line.check("id", ShardId::new, value -> true, "");
        long epoch = line.check("epoch", Long::parseLong, value -> value >= 0, "epoch must be at least 0");
        long revision = line.check("revision", Long::parseLong, value -> value >= 1, "revision must be at least 1");
        long changes = line.check(
                "changes", Long::parseLong, value -> value >= revision, "changes must be at least the revision");
        NodeId primary = null;
        List<NodeId> replicas = List.of();
        if (line.has("primary")) {
            NodeId first = line.check("primary", NodeId::new, value -> true, "");
            replicas = line.check("replicas", value -> replicas(first, value), value -> true, "");
            primary = first;
        }
        return new ShardEntry(id, epoch, revision, changes, primary, replicas, line.rest());
    }

    private static List<NodeId> replicas(NodeId primary, String value) {
        List<NodeId> replicas = value.isEmpty()
                ? List.of()
                : Arrays.stream(value.split(",", -1)).map(NodeId::new).toList();
        return Shard.sortedReplicas(primary, replicas);
    }

    private static void readSlots(Line line, List<ShardId> ids, char[] owners, int[] stamps) {
        int owner = line.has("owner")
                ? line.check("owner", value -> ids.indexOf(new ShardId(value)), i -> i >= 0, "owner must be a shard")
                        + 1
                : 0;
        int stamp = line.check("stamp", Integer::parseInt, value -> value >= 1, "stamp must be at least 1");
        SlotSet set = line.check("set", SlotSet::parse, value -> true, "");
        line.expectNoMore();
        set.forEach(slot -> {
            if (stamps[slot] != 0) {
                throw line.fault("set", "slot must be given once: " + slot);
            }
            owners[slot] = (char) owner;
            stamps[slot] = stamp;
        });
    }

    /** One line, its fields, and where in the text they stand. */
    private static final class Line {
        private final String word;
        private final int start;
        private final int end;
        private final SortedMap<String, String> fields = new TreeMap<>();
        private final Map<String, Integer> positions = new LinkedHashMap<>();

        Line(String raw, int start) {
            this.start = start;
            this.end = start + raw.length();
            String[] parts = raw.split(" ", -1);
            word = parts[0];
            int position = start + word.length() + 1;
            for (String field : Arrays.asList(parts).subList(1, parts.length)) {
                int equals = field.indexOf('=');
                if (equals < 1) {
                    throw new MalformedTextException(position, "field must be a name, '=' and a value");
                }
                String name = field.substring(0, equals);
                if (positions.put(name, position + equals + 1) != null) {
                    throw new MalformedTextException(position, "field must be given once: " + name);
                }
                fields.put(name, field.substring(equals + 1));
                position += field.length() + 1;
            }
        }

        void expectWord(String expected) {
            if (!word.equals(expected)) {
                throw new MalformedTextException(start, "text must start with the word " + expected);
            }
        }

        boolean has(String name) {
            return fields.containsKey(name);
        }

        /** Takes a field out and reads its value. */
        <T> T check(String name, Function<String, T> read, Predicate<T> holds, String rule) {
            String value = fields.remove(name);
            if (value == null) {
                throw new MalformedTextException(end, word + " must have the field " + name);
            }
            T result;
            try {
                result = read.apply(value);
            } catch (MalformedTextException e) {
                throw new MalformedTextException(position(name) + e.position(), e.rule());
            } catch (NumberFormatException e) {
                throw fault(name, name + " must be a number that is not too large: " + value);
            } catch (IllegalArgumentException e) {
                throw fault(name, String.valueOf(e.getMessage()));
            }
            if (!holds.test(result)) {
                throw fault(name, rule + ": " + value);
            }
            return result;
        }

        /** The fields that nobody took. */
        SortedMap<String, String> rest() {
            return fields;
        }

        void expectNoMore() {
            if (!fields.isEmpty()) {
                String name = fields.firstKey();
                throw fault(name, word + " must not have the field " + name);
            }
        }

        MalformedTextException fault(String name, String rule) {
            return new MalformedTextException(position(name), rule);
        }

        private int position(String name) {
            Integer position = positions.get(name);
            return position == null ? end : position;
        }
    }
}
