/** Micrometer meters of stores, replication, sentinels and clients. */
package io.kvorum.metrics;
