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
import org.jspecify.annotations.Nullable;

/**
 * The text form of a topology: lines of fields.
 *
 * <p>Each line is a word and fields {@code name=value}, each after a space. A reader keeps lines that begin with a word
 * it doesn't know, and fields of a shard that it doesn't know, so that a later release may add both.
 *
 * <p>Fields that follow from others in almost every topology are left out where they do: the generation of an owner
 * that is the first, the source of slots that are not on their way, the position of a member list that is the start of
 * the log, and the totals of an entry that are those of its epoch and its member list.
 */
final class TopologyText {
    private static final int FORMAT = 1;
    private static final String TOPOLOGY = "topology";
    private static final String SHARD = "shard";
    private static final String SLOTS = "slots";
    private static final String NODE = "node";

    /** What the slots of one line have in common. */
    private record Given(SlotTable.@Nullable Owner owner, SlotTable.@Nullable Owner source, int stamp) {}

    private TopologyText() {}

    static String write(ClusterTopology topology) {
        StringBuilder text = new StringBuilder();
        text.append(TOPOLOGY + " format=" + FORMAT + " version=")
                .append(topology.version())
                .append('\n');
        topology.entries().forEach(entry -> writeShard(entry, text));
        SlotGroups<Given> groups = new SlotGroups<>();
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            int stamp = topology.slots().stamp(slot);
            if (stamp != 0) {
                groups.add(
                        new Given(topology.slots().owner(slot), topology.slots().source(slot), stamp), slot);
            }
        }
        groups.forEach((given, slots) -> writeSlots(given, slots, text));
        for (NodeEntry node : topology.nodes().values()) {
            text.append(NODE + " id=").append(node.node()).append(" stamp=").append(node.stamp());
            if (node.address() != null) {
                text.append(" address=").append(node.address());
            }
            text.append('\n');
        }
        topology.otherLines().forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    private static void writeShard(ShardEntry entry, StringBuilder text) {
        text.append(SHARD + " id=").append(entry.id());
        text.append(" generation=").append(entry.generation());
        ShardEntry.Present present = entry.present();
        long usualEpochTotal = 0;
        long usualMembersTotal = 0;
        if (present != null) {
            text.append(" epoch=").append(Epoch.toString(present.epoch()));
            text.append(" primary=").append(present.primary());
            text.append(" nodes=");
            for (int i = 0; i < present.nodes().size(); i++) {
                text.append(i == 0 ? "" : ",").append(present.nodes().get(i));
            }
            if (!present.membersAt().equals(LogPosition.START)) {
                text.append(" members-at=").append(present.membersAt());
            }
            usualEpochTotal = present.epoch();
            usualMembersTotal = ShardEntry.weight(present.membersAt());
        }
        if (entry.epochTotal() != usualEpochTotal) {
            text.append(" epoch-total=").append(entry.epochTotal());
        }
        if (entry.membersTotal() != usualMembersTotal) {
            text.append(" members-total=").append(entry.membersTotal());
        }
        entry.fields()
                .forEach((name, value) ->
                        text.append(' ').append(name).append('=').append(value));
        text.append('\n');
    }

    private static void writeSlots(Given given, SlotSet slots, StringBuilder text) {
        text.append(SLOTS);
        writeOwner(given.owner(), "owner", "generation", text);
        writeOwner(given.source(), "from", "from-generation", text);
        text.append(" stamp=").append(given.stamp());
        text.append(" set=").append(slots).append('\n');
    }

    private static void writeOwner(
            SlotTable.@Nullable Owner owner, String field, String generation, StringBuilder text) {
        if (owner != null) {
            text.append(' ').append(field).append('=').append(owner.shard());
            if (owner.generation() != 1) {
                text.append(' ').append(generation).append('=').append(owner.generation());
            }
        }
    }

    static ClusterTopology parse(String text) {
        List<Line> shards = new ArrayList<>();
        List<Line> slots = new ArrayList<>();
        List<Line> nodes = new ArrayList<>();
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
            } else if (raw.startsWith(NODE + " ")) {
                nodes.add(new Line(raw, start));
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
        SortedMap<ShardId, ShardEntry> entries = readShards(shards);
        SlotTable.Draft table = new SlotTable.Draft(SlotTable.EMPTY);
        slots.forEach(line -> readSlots(line, entries, table));
        ClusterTopology topology;
        try {
            topology = new ClusterTopology(
                    entries.values().toArray(ShardEntry[]::new),
                    table.table(),
                    readNodes(nodes),
                    others,
                    ClusterTopology.EMPTY);
        } catch (ArithmeticException e) {
            throw header.fault("version", "sum of all changes must be less than 2^63");
        }
        if (topology.version() != version) {
            throw header.fault(
                    "version", "version must be " + topology.version() + ", the sum of all changes: " + version);
        }
        return topology;
    }

