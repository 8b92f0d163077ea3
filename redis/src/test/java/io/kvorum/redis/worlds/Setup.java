package io.kvorum.redis.worlds;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a scenario starts with: a group of nodes that sentinels watch or, with shards, a cluster.
 *
 * @param shards how many shards a cluster has; 0 for a group, which is no cluster
 * @param nodes how many nodes the group or each shard has
 * @param others how many of those of the other shards than the first are there on Redis, where each is a process
 * @param sentinels how many sentinels
 * @param quorum how many sentinels must agree that the primary is down
 * @param majority whether a write is acknowledged by a majority: on Kvorum at level {@code MAJORITY}, on Redis by
 *     {@code WAIT} after each {@code SET}
 * @param minReplicas how many replicas must be connected for a write to be taken
 * @param downAfter for how long a node of Redis is silent before it is held down, in milliseconds: the
 *     down-after-milliseconds of its sentinels, or the cluster-node-timeout
 * @param failoverTimeout the failover-timeout of Redis Sentinel, in milliseconds
 * @param password the password of the nodes; empty for none
 * @param priorities the priorities of nodes that have another one than 100
 */
record Setup(
        int shards,
        int nodes,
        int others,
        int sentinels,
        int quorum,
        boolean majority,
        int minReplicas,
        int downAfter,
        int failoverTimeout,
        String password,
        Map<String, Integer> priorities) {
    /** Reads words such as {@code nodes 3, sentinels 3, quorum 2, priority C 10}. */
    static Setup parse(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        Map<String, Integer> priorities = new LinkedHashMap<>();
        for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
            String[] words = part.strip().split(" ", -1);
            if (words[0].equals("priority")) {
                priorities.put(words[1], Integer.parseInt(words[2]));
            } else {
                values.put(words[0], words.length == 1 ? "" : words[1]);
            }
        }
        int shards = Integer.parseInt(take(values, "shards", "0"));
        Setup setup = new Setup(
                shards,
                Integer.parseInt(take(values, "nodes", "3")),
                Integer.parseInt(take(values, "others", "1")),
                Integer.parseInt(take(values, "sentinels", "3")),
                Integer.parseInt(take(values, "quorum", "2")),
                values.remove("majority") != null,
                Integer.parseInt(take(values, "min-replicas", "0")),
                Integer.parseInt(take(values, "down-after", shards > 0 ? "1000" : "2000")),
                Integer.parseInt(take(values, "failover-timeout", "10000")),
                take(values, "password", ""),
                priorities);
        if (!values.isEmpty()) {
            throw new IllegalArgumentException("a scenario does not start with " + values.keySet());
        }
        return setup;
    }

    private static String take(Map<String, String> values, String name, String otherwise) {
        String value = values.remove(name);
        return value == null ? otherwise : value;
    }

    /** {@return whether it is a cluster} */
    boolean inCluster() {
        return shards > 0;
    }

    /** {@return how many nodes there are in all} */
    int allNodes() {
        return Math.max(shards, 1) * nodes;
    }

    /** {@return the name of the node of this number, from 0} */
    static String node(int number) {
        return String.valueOf((char) ('A' + number));
    }

    /** {@return the name of the sentinel of this number, from 0} */
    static String sentinel(int number) {
        return "s" + (number + 1);
    }
}
