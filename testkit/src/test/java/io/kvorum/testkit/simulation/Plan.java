package io.kvorum.testkit.simulation;

import io.kvorum.testkit.simulation.Fault.Kind;
import io.kvorum.testkit.simulation.Profile.Style;
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
 * @param profile what kind of run it is
 * @param style how its faults lie in time
 * @param shape how many of everything there are
 * @param faultsEnd when the last fault has ended
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
 * @param priorityZero how many of a thousand nodes have priority 0
 * @param faults what goes wrong when, by time
 */
record Plan(
        long seed,
        Profile profile,
        Style style,
        Shape shape,
        long faultsEnd,
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
        int priorityZero,
        List<Fault> faults) {
    static final long MILLISECOND = 1_000_000L;
    static final long SECOND = 1_000 * MILLISECOND;

    /** When the first fault may begin: once the shards have settled. */
    static final long FAULTS_BEGIN = 3 * SECOND;

    private static final long STORM_END = 100 * SECOND;
    private static final long OTHERS_END = 50 * SECOND;
    private static final long MAX_THINK_TIME = 400 * MILLISECOND;
    private static final int MAX_VALUE_BYTES = 800; // the smallest log takes records of up to 1,016 bytes
    private static final int SMALLEST_LOG = 11; // as a power of 2
    private static final int BUSY_PER_MILLE = 250;
    private static final int MAX_FAULTS = 40;
    private static final int MAX_LASTING = 3;

    /** Draws the plan of a seed in a profile. */
    static Plan draw(long seed, Profile profile) {
        return draw(seed, profile, someKinds(profile, Randomness.stream(seed, Stream.KINDS)));
    }

    private static Plan draw(long seed, Profile profile, Set<Kind> kinds) {
        Randomness drawn =
                Randomness.stream(seed, Stream.SHAPE + ((long) profile.name().hashCode() << 32));
        Style style = profile.style(drawn);
        Shape shape = profile.shape(drawn);
        boolean calm = style != Style.STORM;
        boolean steady = style == Style.STEADY;
        int priorityZero = drawn.chance(profile.priorityZero()) ? drawn.nextInt(100, 600) : 0;
        Randomness random = Randomness.stream(seed, Stream.PLAN);
        long minDelay = steady ? random.nextLong(2, 6) * MILLISECOND : random.magnitude(20_000, MILLISECOND);
        boolean busy = random.chance(BUSY_PER_MILLE) || steady; // a small log is soon overrun, and full syncs are many
        long end = calm || profile != Profile.CLASSIC ? OTHERS_END : STORM_END;
        return new Plan(
                seed,
                profile,
                style,
                shape,
                end,
                random.nextBoolean(),
                minDelay,
                minDelay + (steady ? 4 * MILLISECOND : random.magnitude(100_000, 20 * MILLISECOND)),
                !calm && random.chance(300) ? random.nextInt(1, 30) : 0,
                !calm && random.chance(300) ? random.nextInt(1, 50) : 0,
                1
                        << (steady
                                ? random.nextInt(SMALLEST_LOG, 17)
                                : busy ? SMALLEST_LOG : random.nextInt(SMALLEST_LOG, 19)),
                busy ? MAX_VALUE_BYTES : (int) random.magnitude(1, MAX_VALUE_BYTES),
                random.chance(300),
                busy && !calm ? MAX_THINK_TIME / 8 : random.nextLong(MAX_THINK_TIME / 4, MAX_THINK_TIME),
                !calm && random.chance(300) ? random.nextInt(100, 500) : 0,
                !calm && random.chance(300) ? random.nextInt(100, 700) : 0,
                !calm && random.chance(300) ? random.nextInt(100, 700) : 0,
                priorityZero,
                new Draw(seed, shape, style, end, kinds).faults());
    }

    /**
     * {@return whether the last node of each shard is a spare one at first} Only where a majority of the nodes is one
     * of the members, whichever node is the spare one.
     */
    boolean hasSpares() {
        return profile == Profile.OPERATIONS && shape.members() > 2 && shape.members() % 2 == 0;
    }

    /** {@return how many replicas a primary demands before it takes writes} */
    int minReplicas() {
        boolean any = profile == Profile.OPERATIONS && shape.members() > 2;
        return any ? (int) Randomness.below(Randomness.hash(seed, Stream.SETTINGS, 1), 2) : 0;
    }

    /** {@return this plan with other faults, to find out which of them matter} */
    Plan withFaults(List<Fault> others) {
        return new Plan(
                seed,
                profile,
                style,
                shape,
                faultsEnd,
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
                priorityZero,
                others);
    }

    private static Set<Kind> someKinds(Profile profile, Randomness random) {
        Set<Kind> all = profile.kinds();
        Set<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (Kind kind : all) {
            if (random.chance(all.size() > 14 ? 300 : 600)) {
                kinds.add(kind);
            }
        }
        return kinds.isEmpty() ? EnumSet.of(all.iterator().next()) : kinds;
    }

    /** Draws the faults of a plan. */
    private record Draw(long seed, Shape shape, Style style, long end, Set<Kind> kinds) {
        List<Fault> faults() {
            List<Fault> faults = new ArrayList<>();
            Randomness random = Randomness.stream(seed, Stream.FAULTS);
            int count = style == Style.STORM
                    ? random.nextInt(4, (end == STORM_END ? MAX_FAULTS : MAX_FAULTS / 2) + 1)
                    : random.nextInt(1, MAX_LASTING + 1);
            List<Kind> inOrder = List.copyOf(new TreeSet<>(kinds));
            for (int i = 0; i < count; i++) {
                faults.add(fault(Randomness.stream(seed, Stream.FIRST_FAULT + i), inOrder));
            }
            if (style == Style.STEADY) {
                long length = end - FAULTS_BEGIN - 2 * SECOND;
                int percent = (int) random.magnitude(10, 200);
                faults.add(new Fault(Kind.LOAD, FAULTS_BEGIN, length, random.nextInt(shape.shards()), percent, 0));
            } else if (style == Style.DETECTION) {
                faults.add(new Fault(
                        Kind.SLOW_STEPS, FAULTS_BEGIN, end - FAULTS_BEGIN, allOf(random), 0, random.nextInt(20, 101)));
                for (long at = FAULTS_BEGIN + 5 * SECOND; at < end - 12 * SECOND; at += 12 * SECOND) {
                    int shard = random.nextInt(shape.shards());
                    faults.add(new Fault(Kind.CRASH, at, 6 * SECOND, primaryOf(shard), 0, 0));
                }
            }
            faults.sort(Comparator.comparingLong(Fault::at));
            return List.copyOf(faults);
        }

        /** {@return the target that stands for whatever node leads a shard by then} */
        private long primaryOf(int shard) {
            return -1L - shard;
        }

        /** All sentinels, or some process. */
        private long allOf(Randomness random) {
            return random.chance(700) ? shape.allSentinels() : 1L << random.nextInt(shape.nodes() + shape.sentinels());
        }

        private Fault fault(Randomness random, List<Kind> inOrder) {
            Kind kind = inOrder.get(random.nextInt(inOrder.size()));
            long longest = 12 * SECOND;
            long length = switch (kind) {
                case LATE_COPIES -> random.magnitude(2 * SECOND, 30 * SECOND);
                case LATE_KIND -> random.magnitude(SECOND, 8 * SECOND);
                case PLACED_CRASH, PLACED_CUT, PLACED_FORGET, PLACED_EMPTY -> random.nextLong(2 * SECOND, 30 * SECOND);
                case SPLIT -> random.nextLong(3 * SECOND, longest);
                case FORMER_PRIMARY, BEGIN_ANEW -> random.nextLong(9 * SECOND, 14 * SECOND);
                case REMOVED_IN_FAILOVER, REPLACE -> random.nextLong(3 * SECOND, 8 * SECOND);
                case FORGOTTEN_ELECTION -> random.nextLong(10 * SECOND, 16 * SECOND);
                case SHARD_REMOVED -> random.magnitude(50 * MILLISECOND, 6 * SECOND);
                case SLOW_STEPS -> random.magnitude(3 * SECOND, 30 * SECOND);
                default -> random.magnitude(50 * MILLISECOND, longest);
            };
            boolean lasts = style == Style.LASTING || kind == Kind.LARGE_LOST || kind == Kind.LASTING_UNSYNCED;
            if (lasts) {
                length = random.nextLong(22 * SECOND, 40 * SECOND);
            } else if (style != Style.STORM && kind != Kind.SLOW_STEPS) {
                length = Math.min(length, 3 * SECOND);
            }
            long latest = style == Style.STEADY ? FAULTS_BEGIN + 10 * SECOND : end - length;
            long at = random.nextLong(FAULTS_BEGIN, Math.min(latest, end - length));
            return new Fault(kind, at, length, target(kind, random), strength(kind, random), detail(kind, random));
        }

        private static int strength(Kind kind, Randomness random) {
            return switch (kind) {
                case LOSS -> random.nextInt(20, 400);
                case REPEAT -> random.nextInt(20, 500);
                case SLOW -> random.nextInt(100, 900);
                case LATE_COPIES -> random.nextInt(50, 1000);
                case LATE_KIND -> (int) random.magnitude(100, 1000);
                case LOAD -> (int) random.magnitude(10, 200);
                case STRAYS -> (int) random.magnitude(2, 200);
                case PLACED_CRASH, PLACED_CUT, PLACED_FORGET, PLACED_EMPTY -> (int) random.magnitude(60, 1000);
                case LARGE_LOST -> random.nextInt(100, 1000);
                case ALL_LOST, CALLBACK_THROWS, TARGET_CRASH, BEGIN_ANEW -> random.nextInt(2);
                case CLOCK_JUMP -> (int) random.magnitude(50, 20_000);
                default -> 0;
            };
        }

        private int detail(Kind kind, Randomness random) {
            return switch (kind) {
                case LATE_KIND -> MessageKind.number(MessageKind.late(random));
                case PLACED_CRASH, PLACED_CUT -> MessageKind.number(MessageKind.place(random)) << 1 | random.nextInt(2);
                case PLACED_FORGET ->
                    MessageKind.number(random.nextBoolean() ? MessageKind.VOTE_ANSWER : MessageKind.place(random)) << 1
                            | random.nextInt(2);
                case PLACED_EMPTY -> MessageKind.number(MessageKind.syncStep(random));
                case SPLIT -> random.nextInt(1 << (shape.members() + shape.clients() + 1));
                case SHARD_DISKS -> random.nextInt(shape.members());
                case SWITCHOVER -> random.nextInt(4); // 0: the sentinel has just restarted
                case SWITCHOVER_CUT -> MessageKind.number(MessageKind.switchoverStep(random));
                case SLOW_STEPS -> random.nextInt(20, 101);
                case TARGET_CRASH ->
                    MessageKind.number(MessageKind.switchoverStep(random)) << 4 | random.nextInt(shape.members());
                case BEGIN_ANEW -> random.nextInt(shape.members());
                case REMOVED_IN_FAILOVER -> MessageKind.number(MessageKind.failoverStep(random));
                case REPLACE -> random.nextInt(32);
                case CLOCK_JUMP -> random.nextInt(-20_000, 20_001);
                case CALLBACK_THROWS -> random.nextInt(Failing.SITES.size());
                case LASTING_UNSYNCED -> random.nextInt(Math.max(1, shape.sentinels()));
                default -> 0;
            };
        }

        private long target(Kind kind, Randomness random) {
            return switch (kind) {
                case CRASH_EMPTY,
                        LAST_COPY_DOWN,
                        PROMISE_LOST,
                        PROMISE_LOST_CUT,
                        LARGE_LOST,
                        CUT_MEMBER,
                        LASTING_UNSYNCED -> random.nextInt(shape.nodes());
                case CRASH, PAUSE, DISK, CALLBACK_THROWS, CLOCK_JUMP ->
                    random.nextInt(shape.nodes() + shape.sentinels());
                case LATE_COPIES, LATE_KIND -> random.nextBoolean() ? shape.everybody() : someProcesses(random);
                case CUT, CUT_ONE_WAY -> someProcesses(random);
                case SWITCHOVER, SWITCHOVER_CUT, TARGET_CRASH, REPLACE ->
                    random.nextInt(shape.shards() * shape.sentinels());
                case SENTINEL_LOST, SENTINEL_OLD -> shape.nodes() + random.nextInt(shape.sentinels());
                case ALL_LOST,
                        LOAD,
                        SHARD_REMOVED,
                        FORGOTTEN_ELECTION,
                        SPLIT,
                        SHARD_DISKS,
                        FORMER_PRIMARY,
                        BEGIN_ANEW,
                        REMOVED_IN_FAILOVER -> random.nextInt(shape.shards());
                case CUT_LINKS -> random.nextLong();
                case SLOW_STEPS -> allOf(random);
                case PARTIAL_SIGHT -> sight(random);
                case LOSS, REPEAT, SLOW, PLACED_CRASH, PLACED_CUT, PLACED_FORGET, STRAYS, PLACED_EMPTY -> 0;
            };
        }

        /** One sentinel and some members of one shard. */
        private long sight(Randomness random) {
            long members = 0;
            int shard = random.nextInt(shape.shards());
            for (int i = 0; i < shape.members(); i++) {
                members |= random.nextBoolean() ? 1L << (shard * shape.members() + i) : 0;
            }
            return members | 1L << (shape.nodes() + random.nextInt(shape.sentinels()));
        }

        /** One process, all nodes of a shard, all but one of them with some clients, or any set of any size. */
        private long someProcesses(Randomness random) {
            int choice = random.nextInt(5);
            int shard = random.nextInt(shape.shards());
            switch (choice) {
                case 0, 1 -> {
                    return 1L << random.nextInt(shape.nodes() + shape.sentinels());
                }
                case 2 -> {
                    return shape.membersOf(shard);
                }
                case 3 -> {
                    long nodes = shape.membersOf(shard)
                            & ~(1L << (shard * shape.members() + random.nextInt(shape.members())));
                    long clients = random.nextLong(1L << shape.clients());
                    return nodes | (clients << (shape.nodes() + shape.sentinels()));
                }
                default -> {
                    int size = random.nextInt(1, shape.processes());
                    long set = 0;
                    while (Long.bitCount(set) < size) {
                        set |= 1L << random.nextInt(shape.processes());
                    }
                    return set;
                }
            }
        }
    }
}
