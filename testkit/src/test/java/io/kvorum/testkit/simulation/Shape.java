package io.kvorum.testkit.simulation;

/**
 * How many of everything a cluster has. Processes are numbered: first the nodes, shard by shard, then the sentinels,
 * then the clients.
 *
 * @param shards the number of shards
 * @param members the nodes of each shard
 * @param sentinels the number of sentinels
 * @param quorum how many sentinels must agree that a primary is down
 * @param clients the number of clients
 */
record Shape(int shards, int members, int sentinels, int quorum, int clients) {
    /** What is run most: three shards of three, three sentinels, four clients. */
    static final Shape DEFAULT = new Shape(3, 3, 3, 2, 4);

    /** Two shards of three and a spare node each. */
    static final Shape WITH_SPARES = new Shape(2, 4, 3, 2, 4);

    private static final int MOST_MEMBERS = 7;
    private static final int MOST_SENTINELS = 7;
    private static final int MOST_NODES = 12; // so that a run stays short

    /** Draws any shape. */
    static Shape draw(Randomness random) {
        int members = random.nextInt(1, MOST_MEMBERS + 1);
        int shards = random.nextInt(1, Math.max(1, Math.min(4, MOST_NODES / members)) + 1);
        int sentinels = random.nextInt(1, MOST_SENTINELS + 1);
        return new Shape(shards, members, sentinels, random.nextInt(1, sentinels + 1), random.nextInt(2, 5));
    }

    /** {@return how many of so many are a majority} */
    static int majority(int of) {
        return of / 2 + 1;
    }

    int nodes() {
        return shards * members;
    }

    int processes() {
        return nodes() + sentinels + clients;
    }

    /** {@return how many members of a shard may be without its data at the same time, and no write is lost} */
    int spareMembers() {
        return members - majority(members);
    }

    int shardOf(int node) {
        return node / members;
    }

    boolean isNode(int process) {
        return process < nodes();
    }

    boolean isSentinel(int process) {
        return process >= nodes() && process < nodes() + sentinels;
    }

    /** {@return the processes of a set of indexes from {@code first} on, one bit each} */
    static long range(int first, int count) {
        return ((1L << count) - 1) << first;
    }

    long everybody() {
        return range(0, processes());
    }

    long membersOf(int shard) {
        return range(shard * members, members);
    }

    long allSentinels() {
        return range(nodes(), sentinels);
    }
}
