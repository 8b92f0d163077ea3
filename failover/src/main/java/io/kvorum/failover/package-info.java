/** Pluggable failure detectors and sentinels that agree by quorum, elect a leader and fail a shard over. */
package io.kvorum.failover;
