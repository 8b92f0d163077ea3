package io.kvorum.testkit.simulation;

import io.kvorum.testkit.simulation.Fault.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * All that is drawn from the seed before a run starts. Each seed draws which kinds of faults it has and how strong they
 * are ("swarm testing"), since a run in which everything goes wrong at once shows less than runs that differ.
 *
 * @param seed the seed
 * @param inOrder whether the network keeps the order of the messages of a link
 * @param minDelay the shortest time a message is under way, in nanoseconds
 * @param maxDelay the longest time a message is usually under way
 * @param loss how many of a thousand messages are lost at any time
 * @param repeats how many of a thousand messages are delivered twice at any time
 * @param logCapacity the bytes that each node's log retains
 * @param valueBytes the most bytes of a value, beside its number
 * @param hotKeys whether most operations are about a few keys
 * @param thinkTime the longest time a client waits between two operations
 * @param crashAfterVote how many of a thousand votes are followed by a crash of the voter
 * @param crashAfterElection how many of a thousand elections are followed by a crash of the elected sentinel
 * @param crashAfterPromotion how many of a thousand promotions are followed by a crash of the promoting sentinel
 * @param faults what goes wrong when, by time
 */
record Plan(
        long seed,
        boolean inOrder,
        long minDelay,
        long maxDelay,
        int loss,
        int repeats,
        int logCapacity,
        int valueBytes,
        boolean hotKeys,
        long thinkTime,
        int crashAfterVote,
        int crashAfterElection,
        int crashAfterPromotion,
        List<Fault> faults) {
    static final long MILLISECOND = 1_000_000L;
    static final long SECOND = 1_000 * MILLISECOND;

    /** When the first fault may begin: once the shards have settled. */
    static final long FAULTS_BEGIN = 3 * SECOND;

    /** When the last fault has ended. */
    static final long FAULTS_END = 100 * SECOND;

    private static final long MAX_THINK_TIME = 400 * MILLISECOND;
    private static final int MAX_VALUE_BYTES = 800; // the smallest log takes records of up to 1,016 bytes
    private static final int SMALLEST_LOG = 11; // as a power of 2
    private static final int BUSY_PER_MILLE = 250;
    private static final int MAX_FAULTS = 40;

    /** Draws the plan of a seed. */
    static Plan draw(long seed) {
        return draw(seed, someKinds(Randomness.stream(seed, Stream.KINDS)));
    }

    /** Draws the plan of a seed with just these kinds of faults. */
    static Plan draw(long seed, Set<Kind> kinds) {
        Randomness random = Randomness.stream(seed, Stream.PLAN);
        long minDelay = random.magnitude(20_000, MILLISECOND);
        boolean busy = random.chance(BUSY_PER_MILLE); // so that a small log is soon overrun, and full syncs are many
        return new Plan(
                seed,
                random.nextBoolean(),
                minDelay,
                minDelay + random.magnitude(100_000, 20 * MILLISECOND),
                random.chance(300) ? random.nextInt(1, 30) : 0,
                random.chance(300) ? random.nextInt(1, 50) : 0,
                1 << (busy ? SMALLEST_LOG : random.nextInt(SMALLEST_LOG, 19)),
                busy ? MAX_VALUE_BYTES : (int) random.magnitude(1, MAX_VALUE_BYTES),
                random.chance(300),
                busy ? MAX_THINK_TIME / 8 : random.nextLong(MAX_THINK_TIME / 4, MAX_THINK_TIME),
                random.chance(300) ? random.nextInt(100, 500) : 0,
                random.chance(300) ? random.nextInt(100, 700) : 0,
                random.chance(300) ? random.nextInt(100, 700) : 0,
                faults(seed, kinds));
    }

    /** {@return this plan with other faults, to find out which of them matter} */
    Plan withFaults(List<Fault> others) {
        return new Plan(
                seed,
                inOrder,
                minDelay,
                maxDelay,
                loss,
                repeats,
                logCapacity,
                valueBytes,
                hotKeys,
                thinkTime,
                crashAfterVote,
                crashAfterElection,
                crashAfterPromotion,
                others);
    }

    private static Set<Kind> someKinds(Randomness random) {
        Set<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (Kind kind : Kind.values()) {
            if (random.chance(600)) {
                kinds.add(kind);
            }
        }
        return kinds.isEmpty() ? EnumSet.of(Kind.CRASH) : kinds;
    }

    private static List<Fault> faults(long seed, Set<Kind> kinds) {
        List<Kind> inOrder = List.copyOf(new TreeSet<>(kinds));
        List<Fault> faults = new ArrayList<>();
        int count = Randomness.stream(seed, Stream.FAULTS).nextInt(4, MAX_FAULTS + 1);
        for (int i = 0; i < count; i++) {
            faults.add(fault(Randomness.stream(seed, Stream.FIRST_FAULT + i), inOrder));
        }
        faults.sort(Comparator.comparingLong(Fault::at));
        return List.copyOf(faults);
    }

    private static Fault fault(Randomness random, List<Kind> kinds) {
        Kind kind = kinds.get(random.nextInt(kinds.size()));
        long length = kind == Kind.LATE_COPIES
                ? random.magnitude(2 * SECOND, 30 * SECOND)
                : random.magnitude(50 * MILLISECOND, 12 * SECOND);
        long at = random.nextLong(FAULTS_BEGIN, FAULTS_END - length);
        long target = target(kind, random);
        int strength = switch (kind) {
            case LOSS -> random.nextInt(20, 400);
            case REPEAT -> random.nextInt(20, 500);
            case SLOW -> random.nextInt(100, 900);
            case LATE_COPIES -> random.nextInt(50, 1000);
            default -> 0;
        };
        return new Fault(kind, at, length, target, strength);
    }

    private static long target(Kind kind, Randomness random) {
        return switch (kind) {
            case CRASH_EMPTY, LAST_COPY_DOWN -> random.nextInt(Cluster.NODES);
            case CRASH, PAUSE, DISK -> random.nextInt(Cluster.NODES + Cluster.SENTINELS);
            case LATE_COPIES -> random.nextBoolean() ? (1L << Cluster.PROCESSES) - 1 : someProcesses(random);
            case CUT, CUT_ONE_WAY -> someProcesses(random);
            case SWITCHOVER -> random.nextInt(Cluster.SHARDS * Cluster.SENTINELS);
            case CUT_LINKS -> random.nextLong();
            case LOSS, REPEAT, SLOW -> 0;
        };
    }

    /** One process, all nodes of a shard, all but one of them with some clients, or any set of any size. */
    private static long someProcesses(Randomness random) {
        int choice = random.nextInt(5);
        long nodesOfShard = (1L << Cluster.NODES_PER_SHARD) - 1;
        int firstNode = random.nextInt(Cluster.SHARDS) * Cluster.NODES_PER_SHARD;
        switch (choice) {
            case 0, 1 -> {
                return 1L << random.nextInt(Cluster.NODES + Cluster.SENTINELS);
            }
            case 2 -> {
                return nodesOfShard << firstNode;
            }
            case 3 -> {
                long nodes = nodesOfShard & ~(1L << random.nextInt(Cluster.NODES_PER_SHARD));
                long clients = random.nextLong(1L << Cluster.CLIENTS);
                return nodes << firstNode | clients << (Cluster.NODES + Cluster.SENTINELS);
            }
            default -> {
                int size = random.nextInt(1, Cluster.PROCESSES);
                long set = 0;
                while (Long.bitCount(set) < size) {
                    set |= 1L << random.nextInt(Cluster.PROCESSES);
                }
                return set;
            }
        }
    }
}
