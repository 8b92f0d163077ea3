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
import io.kvorum.slots.topology.TopologyChange.SetAddress;
import io.kvorum.slots.topology.TopologyChange.SetMembers;
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
    private static final ShardId D = new ShardId("d");

    private static final String TEXT = """
            topology format=1 version=19539
            shard id=a generation=1 epoch=2.1 primary=a2 nodes=a1,a2,a3
            shard id=b generation=1 epoch=0.1 primary=b1 nodes=b1,b2 members-at=1.0:64
            shard id=c generation=1
            shard id=d generation=2 epoch=0.0 primary=d2 nodes=d2 epoch-total=3 members-total=1
            slots owner=a stamp=1 set=0-99,103-16383
            slots owner=b from=a stamp=2 set=100
            slots stamp=2 set=101
            slots owner=d generation=2 from=a stamp=2 set=102
            node id=a1 stamp=1 address=[fe80::1%eth0]:7000
            node id=b1 stamp=2
            """;

    private static ClusterTopology topology() {
        NodeId a1 = new NodeId("a1");
        NodeId b1 = new NodeId("b1");
        return ClusterTopology.EMPTY.apply(
                0,
                List.of(
                        new AddShard(A, 1, a1, List.of(new NodeId("a2"), new NodeId("a3"))),
                        new AddShard(B, 1, b1, List.of()),
                        new AddShard(C, 0, new NodeId("c1"), List.of()),
                        new RemoveShard(C),
                        new AddShard(D, 3, new NodeId("d1"), List.of()),
                        new SetMembers(D, new LogPosition(0, 1), List.of(new NodeId("d1"), new NodeId("d2"))),
                        new RemoveShard(D),
                        new AddShard(D, 0, new NodeId("d2"), List.of()),
                        new AssignSlots(SlotSet.ALL, A),
                        new Promote(A, Epoch.of(2, 1), new NodeId("a2")),
                        new SetMembers(B, new LogPosition(Epoch.of(1, 0), 64), List.of(b1, new NodeId("b2"))),
                        new MoveSlots(SlotSet.of(100), A, B),
                        new UnassignSlots(SlotSet.of(101), A),
                        new MoveSlots(SlotSet.of(102), A, D),
                        new SetAddress(a1, new NodeAddress("fe80::1%eth0", 7000)),
                        new SetAddress(b1, new NodeAddress("host", 7000)),
                        new SetAddress(b1, null)));
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
                topology version=6 format=1

                node stamp=2 id=r
                slots set=7 stamp=2
                shard nodes=r,p,q generation=1 primary=p epoch=0.1 id=s
                """;

        assertEquals("""
                topology format=1 version=6
                shard id=s generation=1 epoch=0.1 primary=p nodes=p,q,r
                slots stamp=2 set=7
                node id=r stamp=2
                """, ClusterTopology.parse(text).toText());
    }

    @Test
    void whatALaterReleaseAddedIsKept() {
        String text = """
                topology format=1 version=2
                shard id=s generation=1 epoch=0.1 primary=p nodes=p,q another= z=7 zone=eu=1
                migration id=7 from=s
                policy strict
                """;
        ClusterTopology topology = ClusterTopology.parse(text);

        assertEquals(text, topology.toText());
        String after = topology.apply(2, new Promote(new ShardId("s"), 5, new NodeId("q")))
                .toText();
        assertTrue(
                after.contains("primary=q nodes=p,q another= z=7 zone=eu=1\nmigration id=7 from=s\npolicy strict\n"),
                after);
        assertEquals(topology, ClusterTopology.EMPTY.merge(topology));
    }

    @Test
    void mergeKeepsLinesOfBothSidesAndFieldsOfTheWinner() {
        ClusterTopology one = ClusterTopology.parse("""
                topology format=1 version=2
                shard id=s generation=1 epoch=0.1 primary=p nodes=p zone=x
                policy strict
                """);
        ClusterTopology other = ClusterTopology.parse("""
                topology format=1 version=2
                shard id=s generation=1 epoch=0.1 primary=p nodes=p zone=y
                limit 3
                """);

        String merged = """
                topology format=1 version=2
                shard id=s generation=1 epoch=0.1 primary=p nodes=p zone=y
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
                "'shard id=s epoch=0.1' | 20 | shard must have the field generation",
                "'shard id=s generation=0' | 22 | generation must be at least 1: 0",
                "'shard id=s generation=1 primary=p' | 33 | shard must have the field epoch",
                "'shard id=s generation=1 primary=p epoch=1' | 41 | epoch must have the form round.candidate: 1",
                "'shard id=s generation=1 primary=p epoch=1.1024' | 42 | candidate must be at most 1023",
                "'shard id=s generation=1 primary=p epoch=1.1' | 43 | shard must have the field nodes",
                "'shard id=s generation=1 primary=p epoch=1.1 nodes=p,p' | 50 | node must be named once in a shard: p",
                "'shard id=s generation=1 primary=p epoch=1.1 nodes=p,' | 50 | node id must have 1 to 64 characters: it has 0",
                "'shard id=s generation=1 primary=p epoch=1.1 nodes=p members-at=1.1' | 66 | position must have the form epoch:offset: 1.1",
                "'shard id=s generation=1 primary=p epoch=1.1 nodes=p epoch-total=1024' | 64 | epoch-total must be at least 1025: 1024",
                "'shard id=s generation=1 primary=p epoch=0.1 nodes=p members-at=1.1:7 members-total=1031' | 83 | members-total must be at least 1032: 1031",
                "'shard id=s generation=1 epoch-total=-1' | 36 | epoch-total must be at least 0: -1",
                "'node stamp=1' | 12 | node must have the field id",
                "'node id=n' | 9 | node must have the field stamp",
                "'node id=n stamp=0' | 16 | stamp must be at least 1: 0",
                "'node id=n stamp=1 address=x' | 27 | address must have the form host:port or [IPv6 address]:port: x",
                "'node id=n stamp=1 more=1' | 23 | node must not have the field more",
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
                shard id=s generation=1 epoch=0.1 primary=p nodes=p
                slots stamp=2147483647 set=5
                """);
        TopologyChange change = new AssignSlots(SlotSet.of(4, 5, 6), new ShardId("s"));

        assertThrows(ArithmeticException.class, () -> topology.apply(topology.version(), change));
    }

    @Test
    void shardOrSlotGivenTwiceIsRefused() {
        String header = "topology format=1 version=0\n";
        String shard = "shard id=s generation=1\n";
        String node = "node id=n stamp=1\n";
        String slots = "slots stamp=1 set=5-9\n";

        assertRefused(header.length() + shard.length() + 9, "shard must be given once: s", header + shard + shard);
        assertRefused(header.length() + slots.length() + 18, "slot must be given once: 5", header + slots + slots);
        assertRefused(header.length() + node.length() + 8, "node must be given once: n", header + node + node);
    }

    @Test
    void generationOfAnOwnerIsOneThatTheShardHad() {
        String text =
                "topology format=1 version=4\nshard id=s generation=1\nslots owner=s generation=2 stamp=2 set=5\n";

        assertRefused(text.indexOf("2 stamp"), "generation of an owner must be at most 1, that of the shard: 2", text);
        String former = text.replace("version=4", "version=6").replace("s generation=1", "s generation=2");
        assertEquals(
                former.replace("generation=2 stamp", "stamp"),
                ClusterTopology.parse(former.replace("generation=2 stamp", "generation=1 stamp"))
                        .toText());
    }

    @Test
    void sumOfChangesMustFitIntoALong() {
        String far = "shard id=s%d generation=1 epoch=0.1 primary=p nodes=p epoch-total=9000000000000000000\n";
        String text = "topology format=1 version=1\n" + far.formatted(1) + far.formatted(2);

        assertRefused(text.indexOf("1\n"), "sum of all changes must be less than 2^63", text);
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
        StringBuilder text = new StringBuilder("topology format=1 version=" + 2 * count + "\n");
        for (int i = 0; i < count; i++) {
            text.append("shard id=s").append(i).append(" generation=1\n");
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
