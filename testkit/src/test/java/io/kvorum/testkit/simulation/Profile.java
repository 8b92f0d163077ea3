package io.kvorum.testkit.simulation;

import io.kvorum.testkit.simulation.Fault.Kind;
import java.util.EnumSet;
import java.util.Set;

/** What kinds of runs are drawn: each looks for the faults that the others rarely meet. */
enum Profile {
    /** The default shape, and what goes wrong in any cluster: crashes, cuts, slow and lost messages, full disks. */
    CLASSIC(Style.STORM, false),
    /** As {@link #CLASSIC}, with any shape. */
    SHAPES(Style.STORM, true),
    /** As {@link #SHAPES}, with many nodes of priority 0. */
    PRIORITY_ZERO(Style.STORM, true),
    /** Sentinels lose their state, or come back with an older one. */
    SENTINEL_MEMORY(Style.STORM, true),
    /** Nodes lose their promises together with their data. */
    NODE_MEMORY(Style.STORM, true),
    /** All members of a shard lose their data. */
    ALL_LOST(Style.LASTING, true),
    /** Messages of one kind are late by seconds, while all others pass. */
    LATE_KINDS(Style.STORM, true),
    /** One machine takes each step late; then a primary crashes. */
    SLOW_STEPS(Style.DETECTION, true),
    /** A constant load, and a replica that needs a full sync. */
    LOAD(Style.STEADY, true),
    /** A replica loses every large message and answers the small ones. */
    LARGE_LOST(Style.STEADY, true),
    /** A member stays without its data for long, while the sentinels see only some members. */
    LASTING_UNSYNCED(Style.LASTING, true),
    /** Some sentinels hear only some members, for long. */
    PARTIAL_SIGHT(Style.LASTING, true),
    /** Shards are removed and added again. */
    SHARDS_REMOVED(Style.STORM, true),
    /** Switchovers, with the old primary cut off at a step of them. */
    SWITCHOVERS(Style.STORM, true),
    /** What the user gives to the product throws once. */
    CALLBACKS(Style.STORM, true),
    /** Crashes and cuts at chosen moments. */
    PLACED(Style.STORM, true),
    /** Messages go astray, into another shard. */
    STRAYS(Style.STORM, true),
    /** A process can't save its state, for long, while others crash. */
    DISKS(Style.LASTING, true),
    /** Elections that are forgotten by those who voted, while what they brought about is still under way. */
    FORGOTTEN(Style.STORM, true),
    /** Nodes lose their data during full syncs, and hear what was meant for their former lives. */
    OLD_LIVES(Style.STORM, false),
    /** A primary and some replicas don't reach the sentinels and the other replicas. */
    SPLIT(Style.STORM, false),
    /** An operator does something while something else goes wrong. */
    OPERATIONS(Style.STORM, true),
    /** Some of most kinds, in any style and shape. */
    SWARM(Style.ANY, true);

    /** How faults lie in time. */
    enum Style {
        /** Many short ones. */
        STORM,
        /** A few that last for long. */
        LASTING,
        /** A constant load of one shard, and a few short ones. */
        STEADY,
        /** One lasting state, and crashes of primaries far apart. */
        DETECTION,
        /** Each seed draws its own. */
        ANY
    }

    private final Style style;
    private final boolean anyShape;

    Profile(Style style, boolean anyShape) {
        this.style = style;
        this.anyShape = anyShape;
    }

    private static Set<Kind> classic() {
        return EnumSet.range(Kind.CRASH, Kind.SWITCHOVER);
    }

