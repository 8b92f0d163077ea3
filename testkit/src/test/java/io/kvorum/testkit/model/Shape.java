package io.kvorum.testkit.model;

import java.util.random.RandomGenerator;

/**
 * What a schedule is made of. All frequencies are percentages, unless they are said to be of a thousand steps.
 *
 * @param begun whether the shard has begun when the schedule starts
 * @param steps how long the schedule is
 * @param changes how often primaries change the member list, in a thousand steps
 */
record Shape(
        Nodes nodes,
        Sentinels sentinels,
        Attempts attempts,
        Network network,
        Losses losses,
        boolean begun,
        int steps,
        int changes) {
    /**
     * The nodes.
     *
     * @param members how many nodes the topology gives the shard
     * @param spares how many nodes there are beside them, to replace members
     */
    record Nodes(int members, int spares) {}

    /**
     * The sentinels.
     *
     * @param count how many run attempts
     * @param sameNumber whether all have one number by mistake
     * @param sameIdentity whether all have one identity too, as one process that runs twice
     * @param forgetfulness how often one loses its memory, in a thousand steps
     */
    record Sentinels(int count, boolean sameNumber, boolean sameIdentity, int forgetfulness) {}

    /**
     * What the sentinels do.
     *
     * @param frequency how often one begins an attempt, in a thousand steps
     * @param bootstraps how many attempts begin the shard
     * @param anew how many begin it anew
     * @param lossy how many allow losses; the rest are failovers and switchovers
     */
    record Attempts(int frequency, int bootstraps, int anew, int lossy) {}

    /**
     * The messages.
     *
     * @param late how many are delivered in any order; the others are among the latest
     * @param repeated how many are delivered again
     * @param lost how many are lost
     * @param parts how many appends carry a part of the records only
     * @param rare how many chances to send records are not taken
     */
    record Network(int late, int repeated, int lost, int parts, int rare) {}

    /**
     * The losses of nodes.
     *
     * @param frequency how often one is restarted, in a thousand steps
     * @param withPromise how many of the restarts without data lose the promise too
     * @param reckless whether nodes are lost that the shard cannot go on without
     */
    record Losses(int frequency, int withPromise, boolean reckless) {}

    private static final int[] MEMBERS = {3, 3, 3, 3, 2, 4, 5, 1};

    /** What schedules are mostly about. */
    enum Focus {
        ANYTHING,
        BEGINNINGS,
        NEW_BEGINNINGS,
        CHANGES_OF_MEMBERS,
        LOSSES,
        FIGHTS,
        /** One of the others, by chance. */
        MIXED
    }

    static Shape draw(Focus focus, RandomGenerator random, Rules rules) {
        return switch (focus) {
            case ANYTHING -> anything(random, rules);
            case BEGINNINGS -> beginnings(random, rules);
            case NEW_BEGINNINGS -> newBeginnings(random, rules);
            case CHANGES_OF_MEMBERS -> changesOfMembers(random, rules);
            case LOSSES -> losses(random, rules);
            case FIGHTS -> fights(random, rules);
            case MIXED -> draw(Focus.values()[random.nextInt(Focus.values().length - 1)], random, rules);
        };
    }

    ModelCandidate.Kind drawKind(RandomGenerator random) {
        int what = random.nextInt(100);
        if (what < attempts.bootstraps) {
            return ModelCandidate.Kind.BOOTSTRAP;
        }
        if (what < attempts.bootstraps + attempts.anew) {
            return ModelCandidate.Kind.BEGIN_ANEW;
        }
        if (what < attempts.bootstraps + attempts.anew + attempts.lossy) {
            return ModelCandidate.Kind.LOSSY_FAILOVER;
        }
        return random.nextInt(3) == 0 ? ModelCandidate.Kind.SWITCHOVER : ModelCandidate.Kind.FAILOVER;
    }

    private static Shape anything(RandomGenerator random, Rules rules) {
        boolean begun = random.nextInt(8) > 0;
        return new Shape(
                new Nodes(MEMBERS[random.nextInt(MEMBERS.length)], random.nextInt(3)),
                sentinels(1 + random.nextInt(3), random, rules),
                new Attempts(
                        5 + random.nextInt(3) * 25,
                        begun ? random.nextInt(2) * 8 : 40,
                        random.nextInt(6) == 0 ? 8 : 0,
                        random.nextInt(6) == 0 ? 8 : 0),
                network(random),
                new Losses(random.nextInt(3) * 15, random.nextInt(3) * 40, random.nextInt(8) == 0),
                begun,
                300 + random.nextInt(400),
                random.nextInt(3) * 30);
    }

    /** Several sentinels begin a small shard at once, and nodes come back with nothing. */
    private static Shape beginnings(RandomGenerator random, Rules rules) {
        return new Shape(
                new Nodes(2 + random.nextInt(2), 0),
                sentinels(1 + random.nextInt(3), random, rules),
                new Attempts(15 + random.nextInt(2) * 30, 70, 0, 0),
                new Network(random.nextInt(3) * 40, random.nextInt(2) * 30, 5, 30, 0),
                new Losses(random.nextInt(2) * 30, 60, random.nextBoolean()),
                false,
                200,
                0);
    }

    /** The shard is begun anew time and again, with others still alive. */
    private static Shape newBeginnings(RandomGenerator random, Rules rules) {
        return new Shape(
                new Nodes(2 + random.nextInt(4), random.nextInt(2)),
                sentinels(1 + random.nextInt(2), random, rules),
                new Attempts(10 + random.nextInt(3) * 15, 0, 10 + random.nextInt(2) * 20, random.nextInt(2) * 15),
                network(random),
                new Losses(random.nextInt(3) * 15, 20, random.nextBoolean()),
                true,
                400,
                random.nextInt(2) * 40);
    }

    /** The member list changes all the time. */
    private static Shape changesOfMembers(RandomGenerator random, Rules rules) {
        return new Shape(
                new Nodes(2 + random.nextInt(3), 1 + random.nextInt(2)),
                sentinels(1 + random.nextInt(2), random, rules),
                new Attempts(10 + random.nextInt(40), 0, 0, 0),
                network(random),
                new Losses(random.nextInt(2) * 30, 60, false),
                true,
                500,
                80);
    }

    /** Nodes lose what they know all the time. */
    private static Shape losses(RandomGenerator random, Rules rules) {
        return new Shape(
                new Nodes(3, 0),
                sentinels(1 + random.nextInt(2), random, rules),
                new Attempts(10 + random.nextInt(30), 0, 0, 0),
                new Network(random.nextInt(2) * 60, random.nextInt(3) * 30, 20 + random.nextInt(20), 30, 20),
                new Losses(40, random.nextInt(3) * 30, random.nextBoolean()),
                true,
                500,
                random.nextInt(2) * 30);
    }

    /** Leaderships end before anybody has all their records. */
    private static Shape fights(RandomGenerator random, Rules rules) {
        return new Shape(
                new Nodes(3, 0),
                sentinels(1 + random.nextInt(2), random, rules),
                new Attempts(60, 0, 0, 0),
                new Network(random.nextInt(2) * 20, random.nextInt(2) * 20, 20, 80, 50 + random.nextInt(2) * 25),
                new Losses(0, 0, false),
                true,
                500,
                0);
    }

    private static Sentinels sentinels(int count, RandomGenerator random, Rules rules) {
        boolean sameNumber = random.nextInt(8) == 0 && !rules.distinctSentinels();
        return new Sentinels(count, sameNumber, sameNumber && random.nextBoolean(), random.nextInt(3) * 15);
    }

    private static Network network(RandomGenerator random) {
        return new Network(
                random.nextInt(3) * 30,
                random.nextInt(3) * 20,
                random.nextInt(3) * 10,
                random.nextInt(3) * 30,
                random.nextInt(2) * 30);
    }
}
