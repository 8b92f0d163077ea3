package io.kvorum.testkit.simulation;

import java.util.Locale;

/**
 * One thing that goes wrong, or that an operator does, as data: so that it can be listed, left out and shortened.
 *
 * @param kind what goes wrong
 * @param at when it begins, in nanoseconds of virtual time
 * @param length how long it lasts
 * @param target whom it strikes: an index for the kinds that strike one, a set of processes (one bit each) for those
 *     that strike sets
 * @param strength how strong it is, for the kinds that have a strength: so many of a thousand messages, or links
 * @param detail what it is aimed at, for the kinds that need it: a kind of message, a site, or a second target
 */
record Fault(Kind kind, long at, long length, long target, int strength, int detail) {
    /** The kinds of faults. */
    enum Kind {
        /** A process crashes and restarts with what it had saved; a node keeps its data and its log too. */
        CRASH,
        /** A node crashes and restarts with its promise but without its data, if no other node's data is at risk. */
        CRASH_EMPTY,
        /**
         * While one replica of a shard lags behind, another loses its data, and then the primary crashes: what was
         * acknowledged last is left at the primary only, and nobody may replace it before it's back.
         */
        LAST_COPY_DOWN,
        /** A process does nothing for a while, and then everything at once. */
        PAUSE,
        /** A set of processes and the others don't reach each other. */
        CUT,
        /** A set of processes doesn't reach the others, but is reached by them. */
        CUT_ONE_WAY,
        /** Some pairs of processes don't reach each other: some are cut off from some, and others are bridges. */
        CUT_LINKS,
        /** Messages are lost. */
        LOSS,
        /** Messages are delivered twice. */
        REPEAT,
        /** Messages are slow, and overtake each other. */
        SLOW,
        /**
         * Messages to a set of processes are delivered again very late, some when their receiver has restarted, and
         * some only then.
         */
        LATE_COPIES,
        /** A process can't save its state. */
        DISK,
        /** An operator asks a sentinel to fail a healthy shard over. */
        SWITCHOVER,
        /** A sentinel crashes and restarts without its state. */
        SENTINEL_LOST,
        /** A sentinel crashes and restarts with a state that it had saved some time before. */
        SENTINEL_OLD,
        /** A node crashes and restarts on an empty disk, if no other node's data is at risk. */
        PROMISE_LOST,
        /** As {@link #PROMISE_LOST}, while one replica lags behind, and then the primary is cut off. */
        PROMISE_LOST_CUT,
        /** All nodes of a shard lose their data; an operator begins it anew. */
        ALL_LOST,
        /** Messages of one kind are late, by up to the length of the fault, while all others pass. */
        LATE_KIND,
        /** A process takes each step 20 to 100 ms late. */
        SLOW_STEPS,
        /** The primary of a shard takes a constant rate of writes. */
        LOAD,
        /** A node loses every large message. */
        LARGE_LOST,
        /** A member of a shard is cut off from the other members. */
        CUT_MEMBER,
        /** A member restarts without its data and gets none, and the sentinels lose sight of the primary. */
        LASTING_UNSYNCED,
        /** A sentinel and some members don't reach each other. */
        PARTIAL_SIGHT,
        /** An operator removes a shard and adds it again. */
        SHARD_REMOVED,
        /** An operator asks for a switchover, and the old primary is cut off at a step of it. */
        SWITCHOVER_CUT,
        /** Something that the user gave to a process throws, once. */
        CALLBACK_THROWS,
        /** Processes crash at a kind of message or moment. */
        PLACED_CRASH,
        /** Processes are cut off at a kind of message or moment. */
        PLACED_CUT,
        /** Sentinels crash at a kind of message or moment, and soon restart without their state or with an old one. */
        PLACED_FORGET,
        /** An election is forgotten, while its promotion is under way. */
        FORGOTTEN_ELECTION,
        /** Messages between nodes are delivered to a node of another shard too. */
        STRAYS,
        /**
         * The primary of a shard, with some of its replicas and clients, and all others don't reach each other; a
         * replica on its side restarts meanwhile, and the primary itself may restart at the end.
         */
        SPLIT,
        /** Nodes lose their data at a moment of a full sync, if no other node's data is at risk. */
        PLACED_EMPTY,
        /** Some replicas of a shard can't save, at most all but one, and the primary restarts meanwhile. */
        SHARD_DISKS,
        /**
         * The primary of a shard is cut off; once another node leads, everybody but the other members reaches it again.
         */
        FORMER_PRIMARY,
        /** An operator names the node that is to lead, and it crashes at a step of that, perhaps without its data. */
        TARGET_CRASH,
        /**
         * The primary of a shard is cut off, and all replicas but one lose their data: an operator begins the shard
         * anew with what that one has, perhaps with a full disk at first, and the former primary comes back.
         */
        BEGIN_ANEW,
        /** A primary crashes, and an operator removes its shard at a step of the failover, and adds it again. */
        REMOVED_IN_FAILOVER,
        /**
         * An operator replaces a replica by a spare node; the replica, or at the end of the sync the primary, may be
         * cut off meanwhile.
         */
        REPLACE,
        /** The clocks of a process jump: forward the one that only goes forward, any way the calendar. */
        CLOCK_JUMP
    }

    long end() {
        return at + length;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s at %.3f s for %.3f s, target %s, strength %d, detail %d",
                kind,
                at / 1e9,
                length / 1e9,
                kind == Kind.CUT || kind == Kind.CUT_ONE_WAY || kind == Kind.LATE_COPIES
                        ? Long.toBinaryString(target)
                        : Long.toString(target),
                strength,
                detail);
    }
}