    /** {@return the kinds of faults of which a run of this profile has some} */
    Set<Kind> kinds() {
        return switch (this) {
            case CLASSIC -> classic();
            case SHAPES -> classic();
            case PRIORITY_ZERO -> classic();
            case SENTINEL_MEMORY ->
                EnumSet.of(
                        Kind.PLACED_FORGET,
                        Kind.SENTINEL_LOST,
                        Kind.SENTINEL_OLD,
                        Kind.LATE_KIND,
                        Kind.CUT,
                        Kind.CRASH,
                        Kind.PARTIAL_SIGHT);
            case NODE_MEMORY ->
                EnumSet.of(
                        Kind.PROMISE_LOST, Kind.PROMISE_LOST_CUT, Kind.CRASH_EMPTY, Kind.CUT, Kind.PAUSE, Kind.CRASH);
            case ALL_LOST -> EnumSet.of(Kind.ALL_LOST);
            case LATE_KINDS -> EnumSet.of(Kind.LATE_KIND, Kind.CRASH, Kind.CUT, Kind.SWITCHOVER, Kind.PAUSE);
            case SLOW_STEPS -> EnumSet.of(Kind.SLOW_STEPS);
            case LOAD -> EnumSet.of(Kind.CRASH_EMPTY, Kind.CUT_MEMBER);
            case LARGE_LOST -> EnumSet.of(Kind.LARGE_LOST, Kind.CRASH_EMPTY);
            case LASTING_UNSYNCED -> EnumSet.of(Kind.LASTING_UNSYNCED);
            case PARTIAL_SIGHT -> EnumSet.of(Kind.PARTIAL_SIGHT, Kind.CUT_LINKS);
            case SHARDS_REMOVED ->
                EnumSet.of(Kind.SHARD_REMOVED, Kind.CRASH, Kind.CUT, Kind.LATE_KIND, Kind.SWITCHOVER);
            case SWITCHOVERS -> EnumSet.of(Kind.SWITCHOVER, Kind.SWITCHOVER_CUT);
            case CALLBACKS -> EnumSet.of(Kind.CALLBACK_THROWS, Kind.CRASH, Kind.CRASH_EMPTY, Kind.SWITCHOVER);
            case PLACED ->
                EnumSet.of(
                        Kind.PLACED_CRASH,
                        Kind.PLACED_CUT,
                        Kind.CRASH_EMPTY,
                        Kind.SWITCHOVER,
                        Kind.CUT,
                        Kind.LATE_COPIES);
            case STRAYS -> EnumSet.of(Kind.STRAYS, Kind.CRASH, Kind.SWITCHOVER);
            case DISKS -> EnumSet.of(Kind.DISK, Kind.SHARD_DISKS, Kind.CRASH, Kind.SWITCHOVER);
            case FORGOTTEN -> EnumSet.of(Kind.FORGOTTEN_ELECTION);
            case OLD_LIVES -> EnumSet.of(Kind.PLACED_EMPTY, Kind.LATE_COPIES);
            case SPLIT -> EnumSet.of(Kind.SPLIT);
            case OPERATIONS ->
                EnumSet.of(
                        Kind.FORMER_PRIMARY,
                        Kind.TARGET_CRASH,
                        Kind.BEGIN_ANEW,
                        Kind.REMOVED_IN_FAILOVER,
                        Kind.REPLACE,
                        Kind.CLOCK_JUMP,
                        Kind.CUT,
                        Kind.CRASH_EMPTY,
                        Kind.LATE_COPIES);
            case SWARM -> EnumSet.range(Kind.CRASH, Kind.SHARD_DISKS);
        };
    }

    /** {@return how many of a thousand runs have nodes of priority 0} */
    int priorityZero() {
        return this == PRIORITY_ZERO ? 1000 : this == SWARM ? 200 : 0;
    }

    Style style(Randomness random) {
        if (style != Style.ANY) {
            return style;
        }
        int choice = random.nextInt(10);
        return choice < 5 ? Style.STORM : choice < 7 ? Style.LASTING : choice < 9 ? Style.STEADY : Style.DETECTION;
    }

    Shape shape(Randomness random) {
        if (this == OPERATIONS && random.nextBoolean()) {
            return Shape.WITH_SPARES;
        }
        Shape shape = anyShape && random.chance(800) ? Shape.draw(random) : Shape.DEFAULT;
        boolean tooSmall = this == FORGOTTEN && (shape.sentinels() < 3 || shape.members() < 3);
        return tooSmall ? Shape.DEFAULT : shape;
    }
}
