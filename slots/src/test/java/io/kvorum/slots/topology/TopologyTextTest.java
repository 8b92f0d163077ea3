package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.MalformedTextException;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TopologyTextTest {
    private static final ShardId A = new ShardId("a");
    private static final ShardId B = new ShardId("b");
    private static final ShardId C = new ShardId("c");

    private static final String TEXT = """
            topology format=1 version=16393
            shard id=a epoch=2 revision=1 changes=1 primary=a2 replicas=a1,a3
            shard id=b epoch=1 revision=1 changes=1 primary=b1 replicas=
            shard id=c epoch=0 revision=2 changes=2
            slots owner=a stamp=1 set=0-99,102-16383
            slots owner=b stamp=2 set=100
            slots stamp=2 set=101
            """;

    private static ClusterTopology topology() {
        return ClusterTopology.EMPTY.apply(
                0,
                List.of(
                        new AddShard(A, 1, new NodeId("a1"), List.of(new NodeId("a2"), new NodeId("a3"))),
                        new AddShard(B, 1, new NodeId("b1"), List.of()),
                        new AddShard(C, 0, new NodeId("c1"), List.of()),
                        new RemoveShard(C),
                        new AssignSlots(SlotSet.ALL, A),
                        new Promote(A, 2, new NodeId("a2")),
                        new MoveSlots(SlotSet.of(100), A, B),
                        new UnassignSlots(SlotSet.of(101), A)));
    }

    @Test
    void topologyIsWritten() {
        assertEquals(TEXT, topology().toText());
    }

    @Test
    void textIsReadBackAsTheSameTopology() {
        assertEquals(topology(), ClusterTopology.parse(topology().toText()));
        assertEquals(ClusterTopology.EMPTY, ClusterTopology.parse("topology format=1 version=0"));
    }

    @Test
    void orderOfLinesAndFieldsDoesNotMatter() {
        String text = """
                topology version=4 format=1

                slots set=7 stamp=2
                shard changes=1 primary=p revision=1 replicas=r,q epoch=1 id=s
                """;

        assertEquals("""
                topology format=1 version=4
                shard id=s epoch=1 revision=1 changes=1 primary=p replicas=q,r
                slots stamp=2 set=7
                """, ClusterTopology.parse(text).toText());
    }

    @Test
    void whatALaterReleaseAddedIsKept() {
        String text = """
                topology format=1 version=2
                shard id=s epoch=1 revision=1 changes=1 primary=p replicas=q another= z=7 zone=eu=1
                migration id=7 from=s
                policy strict
                """;
        ClusterTopology topology = ClusterTopology.parse(text);

        assertEquals(text, topology.toText());
        String after = topology.apply(2, new Promote(new ShardId("s"), 5, new NodeId("q")))
                .toText();
        assertTrue(
                after.contains("primary=q replicas=p another= z=7 zone=eu=1\nmigration id=7 from=s\npolicy strict\n"),
                after);
        assertEquals(topology, ClusterTopology.EMPTY.merge(topology));
    }

    @Test
    void mergeKeepsLinesOfBothSidesAndFieldsOfTheWinner() {
        ClusterTopology one = ClusterTopology.parse("""
                topology format=1 version=2
                shard id=s epoch=1 revision=1 changes=1 primary=p replicas= zone=x
                policy strict
                """);
        ClusterTopology other = ClusterTopology.parse("""
                topology format=1 version=2
                shard id=s epoch=1 revision=1 changes=1 primary=p replicas= zone=y
                limit 3
                """);

        String merged = """
                topology format=1 version=2
                shard id=s epoch=1 revision=1 changes=1 primary=p replicas= zone=y
                limit 3
                policy strict
                """;
        assertEquals(merged, one.merge(other).toText());
        assertEquals(merged, other.merge(one).toText());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | 0 | text must start with the word topology",
                "'shard id=s' | 0 | text must start with the word topology",
                "'topology' | 8 | topology must have the field format",
                "'topology format=1' | 17 | topology must have the field version",
                "'topology format=2 version=0' | 16 | format must be 1: 2",
                "'topology format=1 version=x' | 26 | version must be a number that is not too large: x",
                "'topology format=1 version=0 more=1' | 33 | topology must not have the field more",
                "'topology format=1 version=3' | 26 | 'version must be 0, the sum of all changes: 3'",
                "'topology format=1 format=1' | 18 | field must be given once: format",
                "'topology format' | 9 | field must be a name, '=' and a value",
                "'topology =1' | 9 | field must be a name, '=' and a value",
                "'topology  format=1' | 9 | field must be a name, '=' and a value"
            })
    void badHeaderIsRefused(String text, int position, String rule) {
        assertRefused(position, rule.replaceAll("^'(version.*)'$", "$1"), text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'shard epoch=1' | 13 | shard must have the field id",
                "'shard id=' | 9 | shard id must have 1 to 64 characters: it has 0",
                "'shard id=s epoch=-1' | 17 | epoch must be at least 0: -1",
                "'shard id=s epoch=1 revision=0' | 28 | revision must be at least 1: 0",
                "'shard id=s epoch=1 revision=2 changes=1' | 38 | changes must be at least the revision: 1",
                "'shard id=s epoch=1 revision=1 changes=1 primary=p' | 49 | shard must have the field replicas",
                "'shard id=s epoch=1 revision=1 changes=1 primary=p replicas=p' | 59 | node must be named once in a shard: p",
                "'shard id=s epoch=1 revision=1 changes=1 primary=p replicas=q,' | 59 | node id must have 1 to 64 characters: it has 0",
                "'slots stamp=1' | 13 | slots must have the field set",
                "'slots set=1' | 11 | slots must have the field stamp",
                "'slots owner=s stamp=1 set=1' | 12 | owner must be a shard: s",
                "'slots stamp=0 set=1' | 12 | stamp must be at least 1: 0",
                "'slots stamp=2147483648 set=1' | 12 | stamp must be a number that is not too large: 2147483648",
                "'slots stamp=1 set=1,20000' | 20 | slot must be between 0 and 16383: 20000",
                "'slots stamp=1 set=1 more=1' | 25 | slots must not have the field more"
            })
    void badLineIsRefused(String line, int position, String rule) {
        String header = "topology format=1 version=0\n";

        assertRefused(header.length() + position, rule, header + line);
    }

    @Test
    void ownerOfASlotChangesFewerThan2To31Times() {
        ClusterTopology topology = ClusterTopology.parse("""
                topology format=1 version=2147483649
                shard id=s epoch=1 revision=1 changes=1 primary=p replicas=
                slots stamp=2147483647 set=5
                """);
        TopologyChange change = new AssignSlots(SlotSet.of(4, 5, 6), new ShardId("s"));

        assertThrows(ArithmeticException.class, () -> topology.apply(topology.version(), change));
    }

    @Test
    void shardOrSlotGivenTwiceIsRefused() {
        String header = "topology format=1 version=0\n";
        String shard = "shard id=s epoch=1 revision=1 changes=1\n";
        String slots = "slots stamp=1 set=5-9\n";

        assertRefused(header.length() + shard.length() + 9, "shard must be given once: s", header + shard + shard);
        assertRefused(header.length() + slots.length() + 18, "slot must be given once: 5", header + slots + slots);
    }

    @Test
    void topologyKnowsAtMost65534ShardsEver() {
        ClusterTopology full = ClusterTopology.parse(removedShards(65_534));
        TopologyChange oneMore = new AddShard(A, 1, new NodeId("a1"), List.of());
        ClusterTopology other = ClusterTopology.EMPTY.apply(0, oneMore);

        assertNotNull(ClusterTopology.parse(removedShards(65_533)).merge(other).shard(A));
        assertTooManyShards(() -> full.apply(full.version(), oneMore));
        assertTooManyShards(() -> full.merge(other));
        assertTooManyShards(() -> other.merge(full));
        String text = removedShards(65_535);
        assertRefused(text.lastIndexOf("s65534"), "shards must be at most 65534: s65534", text);
    }

    private static String removedShards(int count) {
        StringBuilder text = new StringBuilder("topology format=1 version=" + count + "\n");
        for (int i = 0; i < count; i++) {
            text.append("shard id=s").append(i).append(" epoch=0 revision=1 changes=1\n");
        }
        return text.toString();
    }

    private static void assertTooManyShards(Executable change) {
        TopologyConflictException e = assertThrows(TopologyConflictException.class, change);

        assertEquals(TopologyConflictException.Kind.TOO_MANY_SHARDS, e.kind());
    }

    private static void assertRefused(int position, String rule, String text) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> ClusterTopology.parse(text));

        assertEquals(rule, e.rule());
        assertEquals(position, e.position());
    }
}