    private static SortedMap<ShardId, ShardEntry> readShards(List<Line> lines) {
        SortedMap<ShardId, ShardEntry> entries = new TreeMap<>();
        for (Line line : lines) {
            ShardEntry entry = readShard(line);
            if (entries.put(entry.id(), entry) != null) {
                throw line.fault("id", "shard must be given once: " + entry.id());
            }
            if (entries.size() > ClusterTopology.MAX_SHARDS) {
                throw line.fault("id", "shards must be at most " + ClusterTopology.MAX_SHARDS + ": " + entry.id());
            }
        }
        return entries;
    }

    private static ShardEntry readShard(Line line) {
        ShardId id = line.check("id", ShardId::new, value -> true, "");
        int generation = readGeneration(line, "generation");
        ShardEntry.Present present = line.has("primary") ? readPresent(line) : null;
        long leastEpochs = present == null ? 0 : present.epoch();
        long leastMembers = present == null ? 0 : ShardEntry.weight(present.membersAt());
        long epochTotal = readTotal(line, "epoch-total", leastEpochs);
        long membersTotal = readTotal(line, "members-total", leastMembers);
        return new ShardEntry(id, generation, present, epochTotal, membersTotal, line.rest());
    }

    private static ShardEntry.Present readPresent(Line line) {
        long epoch = line.check("epoch", Epoch::parse, value -> true, "");
        NodeId primary = line.check("primary", NodeId::new, value -> true, "");
        List<NodeId> nodes = line.check(
                "nodes",
                TopologyText::readNodeIds,
                value -> value.size() <= TopologyChange.MAX_NODES,
                "nodes of a shard must be at most " + TopologyChange.MAX_NODES);
        LogPosition membersAt = line.has("members-at")
                ? line.check(
                        "members-at",
                        LogPosition::parse,
                        value -> value.offset() <= Long.MAX_VALUE - value.epoch(),
                        "position must not be that far")
                : LogPosition.START;
        return new ShardEntry.Present(epoch, primary, membersAt, nodes);
    }

    private static List<NodeId> readNodeIds(String value) {
        return Shard.sortedNodes(
                Arrays.stream(value.split(",", -1)).map(NodeId::new).toList());
    }

    private static int readGeneration(Line line, String field) {
        return line.check(field, Integer::parseInt, value -> value >= 1, field + " must be at least 1");
    }

    private static long readTotal(Line line, String name, long least) {
        return line.has(name)
                ? line.check(name, Long::parseLong, value -> value >= least, name + " must be at least " + least)
                : least;
    }

    private static void readSlots(Line line, Map<ShardId, ShardEntry> entries, SlotTable.Draft table) {
        SlotTable.Owner owner = line.has("owner") ? readOwner(line, "owner", "generation", entries) : null;
        SlotTable.Owner source =
                owner != null && line.has("from") ? readOwner(line, "from", "from-generation", entries) : null;
        if (source != null && source.equals(owner)) {
            throw line.fault("from", "data of slots on their way must be at another shard: " + source.shard());
        }
        int stamp = readStamp(line);
        SlotSet set = line.check("set", SlotSet::parse, value -> true, "");
        line.expectNoMore();
        set.forEach(slot -> {
            if (table.stamp(slot) != 0) {
                throw line.fault("set", "slot must be given once: " + slot);
            }
            table.set(slot, owner, source, stamp);
        });
    }

    private static SlotTable.Owner readOwner(
            Line line, String field, String generationField, Map<ShardId, ShardEntry> entries) {
        ShardId shard = line.check(field, ShardId::new, entries::containsKey, field + " must be a shard");
        int generation = line.has(generationField) ? readGeneration(line, generationField) : 1;
        ShardEntry entry = entries.get(shard);
        if (entry != null && generation > entry.generation()) {
            throw line.fault(
                    generationField,
                    "generation of an owner must be at most " + entry.generation() + ", that of the shard: "
                            + generation);
        }
        return new SlotTable.Owner(shard, generation);
    }

    private static int readStamp(Line line) {
        return line.check("stamp", Integer::parseInt, value -> value >= 1, "stamp must be at least 1");
    }

    private static SortedMap<NodeId, NodeEntry> readNodes(List<Line> lines) {
        SortedMap<NodeId, NodeEntry> nodes = new TreeMap<>();
        for (Line line : lines) {
            NodeId id = line.check("id", NodeId::new, value -> true, "");
            int stamp = readStamp(line);
            NodeAddress address =
                    line.has("address") ? line.check("address", NodeAddress::parse, value -> true, "") : null;
            line.expectNoMore();
            if (nodes.put(id, new NodeEntry(id, stamp, address)) != null) {
                throw line.fault("id", "node must be given once: " + id);
            }
            if (nodes.size() > ClusterTopology.MAX_ADDRESSES) {
                throw line.fault(
                        "id", "nodes with an address must be at most " + ClusterTopology.MAX_ADDRESSES + ": " + id);
            }
        }
        return nodes;
    }

    /** One line, its fields, and their positions in the text. */
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

        /** Takes a field out and parses its value. */
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

        /** Returns the fields that were not taken out. */
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
