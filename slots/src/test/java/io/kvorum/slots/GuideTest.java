package io.kvorum.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeAddress;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.SlotPlan;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The snippets in the guides of the packages, compiled and run. Each stands here between two comments. */
final class GuideTest {
    private static final Path MAIN = Path.of("src", "main", "java", "io", "kvorum", "slots");
    private static final Path TESTS = Path.of("src", "test", "java", "io", "kvorum", "slots");

    @Test
    void hashing() {
        // hashing begins
        int slot = HashSlot.of("user:{42}:name");
        boolean together = slot == HashSlot.of("user:{42}:mail"); // the tag alone is hashed

        SlotSet served = SlotSet.parse("0-5460,16383");
        boolean here = served.contains(slot);
        SlotSet elsewhere = served.complement();

        List<SlotRange> thirds = SlotRange.evenSplit(3);
        // hashing ends
        assertTrue(together);
        assertEquals(8000, slot);
        assertFalse(here);
        assertTrue(elsewhere.contains(slot));
        assertEquals(new SlotRange(0, 5460), thirds.get(0));
    }

    @Test
    void topology() {
        // topology begins
        ShardId left = new ShardId("left");
        ShardId right = new ShardId("right");
        NodeId a = new NodeId("a");
        NodeId b = new NodeId("b");
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(left, Epoch.of(1, 0), a, List.of(b)),
                        new TopologyChange.AddShard(right, Epoch.of(1, 0), new NodeId("c"), List.of()),
                        new TopologyChange.SetAddress(a, new NodeAddress("10.0.0.1", 7000))));
        topology = SlotPlan.evenSplit(topology, List.of(left, right)).applyTo(topology);

        NodeId primary = topology.primaryOf(HashSlot.of("key"));

        ClusterTopology promoted =
                topology.apply(topology.version(), new TopologyChange.Promote(left, Epoch.of(2, 1), b));
        List<TopologyChange> news = topology.changesTo(promoted);
        ClusterTopology same = topology.merge(ClusterTopology.parse(promoted.toText()));
        // topology ends
        assertEquals(new NodeId("c"), primary);
        assertEquals(List.of(new TopologyChange.Promote(left, Epoch.of(2, 1), b)), news);
        assertEquals(promoted, same);
    }

    @Test
    void guidesHoldTheSnippetsAsTheyAreRunHere() throws IOException {
        assertEquals(snippet("hashing"), guide(MAIN.resolve("package-info.java")));
        assertEquals(snippet("topology"), guide(MAIN.resolve("topology").resolve("package-info.java")));
    }

    private static String snippet(String name) throws IOException {
        String source = Files.readString(TESTS.resolve("GuideTest.java"));
        String begin = "// " + name + " begins\n";
        return source.substring(source.indexOf(begin) + begin.length(), source.indexOf("// " + name + " ends"))
                .stripIndent()
                .strip();
    }

    private static String guide(Path file) throws IOException {
        String source = Files.readString(file);
        String begin = "<pre>{@code\n";
        return source.substring(source.indexOf(begin) + begin.length(), source.indexOf("}</pre>"))
                .lines()
                .map(line -> line.replaceFirst("^ \\* ?", ""))
                .collect(Collectors.joining("\n"))
                .strip();
    }
}
