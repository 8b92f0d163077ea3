package io.kvorum.redis;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.lettuce.core.RedisURI;

/**
 * Where operations are sent, and how refusals name it.
 *
 * @param uri how to connect to it; one with sentinels leads to the primary that they name at the time; user and
 *     password do not count when places are compared
 * @param shard the shard in refusals
 * @param node the node in refusals
 */
record Place(RedisURI uri, ShardId shard, NodeId node) {
    private static final int MAX_LENGTH = 64;

    /** Names a server, or the primary of a group, by its URI. */
    static Place of(RedisURI uri) {
        String master = uri.getSentinelMasterId();
        String name = master != null ? master : address(uri);
        return new Place(uri, new ShardId(identifier(master != null ? master : "redis")), new NodeId(identifier(name)));
    }

    /** Names a server of a cluster, whose shard is that of the primary with an id. */
    static Place of(RedisURI uri, String shard) {
        return new Place(uri, new ShardId(identifier(shard)), new NodeId(identifier(address(uri))));
    }

    /** Returns this place by an equal URI, perhaps with another user or password. */
    Place as(RedisURI equal) {
        return new Place(equal, shard, node);
    }

    private static String address(RedisURI uri) {
        return uri.getSocket() != null ? uri.getSocket() : uri.getHost() + ":" + uri.getPort();
    }

    private static String identifier(String name) {
        String allowed = name.replaceAll("[^A-Za-z0-9._:-]", "_");
        return allowed.substring(Math.max(0, allowed.length() - MAX_LENGTH));
    }
}
