package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a sentinel says in each period: all that counts or is new, and of the rest a part. */
final class OpinionsTest {
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final long PERIOD = SETTINGS.askPeriod().toNanos();
    private static final NodeId SELF = new NodeId("S1");
    private static final NodeId OTHER = new NodeId("S2");

    /** What was said in each period. */
    private final List<List<Opinion>> said = new ArrayList<>();

    private long now;

    private static ShardId shard(int number) {
        return new ShardId("shard-" + number);
    }

    private static NodeId primary(int number) {
        return new NodeId("node-" + number);
    }

    private static Sentinel sentinel(int shards) {
        ClusterTopology topology = ClusterTopology.EMPTY;
        for (int i = 0; i < shards; i++) {
            topology =
                    topology.apply(topology.version(), new TopologyChange.AddShard(shard(i), 1, primary(i), List.of()));
        }
        return new Sentinel(SETTINGS, SELF, SentinelList.of(SELF, OTHER), topology, null, new SplittableRandom(1), 0);
    }

    private static NodeAnswer isWell(Sentinel.AddressedCommand asked) {
        NodeReport report = new NodeReport(
                asked.to(),
                asked.command().shard(),
                1,
                true,
                1,
                null,
                LogPosition.START,
                -1,
                true,
                true,
                null,
                LogPosition.START,
                List.of(),
                1);
        return new NodeAnswer(asked.command(), NodeAnswer.Outcome.DONE, report);
    }

    /** Has a number of periods pass, in which all nodes but one report, and notes what the sentinel says in each. */
    private void run(Sentinel sentinel, int periods, NodeId silent) {
        for (int i = 0; i < periods; i++, now += PERIOD) {
            sentinel.tick(now);
            Sentinel.Ready ready = sentinel.ready();
            for (Sentinel.AddressedCommand asked : ready.commands()) {
                if (!asked.to().equals(silent)) {
                    sentinel.answered(isWell(asked), now);
                }
            }
            said.add(ready.messages().stream()
                    .map(Sentinel.Envelope::message)
                    .filter(Opinions.class::isInstance)
                    .flatMap(message -> ((Opinions) message).shards().stream())
                    .toList());
        }
    }

    @Test
    void ofManyShardsEachIsToldWithinTenPeriods() {
        run(sentinel(1_000), 30, SELF);

        for (int period = 10; period < 20; period++) { // beyond the time in which all are new
            assertEquals(100, said.get(period).size(), "in period " + period);
        }
        Set<ShardId> told = new HashSet<>();
        for (int period = 10; period < 20; period++) {
            told.addAll(said.get(period).stream().map(o -> o.primary().shard()).collect(Collectors.toSet()));
        }
        assertEquals(1_000, told.size());
    }

    @Test
    void ofFewShardsAllAreToldInEachPeriod() {
        run(sentinel(15), 20, SELF);

        said.forEach(opinions -> assertEquals(15, opinions.size()));
    }

    @Test
    void anAccusationIsRepeatedInEachPeriod() {
        run(sentinel(1_000), 40, primary(7));

        for (int period = 15; period < 40; period++) {
            assertTrue(
                    said.get(period).stream()
                            .anyMatch(o ->
                                    o.subjectivelyDown() && o.primary().shard().equals(shard(7))),
                    "in period " + period);
        }
    }

    /** The other sentinels take it for up by that. */
    @Test
    void aSentinelWithoutShardsToTellOfStillSpeaks() {
        Sentinel sentinel = sentinel(1);
        sentinel.tick(0);
        sentinel.ready();

        sentinel.tick(PERIOD);

        assertEquals(1, sentinel.ready().messages().size());
    }
}
