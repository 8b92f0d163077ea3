package io.kvorum.benchmarks;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of looking up a slot's primary, of moving a third of all slots from one shard to another, and of merging two
 * topologies, in a topology of three shards.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar quick TopologyBenchmark}. A look-up allocates nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class TopologyBenchmark {
    private static final int LOOKUPS = 1_024;

    private ClusterTopology topology = ClusterTopology.EMPTY;
    private ClusterTopology later = ClusterTopology.EMPTY;
    private TopologyChange move = new TopologyChange.RemoveShard(new ShardId("s0"));
    private int[] slots = {};
    private int next;

    @Setup
    public void build() {
        List<TopologyChange> changes = new ArrayList<>();
        List<SlotRange> ranges = SlotRange.evenSplit(3);
        for (int i = 0; i < ranges.size(); i++) {
            ShardId shard = new ShardId("s" + i);
            List<NodeId> replicas = List.of(new NodeId(shard + "-b"), new NodeId(shard + "-c"));
            changes.add(new TopologyChange.AddShard(shard, 1, new NodeId(shard + "-a"), replicas));
            changes.add(new TopologyChange.AssignSlots(SlotSet.ofRanges(List.of(ranges.get(i))), shard));
        }
        topology = ClusterTopology.EMPTY.apply(0, changes);
        move = new TopologyChange.MoveSlots(SlotSet.ofRange(0, 5_460), new ShardId("s0"), new ShardId("s1"));
        later = topology.apply(topology.version(), move);
        slots = new SplittableRandom(20_261_122)
                .ints(LOOKUPS, 0, HashSlot.COUNT)
                .toArray();
    }

    @Benchmark
    public @Nullable NodeId primaryOfASlot() {
        return topology.primaryOf(slots[next++ & (LOOKUPS - 1)]);
    }

    @Benchmark
    public ClusterTopology moveOf5461Slots() {
        return topology.apply(topology.version(), move);
    }

    @Benchmark
    public ClusterTopology merge() {
        return topology.merge(later);
    }
}
