package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A node is written as its id, the epoch and offset of its log, its priority, and {@code -} if it is not synced. */
final class SelectionTest {
    @ParameterizedTest
    @CsvSource({
        // the log decides: the later epoch first, then the greater offset
        "a/1/100/100 b/1/101/100, b",
        "a/2/50/100 b/1/101/100, a",
        "a/2/50/100 b/1/101/1, a",
        "a/1/100/1 b/1/101/100, b",
        // among equals the priority, then the id
        "a/1/100/100 b/1/100/99, b",
        "b/1/100/100 a/1/100/100, a",
        "c/1/100/5 b/1/99/1 a/1/100/6, c",
        // priority 0 is never promoted, nor is a lesser log in its place
        "a/1/100/0 b/1/100/100, b",
        "a/1/101/0 b/1/100/100, none",
        "a/1/100/0, none",
        // data that is not complete counts for nothing
        "a/1/500/100/- b/1/100/100, b",
        "a/1/500/100/-, none",
    })
    void theMostCompleteLogIsChosen(String nodes, String expected) {
        assertEquals(expected, choose(new Selection(null, null, false), nodes));
    }

    @ParameterizedTest
    @CsvSource({
        "a/1/101/0 b/1/100/100 c/1/99/1, b",
        "a/1/100/0, none",
    })
    void aLossyFailoverTakesTheBestThatMayBe(String nodes, String expected) {
        assertEquals(expected, choose(new Selection(null, null, true), nodes));
    }

    @ParameterizedTest
    @CsvSource({
        "a/1/100/100 b/1/100/100 c/1/100/100, b",
        "a/1/100/99 b/1/100/100, a",
        "a/1/101/100 b/1/100/100, a",
    })
    void aNodeToKeepIsPreferredAmongItsEquals(String nodes, String expected) {
        assertEquals(expected, choose(new Selection(new NodeId("b"), null, false), nodes));
    }

    @ParameterizedTest
    @CsvSource({
        "a/1/100/1 b/1/100/100, b",
        "a/1/101/100 b/1/100/100, a",
        "a/1/100/100 b/1/100/0, a",
    })
    void aNodeToAvoidIsTheLastAmongItsEquals(String nodes, String expected) {
        assertEquals(expected, choose(new Selection(null, new NodeId("a"), false), nodes));
    }

    private static String choose(Selection selection, String nodes) {
        List<NodeReport> reports = new ArrayList<>();
        for (String node : nodes.split(" ", -1)) {
            reports.add(report(node.split("/", -1)));
        }
        @Nullable NodeReport chosen = selection.choose(reports);
        return chosen == null ? "none" : chosen.node().value();
    }

    private static NodeReport report(String[] parts) {
        return new NodeReport(
                new NodeId(parts[0]),
                new ShardId("shard"),
                false,
                9,
                null,
                new LogPosition(Long.parseLong(parts[1]), Long.parseLong(parts[2])),
                parts.length == 4,
                Integer.parseInt(parts[3]));
    }
}
