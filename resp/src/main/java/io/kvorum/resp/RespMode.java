package io.kvorum.resp;

/** What clients take the endpoints for. */
public enum RespMode {
    /** A Redis Cluster: every node tells which node serves which slots, and sends clients there. */
    CLUSTER,
    /** A primary with replicas for each shard, watched by Sentinels that tell where the primary is. */
    SENTINEL,
    /** Single servers: clients dial the node they want. */
    SINGLE
}
