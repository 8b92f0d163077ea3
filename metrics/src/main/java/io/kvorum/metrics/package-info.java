/** Micrometer meters of stores, replication and sentinels. */
package io.kvorum.metrics;
